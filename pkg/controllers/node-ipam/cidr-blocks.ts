import { isIPv4, isIPv6 } from 'node:net';

/** A network cut into blocks of one size, one for each node: 10.42.0.0/16 into 256 times /24. */
export class CIDRBlocks {
  readonly #base: bigint;
  readonly #bits: 32 | 128;
  readonly #blockPrefix: number;
  readonly #networkPrefix: number;

  /** Throws when `cidr` is not a network or blocks do not fit into it. */
  constructor(cidr: string, blockPrefix: number) {
    const parsed = parseCIDR(cidr);
    if (parsed === undefined) throw new Error(`"${cidr}" is not a network in CIDR form`);
    if (blockPrefix < parsed.prefix || blockPrefix > parsed.bits)
      throw new Error(`blocks of /${blockPrefix} do not fit into ${cidr}`);
    this.#base = parsed.base;
    this.#bits = parsed.bits;
    this.#networkPrefix = parsed.prefix;
    this.#blockPrefix = blockPrefix;
  }

  get family(): 4 | 6 {
    return this.#bits === 32 ? 4 : 6;
  }

  /** How many blocks there are (at most 65,536 are used). */
  get count(): number {
    return 2 ** Math.min(16, this.#blockPrefix - this.#networkPrefix);
  }

  block(index: number): string {
    const address = this.#base + (BigInt(index) << BigInt(this.#bits - this.#blockPrefix));
    return `${formatAddress(address, this.#bits)}/${this.#blockPrefix}`;
  }

  /** The blocks that `cidr` covers or lies in, first and last; undefined when it is elsewhere. */
  range(cidr: string): readonly [number, number] | undefined {
    const parsed = parseCIDR(cidr);
    if (parsed === undefined || parsed.bits !== this.#bits) return undefined;
    const shift = BigInt(this.#bits - this.#blockPrefix);
    const size = 1n << BigInt(this.#bits - parsed.prefix);
    const first = (parsed.base - this.#base) >> shift;
    const last = (parsed.base + size - 1n - this.#base) >> shift;
    if (last < 0n || first >= BigInt(this.count)) return undefined;
    return [Math.max(0, Number(first)), Math.min(this.count - 1, Number(last))];
  }
}

function parseCIDR(cidr: string): { base: bigint; bits: 32 | 128; prefix: number } | undefined {
  const [address = '', prefixText = ''] = cidr.split('/');
  if (!/^\d{1,3}$/.test(prefixText)) return undefined;
  const prefix = Number(prefixText);
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : undefined;
  if (bits === undefined || prefix > bits) return undefined;
  const value = bits === 32 ? parseIPv4(address) : parseIPv6(address);
  const hostBits = BigInt(bits - prefix);
  return { base: (value >> hostBits) << hostBits, bits, prefix };
}

function parseIPv4(address: string): bigint {
  return address.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIPv6(address: string): bigint {
  const [head = '', tail] = normalIPv6(address).split('::');
  const words = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const left = words(head);
  const right = words(tail);
  const middle = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...middle, ...right].reduce((value, word) => (value << 16n) | BigInt(`0x${word}`), 0n);
}

/** Shortest form, without dotted quads. */
function normalIPv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function formatAddress(value: bigint, bits: 32 | 128): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const words = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) => ((value >> shift) & 0xffffn).toString(16));
  return normalIPv6(words.join(':'));
}
