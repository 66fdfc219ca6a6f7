import { isIP } from 'node:net';

/** An IP address as a number of 32 or 128 bits. */
export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

export interface AddressRange {
  readonly address: Address;
  readonly prefix: number;
}

/** Reads an address in the strict forms that Go's netip takes, without a zone. Undefined when the text is none. */
export function readAddress(text: string): Address | undefined {
  const version = isIP(text);
  if (version === 4) return { bits: 32, value: readV4(text) };
  if (version !== 6 || text.includes('%')) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let plain = text;
  if (dotted !== null) {
    const value = readV4(dotted[2] ?? '');
    plain = `${dotted[1]}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  }
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0');
  const value = [...left, ...middle, ...right].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  return { bits: 128, value };
}

function readV4(text: string): bigint {
  return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

/** Whether an IPv6 address stands for an IPv4 one (::ffff:1.2.3.4). */
export function isMapped(address: Address): boolean {
  return address.bits === 128 && address.value >> 32n === 0xffffn;
}

/** The canonical text (RFC 5952). */
export function formatAddress(address: Address): string {
  if (address.bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (address.value >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((address.value >> BigInt(112 - i * 16)) & 0xffffn).toString(16));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === '0') end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
  }
  if (start < 0) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** Reads `address/bits`. Undefined when the text is none. */
export function readRange(text: string): AddressRange | undefined {
  const parts = /^(.*)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = parts === null ? undefined : readAddress(parts[1] ?? '');
  const prefix = Number(parts?.[2]);
  return address === undefined || prefix > address.bits ? undefined : { address, prefix };
}

/** The address with everything behind the prefix cleared. */
export function mask(address: Address, prefix: number): Address {
  const free = BigInt(address.bits - prefix);
  return { bits: address.bits, value: (address.value >> free) << free };
}

export function contains(range: AddressRange, address: Address): boolean {
  if (range.address.bits !== address.bits) return false;
  return mask(address, range.prefix).value === mask(range.address, range.prefix).value;
}

/** Whether an address lies in a range given as text. */
export function isIn(address: Address, ranges: readonly string[]): boolean {
  return ranges.some((text) => {
    const range = readRange(text);
    return range !== undefined && contains(range, address);
  });
}
