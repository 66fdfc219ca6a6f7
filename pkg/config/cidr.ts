/** The `n`th address of an IPv4 or IPv6 network: `nthAddress('10.43.0.0/16', 10)` is `10.43.0.10`. */
export function nthAddress(cidr: string, n: number): string {
  const { base, bits } = parseCIDR(cidr);
  return formatAddress(base + BigInt(n), bits);
}

interface ParsedCIDR {
  /** The network's first address. */
  readonly base: bigint;
  /** 32 or 128. */
  readonly bits: number;
  readonly prefix: number;
}

function parseCIDR(cidr: string): ParsedCIDR {
  const [address = '', prefixText = ''] = cidr.split('/');
  const bits = address.includes(':') ? 128 : 32;
  const prefix = Number(prefixText);
  const value = bits === 32 ? parseIPv4(address) : parseIPv6(address);
  const hostBits = BigInt(bits - prefix);
  return { base: (value >> hostBits) << hostBits, bits, prefix };
}

function parseIPv4(address: string): bigint {
  return address.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIPv6(address: string): bigint {
  const [head = '', tail] = address.split('::');
  const words = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const left = words(head);
  const right = words(tail);
  const middle = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...middle, ...right].reduce((value, word) => (value << 16n) | BigInt(`0x${word}`), 0n);
}

function formatAddress(value: bigint, bits: number): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const words = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) => ((value >> shift) & 0xffffn).toString(16));
  return words.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}

/** A network by its first address: `10.43.0.0/16` for `10.43.7.1/16`. */
export function canonicalCIDR(cidr: string): string {
  const { base, bits, prefix } = parseCIDR(cidr);
  return `${formatAddress(base, bits)}/${prefix}`;
}

/** The network of one address. */
export function hostNetwork(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

/** How many addresses a network has. */
export function sizeOf(cidr: string): number {
  const { bits, prefix } = parseCIDR(cidr);
  return 2 ** (bits - prefix);
}

/** Whether two networks share addresses. */
export function overlap(a: string, b: string): boolean {
  const left = parseCIDR(a);
  const right = parseCIDR(b);
  if (left.bits !== right.bits) return false;
  const hostBits = BigInt(left.bits - Math.min(left.prefix, right.prefix));
  return left.base >> hostBits === right.base >> hostBits;
}
