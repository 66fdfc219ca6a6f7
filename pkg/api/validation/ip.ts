import { isIPv6 } from 'node:net';

/** An IPv6 address as RFC 5952 writes it. `ip` is one in any form without a zone. */
export function canonicalIPv6(ip: string): string {
  return new URL(`http://[${ip}]`).hostname.slice(1, -1);
}

/** Warnings about an address that is taken as it is: IPv6 in another than its canonical form, or IPv4 in disguise. */
export function ipWarnings(ip: string, path: string): string[] {
  if (!isIPv6(ip)) return [];
  const canonical = canonicalIPv6(ip);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped) {
    const numbers = [mapped[1], mapped[2]].flatMap((part) => {
      const value = Number.parseInt(part ?? '', 16);
      return [value >> 8, value & 255];
    });
    const advice = `will be considered invalid in a future Kubernetes release: use "${numbers.join('.')}"`;
    return [`${path}: non-standard IP address "${ip}" ${advice}`];
  }
  if (canonical === ip) return [];
  return [`${path}: IPv6 address "${ip}" should be in RFC 5952 canonical format ("${canonical}")`];
}
