import { isIPv4, isIPv6 } from 'node:net';

export type IPFamily = 'IPv4' | 'IPv6';

/** A network in CIDR notation whose addresses can be numbered. */
export class IPRange {
  readonly family: IPFamily;
  /** As it was given. */
  readonly cidr: string;
  readonly #base: bigint;
  readonly #bits: number;

  private constructor(cidr: string, family: IPFamily, base: bigint, bits: number) {
    this.cidr = cidr;
    this.family = family;
    this.#base = base;
    this.#bits = bits;
  }

  /** Throws TypeError. */
  static parse(cidr: string): IPRange {
    const [address = '', length = ''] = cidr.split('/');
    const value = parseIP(address);
    const width = isIPv4(address) ? 32 : 128;
    if (value === undefined || !/^\d+$/.test(length) || Number(length) > width)
      throw new TypeError(`${cidr} is no network`);
    const bits = width - Number(length);
    return new IPRange(cidr, width === 32 ? 'IPv4' : 'IPv6', (value >> BigInt(bits)) << BigInt(bits), bits);
  }

  /** How many addresses can be given out, at most 2^20: all but the network's own and, for IPv4, the broadcast address. */
  get size(): number {
    if (this.#bits === 0) return 0;
    const all = this.#bits >= 20 ? 2 ** 20 : 2 ** this.#bits;
    return this.family === 'IPv4' && this.#bits < 20 ? all - 2 : all - 1;
  }

  /** The address at an index from 0. */
  at(index: number): string {
    return formatIP(this.#base + BigInt(index + 1), this.family);
  }

  contains(ip: string): boolean {
    const value = parseIP(ip);
    if (value === undefined || isIPv4(ip) !== (this.family === 'IPv4')) return false;
    const offset = value - this.#base;
    return offset > 0n && offset < 1n << BigInt(this.#bits);
  }
}

/** The number of an address in canonical notation; undefined for what is no address. */
export function parseIP(ip: string): bigint | undefined {
  if (isIPv4(ip)) return ip.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  if (!isIPv6(ip) || ip.includes('%')) return undefined;
  const [head = '', tail] = ip.split('::');
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = new Array<bigint>(8 - left.length - right.length).fill(0n);
  return [...left, ...(tail === undefined ? [] : zeros), ...right].reduce((sum, group) => (sum << 16n) | group, 0n);
}

function groups(text: string): bigint[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)];
    const value = parseIP(group) ?? 0n;
    return [value >> 16n, value & 0xffffn];
  });
}

function formatIP(value: bigint, family: IPFamily): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const hex = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  return compressIPv6(hex);
}

/** RFC 5952: the longest run of zero groups becomes `::`. */
function compressIPv6(hex: readonly string[]): string {
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && hex[i + length] === '0') length++;
    if (length > best.length) best = { start: i, length };
  }
  if (best.start < 0) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}
