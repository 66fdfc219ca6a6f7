import { isIP } from 'node:net';
import { parseDuration } from '../duration.ts';
import { normalizeTime } from '../time.ts';

/**
 * Whether a string has a format that the API server checks (go-openapi's formats). True for formats that it does not know.
 */
export function matchesFormat(format: string, value: string): boolean {
  const name = format.replaceAll('-', '');
  const check = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  return check === undefined || check(value);
}

/** Whether the API server knows a format of values of this JSON type. */
export function isKnownFormat(format: string, type: string): boolean {
  if (type === 'integer') return format === 'int32' || format === 'int64';
  if (type === 'number') return format === 'float' || format === 'double';
  return (type === '' || type === 'string') && Object.hasOwn(FORMATS, format.replaceAll('-', ''));
}

type FormatCheck = (value: string) => boolean;

const pattern =
  (regex: RegExp): FormatCheck =>
  (value) =>
    regex.test(value);

const HEX = '[0-9a-fA-F]';
const UUID_REST = `-${HEX}{4}-${HEX}{4}-${HEX}{12}`;
const uuidOf = (version: string, variant = HEX): RegExp =>
  new RegExp(`^${HEX}{8}-?${HEX}{4}-?${version}${HEX}{3}-?${variant}${HEX}{3}-?${HEX}{12}$`);

const FORMATS: Readonly<Record<string, FormatCheck>> = {
  bsonobjectid: pattern(new RegExp(`^${HEX}{24}$`)),
  byte: (value) => value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value),
  cidr: (value) => isCIDR(value),
  creditcard: pattern(
    /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/,
  ),
  date: (value) => /^\d{4}-\d\d-\d\d$/.test(value) && reads(() => normalizeTime(`${value}T00:00:00Z`)),
  datetime: (value) => reads(() => normalizeTime(value.replace(/^(\S{10})[tT ]/, '$1T').replace(/z$/, 'Z'))),
  duration: (value) => reads(() => parseDuration(value)) || /^\d+(?:\.\d+)?\s*(?:[a-zµ]+)$/i.test(value),
  email: pattern(/^[^\s@<>(),;:"[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/),
  hexcolor: pattern(new RegExp(`^#?(?:${HEX}{3}|${HEX}{6})$`)),
  hostname: pattern(
    /^(?=.{1,255}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$/,
  ),
  ipv4: (value) => isIP(value) === 4,
  ipv6: (value) => isIP(value) === 6 && !value.includes('%'),
  isbn: (value) => isISBN10(value) || isISBN13(value),
  isbn10: (value) => isISBN10(value),
  isbn13: (value) => isISBN13(value),
  k8slongname: pattern(/^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/),
  k8sshortname: pattern(/^(?=.{1,63}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/),
  mac: pattern(
    new RegExp(
      `^(?:${HEX}{2}([:-])${HEX}{2}(?:\\1${HEX}{2}){4}(?:(?:\\1${HEX}{2}){2})?|${HEX}{4}(?:\\.${HEX}{4}){2,3})$`,
    ),
  ),
  password: () => true,
  rgbcolor: pattern(
    /^rgb\(\s*(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*(?:,\s*(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*){2}\)$/,
  ),
  ssn: pattern(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  uri: (value) => /^[a-z][a-z0-9+.-]*:|^\//i.test(value) && !/[\s<>"{}|\\^`]/.test(value),
  uuid: pattern(new RegExp(`^${HEX}{8}-${HEX}{4}${UUID_REST}$|^${HEX}{32}$`)),
  uuid3: pattern(uuidOf('3')),
  uuid4: pattern(uuidOf('4', '[89abAB]')),
  uuid5: pattern(uuidOf('5', '[89abAB]')),
};

function reads(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

function isCIDR(value: string): boolean {
  const slash = value.indexOf('/');
  const family = isIP(value.slice(0, slash));
  const bits = value.slice(slash + 1);
  return slash > 0 && family !== 0 && /^(?:0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

function isISBN10(value: string): boolean {
  const digits = value.replace(/[\s-]/g, '');
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = [...digits].reduce((total, digit, i) => total + (digit === 'X' ? 10 : Number(digit)) * (10 - i), 0);
  return sum % 11 === 0;
}

function isISBN13(value: string): boolean {
  const digits = value.replace(/[\s-]/g, '');
  if (!/^\d{13}$/.test(digits)) return false;
  return [...digits].reduce((total, digit, i) => total + Number(digit) * (i % 2 === 0 ? 1 : 3), 0) % 10 === 0;
}
