/** A timestamp that does not read; the message is Go's. */
export class TimeError extends Error {
  override readonly name = 'TimeError';
}

const SECONDS_LAYOUT = '2006-01-02T15:04:05Z07:00';
const MICRO_LAYOUT = '2006-01-02T15:04:05.000000Z07:00';
const CANONICAL = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

/** metav1.Time as the server writes it: UTC, whole seconds. Throws a TimeError. */
export function normalizeTime(text: string): string {
  if (CANONICAL.test(text)) return text;
  const { ms } = parse(text, SECONDS_LAYOUT);
  return formatTime(Math.floor(ms / 1000) * 1000);
}

/** metav1.MicroTime as the server writes it: UTC, microseconds. Throws a TimeError. */
export function normalizeMicroTime(text: string): string {
  const { ms, fraction } = parse(text, MICRO_LAYOUT);
  return `${formatTime(Math.floor(ms / 1000) * 1000).slice(0, -1)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
}

/** `2006-01-02T15:04:05Z` of milliseconds since 1970. */
export function formatTime(ms: number): string {
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  // toISOString goes through printf: several times the cost, and every write formats two times.
  if (!(year >= 1000 && year <= 9999)) return `${date.toISOString().slice(0, 19)}Z`;
  const day = `${year}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return `${day}T${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}Z`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** `2006-01-02T15:04:05.000000Z` of milliseconds since 1970. */
export function formatMicroTime(ms: number): string {
  const iso = new Date(ms).toISOString();
  const micros = Math.floor((ms - Math.floor(ms)) * 1000);
  return `${iso.slice(0, 23)}${String(micros).padStart(3, '0')}Z`;
}

/** Milliseconds since 1970 of an RFC 3339 timestamp. Throws a TimeError. */
export function parseTime(text: string): number {
  return parse(text, SECONDS_LAYOUT).ms;
}

const PIECES: readonly (readonly [element: string, pattern: RegExp])[] = [
  ['2006', /\d{4}/y],
  ['-', /-/y],
  ['01', /\d\d/y],
  ['-', /-/y],
  ['02', /\d\d/y],
  ['T', /T/y],
  ['15', /\d\d/y],
  [':', /:/y],
  ['04', /\d\d/y],
  [':', /:/y],
  ['05', /\d\d/y],
];

function parse(text: string, layout: string): { ms: number; fraction: string } {
  const fail = (at: number, element: string): never => {
    throw new TimeError(`parsing time "${text}" as "${layout}": cannot parse "${text.slice(at)}" as "${element}"`);
  };
  const numbers: number[] = [];
  let at = 0;
  for (const [element, pattern] of PIECES) {
    pattern.lastIndex = at;
    const piece = pattern.exec(text)?.[0] ?? fail(at, element);
    if (piece.length > 1) numbers.push(Number(piece));
    at += piece.length;
  }
  let fraction = '';
  const micro = layout === MICRO_LAYOUT;
  const digits = /^[.,](\d+)/.exec(text.slice(at));
  if (digits !== null) {
    fraction = digits[1] ?? '';
    if (micro && fraction.length !== 6) fail(at, '.000000');
    at += digits[0].length;
  } else if (micro) {
    fail(at, '.000000');
  }
  const zone = /^(?:Z|([+-])(\d\d):(\d\d))/.exec(text.slice(at));
  if (zone === null) return fail(at, 'Z07:00');
  if (at + zone[0].length < text.length) {
    throw new TimeError(`parsing time "${text}": extra text: "${text.slice(at + zone[0].length)}"`);
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = numbers;
  const range = (what: string): never => {
    throw new TimeError(`parsing time "${text}": ${what} out of range`);
  };
  if (month < 1 || month > 12) range('month');
  if (hour > 23) range('hour');
  if (minute > 59) range('minute');
  if (second > 59) range('second');
  if (day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()) range('day');
  const offsetMinutes =
    zone[1] === undefined ? 0 : (Number(zone[2]) * 60 + Number(zone[3])) * (zone[1] === '-' ? -1 : 1);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute - offsetMinutes, second, Number(fraction.slice(0, 3).padEnd(3, '0')));
  return { ms: date.getTime(), fraction };
}
