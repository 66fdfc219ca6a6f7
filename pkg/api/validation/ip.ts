/** An IPv6 address as RFC 5952 writes it. `ip` is one in any form without a zone. */
export function canonicalIPv6(ip: string): string {
  return new URL(`http://[${ip}]`).hostname.slice(1, -1);
}
