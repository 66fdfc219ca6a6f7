/** The address of a socket's peer: one of IPv4 as such, also on a socket of both families. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * Where a server listens. Each of the unspecified addresses means all addresses of both families, as in Go's servers: Node does
 * that without a host, and takes IPv4 alone where the kernel has no IPv6.
 */
export function listenOn(address: string): { readonly host?: string } {
  return address === '0.0.0.0' || address === '::' ? {} : { host: address };
}

/** `192.0.2.1:443`, `[2001:db8::1]:443`. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
