import { isIP } from 'node:net';
import { ConfigError, type OptionSpec, type OptionValue } from './option.ts';

type Parser = (text: string) => OptionValue | undefined;

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

const PARSERS: Readonly<Record<OptionSpec['type'], Parser>> = {
  string: (text) => text,
  path: (text) => (text === '' ? undefined : text),
  bool: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  int: (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : undefined),
  port: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
  list: (text) => splitList(text),
  cidrs: (text) => allOf(splitList(text), isCIDR),
  addresses: (text) => allOf(splitList(text), (item) => isIP(item) !== 0),
  address: (text) => (isIP(text) === 0 ? undefined : text),
  portRange: parsePortRange,
  duration: parseDuration,
  size: parseSize,
};

const EXPECTED: Readonly<Record<OptionSpec['type'], string>> = {
  string: 'a text',
  path: 'a path',
  bool: 'true or false',
  int: 'a whole number',
  port: 'a port between 0 and 65535',
  list: 'a list',
  cidrs: 'one or two networks like 10.42.0.0/16',
  addresses: 'IP addresses',
  address: 'an IP address',
  portRange: 'a range of ports like 30000-32767',
  duration: 'a duration like 90s, 10m or 24h',
  size: 'a size in bytes like 512Mi',
};

/** Checks one value, from the command line or the file; `where` begins the error text (`--https-listen-port`). */
export function parseOptionValue(spec: OptionSpec, raw: unknown, where: string): OptionValue {
  let value: OptionValue | undefined;
  if (Array.isArray(raw)) {
    const isList = spec.type === 'list' || spec.type === 'cidrs' || spec.type === 'addresses';
    value = isList && raw.every(isScalar) ? PARSERS[spec.type](raw.map(String).join(',')) : undefined;
  } else if (isScalar(raw)) {
    value = PARSERS[spec.type](String(raw));
  }
  if (value === undefined) throw new ConfigError(`${where}: ${JSON.stringify(raw)} is not ${EXPECTED[spec.type]}`);
  return value;
}

function isScalar(raw: unknown): raw is string | number | boolean {
  return typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'boolean';
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function allOf(items: string[], check: (item: string) => boolean): string[] | undefined {
  return items.every(check) ? items : undefined;
}

function isCIDR(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const family = isIP(address);
  return rest.length === 0 && family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

function parsePortRange(text: string): OptionValue | undefined {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const range = { first: Number(match[1]), last: Number(match[2]) };
  return range.first >= 1 && range.last <= 65_535 && range.first <= range.last ? range : undefined;
}

function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(amount) * (DURATION_UNITS[unit] ?? 0);
  return total;
}

function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(k|M|G|Ki|Mi|Gi)?$/.exec(text);
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * (SIZE_UNITS[match[2] ?? ''] ?? 1));
}
