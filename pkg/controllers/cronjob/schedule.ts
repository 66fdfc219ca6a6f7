import { TimeZone } from './time-zone.ts';

/** When a CronJob runs. */
export interface Schedule {
  /** The first time after `ms`, both in milliseconds since 1970; undefined: never again. */
  next(ms: number): number | undefined;
}

/** A schedule or time zone that cannot be understood. */
export class ScheduleError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ScheduleError';
  }
}

interface Field {
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const MONTHS = ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTE: Field = { min: 0, max: 59, names: [] };
const HOUR: Field = { min: 0, max: 23, names: [] };
const DAY: Field = { min: 1, max: 31, names: [] };
const MONTH: Field = { min: 1, max: 12, names: MONTHS };
const WEEKDAY: Field = { min: 0, max: 6, names: DAYS };

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
/** How far ahead a time is looked for. */
const YEARS_AHEAD = 5;
const DAY_MS = 86_400_000;

/**
 * Reads a schedule as robfig/cron's standard parser does: five fields, macros, `@every 90s`, and a leading `TZ=` or
 * `CRON_TZ=`. `timeZone` is where wall clock times are meant (UTC when absent). Throws ScheduleError.
 */
export function parseSchedule(text: string, timeZone = 'UTC'): Schedule {
  const prefixed = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/s.exec(text);
  const expression = prefixed?.[2]?.trim() ?? text;
  const zone = openZone(prefixed?.[1] ?? timeZone);
  if (expression.startsWith('@every ')) return everySchedule(expression.slice('@every '.length));
  const fields = (MACROS[expression] ?? expression).split(/\s+/).filter((part) => part !== '');
  if (expression.startsWith('@') && MACROS[expression] === undefined) {
    throw new ScheduleError(`unrecognized descriptor: ${expression}`);
  }
  const [minutes = '', hours = '', days = '', months = '', weekdays = ''] = fields;
  if (fields.length !== 5) {
    throw new ScheduleError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  }
  return new CronSchedule(
    {
      minutes: parseField(minutes, MINUTE).values,
      hours: parseField(hours, HOUR).values,
      days: parseField(days, DAY),
      months: parseField(months, MONTH).values,
      weekdays: parseField(weekdays, WEEKDAY),
    },
    zone,
  );
}

function openZone(name: string): TimeZone {
  try {
    return new TimeZone(name);
  } catch (cause) {
    throw new ScheduleError(`unknown time zone ${name}`, { cause });
  }
}

/** Whole seconds, at least one. */
function everySchedule(duration: string): Schedule {
  const everyMs = Math.max(1000, Math.floor(durationMs(duration) / 1000) * 1000);
  return { next: (ms) => Math.floor((ms + everyMs) / 1000) * 1000 };
}

function durationMs(text: string): number {
  const pattern = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
  let total = 0;
  const start = /^[+-]/.test(text) ? 1 : 0;
  pattern.lastIndex = start;
  for (let at = start; at < text.length; at = pattern.lastIndex) {
    const match = pattern.exec(text);
    if (match === null) throw new ScheduleError(`failed to parse duration @every ${text}`);
    total += Number(match[1]) * (UNITS_MS[match[2] ?? ''] ?? 0);
  }
  if (text.length === start) throw new ScheduleError(`failed to parse duration @every ${text}`);
  return text.startsWith('-') ? -total : total;
}

interface Values {
  readonly values: ReadonlySet<number>;
  /** The field says `*` or `?`: it does not restrict. */
  readonly isAny: boolean;
}

function parseField(text: string, field: Field): Values {
  const values = new Set<number>();
  let isAny = false;
  for (const part of text.split(',').filter((item) => item !== '')) {
    const { start, end, step, any } = parseRange(part, field);
    isAny ||= any;
    for (let value = start; value <= end; value += step) values.add(value);
  }
  return { values, isAny };
}

function parseRange(text: string, field: Field) {
  const [range = '', stepText, ...more] = text.split('/');
  const [low = '', high, ...rest] = range.split('-');
  if (more.length > 0) throw new ScheduleError(`too many slashes: ${text}`);
  if (rest.length > 0) throw new ScheduleError(`too many hyphens: ${text}`);
  let start = field.min;
  let end = field.max;
  const isWild = low === '*' || low === '?';
  if (!isWild) {
    start = parseNumber(low, field);
    // `5/15`: from 5 to the end.
    end = high === undefined ? (stepText === undefined ? start : field.max) : parseNumber(high, field);
  }
  const step = stepText === undefined ? 1 : parseNumber(stepText, { ...field, names: [] });
  if (step === 0) throw new ScheduleError(`step of range should be a positive number: ${text}`);
  if (start < field.min) {
    throw new ScheduleError(`beginning of range (${start}) below minimum (${field.min}): ${text}`);
  }
  if (end > field.max) throw new ScheduleError(`end of range (${end}) above maximum (${field.max}): ${text}`);
  if (start > end) throw new ScheduleError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  return { start, end, step, any: isWild && step === 1 };
}

function parseNumber(text: string, { names }: Field): number {
  const named = text === '' ? -1 : names.indexOf(text.toLowerCase());
  if (named >= 0) return named;
  if (!/^\d{1,9}$/.test(text)) throw new ScheduleError(`failed to parse int from ${text}`);
  return Number(text);
}

interface CronFields {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: Values;
  readonly months: ReadonlySet<number>;
  readonly weekdays: Values;
}

class CronSchedule implements Schedule {
  readonly #fields: CronFields;
  readonly #zone: TimeZone;
  readonly #hours: readonly number[];
  readonly #minutes: readonly number[];

  constructor(fields: CronFields, zone: TimeZone) {
    this.#fields = fields;
    this.#zone = zone;
    this.#hours = [...fields.hours].sort((a, b) => a - b);
    this.#minutes = [...fields.minutes].sort((a, b) => a - b);
  }

  next(ms: number): number | undefined {
    const from = this.#zone.wallTime(ms);
    const date = new Date(Date.UTC(from.year, from.month - 1, from.day));
    const lastYear = from.year + YEARS_AHEAD;
    while (date.getUTCFullYear() <= lastYear) {
      if (!this.#fields.months.has(date.getUTCMonth() + 1)) {
        date.setUTCMonth(date.getUTCMonth() + 1, 1);
        continue;
      }
      const found = this.#matchesDay(date) ? this.#nextOnDay(date, ms) : undefined;
      if (found !== undefined) return found;
      date.setUTCDate(date.getUTCDate() + 1);
    }
    return undefined;
  }

  /** Both day fields restricted: either suffices. */
  #matchesDay(date: Date): boolean {
    const { days, weekdays } = this.#fields;
    const byDay = days.values.has(date.getUTCDate());
    const byWeekday = weekdays.values.has(date.getUTCDay());
    return days.isAny || weekdays.isAny ? byDay && byWeekday : byDay || byWeekday;
  }

  /** Times that a clock change skips do not happen; times that come twice happen twice. */
  #nextOnDay(date: Date, afterMs: number): number | undefined {
    const wallMs = date.getTime();
    const offsets = [this.#zone.offsetMs(wallMs - DAY_MS), this.#zone.offsetMs(wallMs + 2 * DAY_MS)] as const;
    if (offsets[0] === offsets[1]) return this.#firstAfter(wallMs - offsets[0], afterMs);
    let best: number | undefined;
    for (const offset of offsets) {
      for (const ms of this.#times(wallMs - offset)) {
        if (ms <= afterMs || (best !== undefined && ms >= best) || this.#zone.offsetMs(ms) !== offset) continue;
        best = ms;
      }
    }
    return best;
  }

  #firstAfter(midnightMs: number, afterMs: number): number | undefined {
    for (const ms of this.#times(midnightMs)) if (ms > afterMs) return ms;
    return undefined;
  }

  *#times(midnightMs: number): Iterable<number> {
    for (const hour of this.#hours) {
      for (const minute of this.#minutes) yield midnightMs + (hour * 60 + minute) * 60_000;
    }
  }
}
