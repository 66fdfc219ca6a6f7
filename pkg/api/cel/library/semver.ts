import { type Library, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import type { HostValue } from '../values.ts';
import { Host } from './host-values.ts';

interface Version {
  readonly numbers: readonly bigint[];
  readonly pre: readonly string[];
}

type SemverValue = Host<Version>;
const TYPE = 'kubernetes.Semver';
const SHAPE = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$/;
const MAX_NUMBER = 2n ** 64n - 1n;

/** semver(), isSemver() and comparing versions. */
export function semverLibrary(): Library {
  const number =
    (index: number) =>
    (version: SemverValue): bigint =>
      version.payload.numbers[index] ?? 0n;
  return {
    name: 'kubernetes.semver',
    overloads: [
      overload('string_to_semver', `semver(string) ${TYPE}`, (text: string) => read(text)),
      overload('string_bool_to_semver', `semver(string, bool) ${TYPE}`, (text: string, loose: boolean) =>
        read(loose ? normalize(text) : text),
      ),
      overload('is_semver_string', 'isSemver(string) bool', (text: string) => isSemver(text, false)),
      overload('is_semver_string_bool', 'isSemver(string, bool) bool', isSemver),
      overload(
        'semver_is_greater_than',
        `${TYPE}#isGreaterThan(${TYPE}) bool`,
        (a: SemverValue, b: SemverValue) => compare(a.payload, b.payload) > 0,
      ),
      overload(
        'semver_is_less_than',
        `${TYPE}#isLessThan(${TYPE}) bool`,
        (a: SemverValue, b: SemverValue) => compare(a.payload, b.payload) < 0,
      ),
      overload('semver_compare_to', `${TYPE}#compareTo(${TYPE}) int`, (a: SemverValue, b: SemverValue) =>
        BigInt(compare(a.payload, b.payload)),
      ),
      overload('semver_major', `${TYPE}#major() int`, number(0)),
      overload('semver_minor', `${TYPE}#minor() int`, number(1)),
      overload('semver_patch', `${TYPE}#patch() int`, number(2)),
    ],
  };
}

/** A version that is data, as expressions see it. Throws a Failure. */
export function semverValue(text: string): HostValue {
  return read(text);
}

function read(text: string): SemverValue {
  const version = parse(text);
  if (version === undefined) throw new Failure(`Invalid semantic version ${JSON.stringify(text)}`);
  return new Host('semver', version, `${version.numbers.join('.')}-${version.pre.join('.')}`);
}

function parse(text: string): Version | undefined {
  const parts = SHAPE.exec(text);
  if (parts === null) return undefined;
  const numbers = parts.slice(1, 4).map((part) => BigInt(part));
  const pre = parts[4] === undefined ? [] : parts[4].split('.');
  const build = parts[5] === undefined ? [] : parts[5].split('.');
  const bad = [...pre, ...build].includes('') || pre.some((part) => /^0\d+$/.test(part));
  return bad || numbers.some((number) => number > MAX_NUMBER) ? undefined : { numbers, pre };
}

function isSemver(text: string, loose: boolean): boolean {
  return parse(loose ? normalize(text) : text) !== undefined;
}

/** Without a leading v and leading zeros, filled up to three numbers. */
function normalize(text: string): string {
  const [major = '', minor, ...rest] = text.replace(/^v/, '').split('.');
  const parts = rest.length > 0 ? [major, minor ?? '', rest.join('.')] : minor === undefined ? [major] : [major, minor];
  const trimmed = parts.map((part) => part.replace(/^0+(?=\d)/, ''));
  if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? '')) return text;
  while (trimmed.length < 3) trimmed.push('0');
  return trimmed.join('.');
}

function compare(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) {
    const left = a.numbers[i] ?? 0n;
    const right = b.numbers[i] ?? 0n;
    if (left !== right) return left < right ? -1 : 1;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Number(a.pre.length === 0) - Number(b.pre.length === 0);
  for (let i = 0; i < Math.min(a.pre.length, b.pre.length); i++) {
    const order = comparePart(a.pre[i] ?? '', b.pre[i] ?? '');
    if (order !== 0) return order;
  }
  return Math.sign(a.pre.length - b.pre.length);
}

function comparePart(a: string, b: string): number {
  const left = /^\d+$/.test(a);
  const right = /^\d+$/.test(b);
  if (left && right) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
