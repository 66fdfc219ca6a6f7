import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** An IP family with the words that nftables has for it. */
export interface Family {
  readonly suffix: '4' | '6';
  /** Keyword in matches and `dnat`. */
  readonly nft: 'ip' | 'ip6';
  readonly nfproto: 'ipv4' | 'ipv6';
  readonly type: 'ipv4_addr' | 'ipv6_addr';
  /** `spec.ipFamilies` and `addressType`. */
  readonly kubernetes: 'IPv4' | 'IPv6';
}

export const IPv4: Family = { suffix: '4', nft: 'ip', nfproto: 'ipv4', type: 'ipv4_addr', kubernetes: 'IPv4' };
export const IPv6: Family = { suffix: '6', nft: 'ip6', nfproto: 'ipv6', type: 'ipv6_addr', kubernetes: 'IPv6' };
export const FAMILIES: readonly Family[] = [IPv4, IPv6];

/** The family of an address; undefined when it is not an address (nothing else may reach a ruleset). */
export function familyOf(address: string): Family | undefined {
  if (isIPv4(address)) return IPv4;
  return isIPv6(address) && !address.includes('%') ? IPv6 : undefined;
}

/** The family of a network in CIDR form; undefined when it is not one. */
export function familyOfCIDR(cidr: string): Family | undefined {
  const slash = cidr.indexOf('/');
  const family = slash < 0 ? undefined : familyOf(cidr.slice(0, slash));
  if (family === undefined) return undefined;
  const prefix = cidr.slice(slash + 1);
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > (family === IPv4 ? 32 : 128)) return undefined;
  return family;
}

/** One spelling for each address: IPv6 in lower case, shortest form. */
export function normalAddress(address: string): string {
  if (!address.includes(':')) return address;
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

/** `a` as it stands before a port. */
export function withPort(family: Family, address: string, port: number): string {
  return family === IPv4 ? `${address}:${port}` : `[${address}]:${port}`;
}

/** Tells whether addresses are in one of `cidrs`. */
export function networkMatcher(cidrs: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const family = familyOfCIDR(cidr);
    if (family === undefined) continue;
    const [address = '', prefix = ''] = cidr.split('/');
    list.addSubnet(address, Number(prefix), family.nfproto);
  }
  return (address) => {
    const family = familyOf(address);
    return family !== undefined && list.check(address, family.nfproto);
  };
}
