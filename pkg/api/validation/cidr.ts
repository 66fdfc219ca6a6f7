/** Addresses and ranges as upstream wants new fields to hold them (canonical), and warnings about those that are not. */
import { isIP } from 'node:net';
import * as field from './field-error.ts';
import { goQuote } from './go-format.ts';
import { legacyIPTexts, withoutZeros } from './ip.ts';
import { isCIDR } from './values.ts';

type FieldError = field.FieldError;

const cidrText = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

export interface Range {
  readonly family: 4 | 6;
  /** The bits of the address. */
  readonly address: bigint;
  readonly length: number;
}

/** The parts of `address/length`; undefined when it is none. */
export function parseCIDR(text: string): Range | undefined {
  if (!isCIDR(text)) return undefined;
  const slash = text.indexOf('/');
  const address = text.slice(0, slash);
  return { family: isIP(address) === 4 ? 4 : 6, address: addressBits(address), length: Number(text.slice(slash + 1)) };
}

/** Whether one range lies in another one and is smaller. */
export function isStrictlyInside(inner: Range, outer: Range): boolean {
  if (inner.family !== outer.family || inner.length <= outer.length) return false;
  return networkOf(inner, outer.length) === networkOf(outer, outer.length);
}

/** A range in canonical form: no host bits, no other way to write it. */
export function canonicalCIDR(text: string, path: string): FieldError[] {
  const range = parseCIDR(text);
  if (range === undefined) return [field.invalid(path, text, cidrText)];
  const errors: FieldError[] = [];
  if (isMapped(text)) errors.push(field.invalid(path, text, 'must not have an IPv4-mapped IPv6 address'));
  if (networkOf(range, range.length) !== range.address) {
    errors.push(field.invalid(path, text, 'must not have bits set beyond the prefix length'));
  }
  if (errors.length > 0) return errors;
  const canonical = formatRange(range);
  return text === canonical ? [] : [field.invalid(path, text, `must be in canonical form (${goQuote(canonical)})`)];
}

/** What is wrong with an address that should be in canonical form. */
export function canonicalIPTexts(text: string): string[] {
  const wrong = legacyIPTexts(text);
  if (wrong.length > 0) return wrong;
  const canonical = canonicalIP(text);
  return text === canonical ? [] : [`must be in canonical form (${goQuote(canonical)})`];
}

/** A range of a field that need not be canonical, but unambiguous. */
export function legacyCIDR(text: string, path: string): FieldError[] {
  const plain = withoutZeros(text);
  const range = parseCIDR(plain);
  if (range === undefined) return [field.invalid(path, text, cidrText)];
  if (plain !== text) return [field.invalid(path, text, 'must not have leading 0s in IP or prefix length')];
  if (isMapped(text)) return [field.invalid(path, text, 'must not have an IPv4-mapped IPv6 address')];
  if (networkOf(range, range.length) === range.address) return [];
  return [field.invalid(path, text, 'must not have bits set beyond the prefix length')];
}

/** Warnings about a range that is taken as it is. */
export function cidrWarnings(text: string, path: string): string[] {
  const plain = withoutZeros(text);
  const range = parseCIDR(plain);
  if (range === undefined) return [];
  const warnings: string[] = [];
  const network = formatRange({ ...range, address: networkOf(range, range.length) });
  if (networkOf(range, range.length) !== range.address) {
    const single = formatRange({ ...range, length: range.family === 4 ? 32 : 128 });
    const choices = `${goQuote(network)} or ${goQuote(single)}?`;
    warnings.push(`${path}: CIDR value ${goQuote(text)} is ambiguous in this context (should be ${choices})`);
  }
  const canonical = formatRange(range);
  if (isMapped(text) || plain !== text) {
    warnings.push(`${path}: non-standard CIDR value ${goQuote(text)} is invalid: use ${goQuote(network)}`);
  } else if (warnings.length === 0 && range.family === 6 && text !== canonical) {
    const advice = `should be in RFC 5952 canonical format (${goQuote(canonical)})`;
    warnings.push(`${path}: IPv6 CIDR value ${goQuote(text)} ${advice}`);
  }
  return warnings;
}

function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

function networkOf({ family, address }: Range, length: number): bigint {
  const rest = BigInt(widthOf(family) - length);
  return (address >> rest) << rest;
}

function isMapped(text: string): boolean {
  return text.includes(':') && text.includes('.') && canonicalIP(text.split('/')[0] ?? '').startsWith('::ffff:');
}

function formatRange({ family, address, length }: Range): string {
  return `${formatAddress(family, address)}/${length}`;
}

function formatAddress(family: 4 | 6, address: bigint): string {
  const width = family === 4 ? 8 : 16;
  const parts: string[] = [];
  for (let shift = widthOf(family) - width; shift >= 0; shift -= width) {
    const part = (address >> BigInt(shift)) & ((1n << BigInt(width)) - 1n);
    parts.push(part.toString(family === 4 ? 10 : 16));
  }
  return family === 4 ? parts.join('.') : canonicalIP(parts.join(':'));
}

/** RFC 5952: lower case, the longest run of zeros shortened. */
function canonicalIP(text: string): string {
  return isIP(text) === 6 ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
}

function addressBits(text: string): bigint {
  if (isIP(text) === 4) return text.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
  const [head = '', tail] = canonicalIP(text).split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const first = groups(head);
  const last = groups(tail ?? '');
  const middle = new Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  return [...first, ...middle, ...last].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}
