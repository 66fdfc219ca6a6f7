import { Failure } from './failure.ts';
import { Duration, Timestamp } from './values.ts';

const SECOND = 1_000_000_000n;
const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -(2n ** 63n);
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999999Z. */
const MIN_TIME = -62_135_596_800n * SECOND;
const MAX_TIME = 253_402_300_800n * SECOND - 1n;
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
};

/** A duration in range. Throws a Failure. */
export function durationOf(nanos: bigint): Duration {
  if (nanos > MAX_INT || nanos < MIN_INT) throw new Failure('integer overflow');
  return new Duration(nanos);
}

/** A timestamp in range. Throws a Failure. */
export function timestampOf(nanos: bigint): Timestamp {
  if (nanos > MAX_TIME || nanos < MIN_TIME) throw new Failure('timestamp overflow');
  return new Timestamp(nanos);
}

/** Go's time.ParseDuration, exactly. Undefined when the text is none. */
export function readDuration(text: string): Duration | undefined {
  const parts = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text);
  if (parts === null) return undefined;
  let nanos = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of (parts[2] ?? '').matchAll(/(\d*)(?:\.(\d*))?([^\d.]+)/g)) {
    const scale = UNITS[unit] ?? 0n;
    nanos += BigInt(whole || '0') * scale;
    if (fraction !== '') nanos += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  if (parts[1] === '-') nanos = -nanos;
  return nanos > MAX_INT || nanos < MIN_INT ? undefined : new Duration(nanos);
}

const WORDS: readonly (readonly [words: string, unit: bigint])[] = [
  ['ns nano nanos nanosecond nanoseconds', 1n],
  ['us µs micro micros microsecond microseconds', 1_000n],
  ['ms milli millis millisecond milliseconds', 1_000_000n],
  ['s sec secs second seconds', SECOND],
  ['m min mins minute minutes', 60n * SECOND],
  ['h hr hrs hour hours', 3600n * SECOND],
  ['d day days', 86_400n * SECOND],
  ['w wk wks week weeks', 604_800n * SECOND],
];

/** The other forms of the format `duration`: `3 days`, `2w`. Undefined when the text is none. */
export function readWordyDuration(text: string): Duration | undefined {
  const parts = /^(-\s?)?(\d{1,18})\s*([A-Za-zµ]+)$/.exec(text);
  const unit = WORDS.find(([words]) => words.split(' ').includes(parts?.[3] ?? '-'))?.[1];
  if (parts === null || unit === undefined) return undefined;
  const nanos = BigInt(parts[2] ?? 0) * unit;
  return nanos > MAX_INT ? undefined : new Duration(parts[1] === undefined ? nanos : -nanos);
}

/** Seconds with a fraction, as JSON has durations: `1.5s`. */
export function formatDurationSeconds(duration: Duration): string {
  const negative = duration.nanos < 0n;
  const nanos = negative ? -duration.nanos : duration.nanos;
  return `${negative ? '-' : ''}${nanos / SECOND}${fraction(nanos % SECOND)}s`;
}

function fraction(nanos: bigint): string {
  return nanos === 0n ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** An RFC 3339 timestamp. Undefined when the text is none or out of range. */
export function readTimestamp(text: string): Timestamp | undefined {
  const parts = TIME.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const valid =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!valid) return undefined;
  const offset = parts[8] === undefined ? 0 : (Number(parts[9]) * 60 + Number(parts[10])) * (parts[8] === '-' ? -1 : 1);
  const digits = (parts[7] ?? '').slice(0, 9).padEnd(9, '0');
  const nanos = BigInt(date.getTime() - offset * 60_000) * 1_000_000n + BigInt(digits);
  return nanos > MAX_TIME || nanos < MIN_TIME ? undefined : new Timestamp(nanos);
}

/** RFC 3339 in UTC with as many digits as needed. */
export function formatTimestamp(timestamp: Timestamp): string {
  const rest = ((timestamp.nanos % SECOND) + SECOND) % SECOND;
  const ms = Number((timestamp.nanos - rest) / 1_000_000n);
  return `${new Date(ms).toISOString().replace(/\.\d+Z$/, '')}${fraction(rest)}Z`;
}

/** The fields of a timestamp in a time zone (`America/New_York`, `-08:00`); a Date whose UTC fields are the local ones. */
export function localTime(timestamp: Timestamp, zone?: string): Date {
  const ms = Math.floor(Number(timestamp.nanos / 1_000_000n));
  const floor = timestamp.nanos % 1_000_000n < 0n ? ms - 1 : ms;
  if (zone === undefined || zone === '' || zone === 'UTC') return new Date(floor);
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    return new Date(floor + (fixed[1] === '-' ? -minutes : minutes) * 60_000);
  }
  return new Date(floor + zoneOffset(floor, zone));
}

function zoneOffset(ms: number, zone: string): number {
  if (zone.includes(':') || /^[+-]/.test(zone)) throw new Failure(`unknown time zone ${zone}`);
  let parts: Intl.DateTimeFormatPart[];
  try {
    const options = { timeZone: zone, hourCycle: 'h23', era: 'short' } as const;
    const fields = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
    parts = new Intl.DateTimeFormat('en-US', { ...options, ...fields, second: '2-digit' }).formatToParts(ms);
  } catch {
    throw new Failure(`unknown time zone ${zone}`);
  }
  const field = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0);
  const local = new Date(0);
  local.setUTCFullYear(field('year'), field('month') - 1, field('day'));
  local.setUTCHours(field('hour'), field('minute'), field('second'));
  return local.getTime() - Math.floor(ms / 1000) * 1000;
}

/** 0 for January 1st. */
export function dayOfYear(date: Date): number {
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return Math.floor((date.getTime() - start.getTime()) / 86_400_000);
}
