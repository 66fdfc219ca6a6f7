import { isIP } from 'node:net';
import { parseDuration } from '../duration.ts';
import { normalizeTime } from '../time.ts';
import { requestURIRefusal } from '../validation/request-uri.ts';
import { isCreditCard, isISBN10, isISBN13 } from './check-digits.ts';
import { isEmail } from './email.ts';

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
const uuidOf = (version: string, variant = HEX): FormatCheck =>
  pattern(new RegExp(`^${HEX}{8}-?${HEX}{4}-?${version}${HEX}{3}-?${variant}${HEX}{3}-?${HEX}{12}$`));
const COLOR_PART = '\\s*(?:0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*';

const FORMATS: Readonly<Record<string, FormatCheck>> = {
  bsonobjectid: pattern(new RegExp(`^${HEX}{24}$`)),
  byte: (value) => value !== '' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value),
  cidr: (value) => isCIDR(value),
  creditcard: isCreditCard,
  date: (value) => isDate(value),
  datetime: (value) => isDateTime(value.toLowerCase()),
  duration: (value) => reads(() => parseDuration(value)) || hasAmountOfTime(value),
  email: isEmail,
  hexcolor: pattern(new RegExp(`^#?(?:${HEX}{3}|${HEX}{6})$`)),
  hostname: (value) => isHostname(value),
  ipv4: (value) => isIP(withoutZeros(value)) !== 0 && value.includes('.') && !value.includes('%'),
  ipv6: (value) => isIP(value) === 6 && !value.includes('%'),
  isbn: (value) => isISBN10(value) || isISBN13(value),
  isbn10: isISBN10,
  isbn13: isISBN13,
  k8slongname: pattern(/^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/),
  k8sshortname: pattern(/^(?=.{1,63}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/),
  mac: (value) => isMAC(value),
  password: () => true,
  rgbcolor: pattern(new RegExp(`^rgb\\(${COLOR_PART},${COLOR_PART},${COLOR_PART}\\)$`)),
  ssn: pattern(/^\d{3}[- ]\d{2}[- ]\d{4}$/),
  uri: (value) => requestURIRefusal(value) === undefined,
  uuid: uuidOf(HEX),
  uuid3: uuidOf('3'),
  uuid4: uuidOf('4', '[89abAB]'),
  uuid5: uuidOf('5', '[89abAB]'),
};

function reads(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

function isDate(value: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(value) && reads(() => normalizeTime(`${value}T00:00:00Z`));
}

/** In lower case. Whatever stands before the digits of a fraction is taken for its point. */
function isDateTime(value: string): boolean {
  const [date = '', time = ''] = value.split('t');
  const found = /^(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/.exec(time);
  if (found === null || !isDate(date)) return false;
  const [, hour = '', minute = '', second = ''] = found;
  return hour <= '23' && minute <= '59' && second <= '59';
}

/** Words of units, and those that longer words may begin with. */
const TIME_UNIT = /^(?:ns|us|µs|ms|s|m|h|hr|d|w|wk|(?:nano|micro|milli|sec|min|hour|day|week).*)$/;

/** `22 ns`, `3 days`, `1 week and 2 days`: one amount of time anywhere will do, but all numbers have to be ones of Go. */
function hasAmountOfTime(value: string): boolean {
  const amounts = [...value.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)];
  if (amounts.some(([, count = '']) => BigInt(count) >= 2n ** 63n)) return false;
  return amounts.some(([, , unit = '']) => TIME_UNIT.test(unit.toLowerCase()));
}

const WORD = '[a-zA-Z0-9\\p{S}\\p{L}]';
const WORD_OR_DASH = '[a-zA-Z0-9\\-\\p{S}\\p{L}]';
const HOSTNAME = new RegExp(
  `^(?:${WORD}(?:-?${WORD}{0,62})?|(?:${WORD}(?:${WORD_OR_DASH}{0,61}${WORD})?\\.)+[a-zA-Z\\p{L}]{2,63})$`,
  'u',
);

/** Symbols and letters of all languages; the last of several parts has two letters at least. */
function isHostname(value: string): boolean {
  if (value.length > 255 || Buffer.byteLength(value) > 255 || !HOSTNAME.test(value)) return false;
  return value.split('.').every((part) => Buffer.byteLength(part) <= 63);
}

/** Upstream still takes numbers of IPv4 addresses that begin with zeros, as decimal ones. */
function withoutZeros(address: string): string {
  return address.replace(/(^|[.:])0+(?=\d+(?:\.|$))/g, '$1');
}

function isCIDR(value: string): boolean {
  const slash = value.indexOf('/');
  const address = value.slice(0, slash);
  const family = isIP(address.includes(':') ? address : withoutZeros(address));
  const bits = value.slice(slash + 1);
  if (slash < 0 || family === 0 || address.includes('%') || !/^\d{1,3}$/.test(bits)) return false;
  return Number(bits) <= (family === 4 ? 32 : 128);
}

/** Of 6, 8 or 20 bytes, by pairs with `:` or `-`, or by fours with `.`. */
function isMAC(value: string): boolean {
  const separator = /[:.-]/.exec(value)?.[0] ?? ':';
  const parts = value.split(separator);
  const digits = separator === '.' ? 4 : 2;
  const bytes = (parts.length * digits) / 2;
  return [6, 8, 20].includes(bytes) && parts.every((part) => part.length === digits && /^[0-9a-fA-F]+$/.test(part));
}
