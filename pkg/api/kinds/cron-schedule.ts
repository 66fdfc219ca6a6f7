/** Checks of cron expressions with the texts of the parser that Kubernetes uses. */

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const bounds: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ['', ...months] },
  { min: 0, max: 6, names: days },
];
const macros = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);

/** What is wrong with a schedule, or undefined. It may begin with a time zone: `TZ=UTC 0 * * * *`. */
export function cronScheduleError(text: string): string | undefined {
  if (text === '') return 'empty spec string';
  const zone = /^(?:CRON_)?TZ=(\S*)\s*/.exec(text);
  if (zone !== null && !isTimeZone(zone[1] ?? '')) {
    return `provided bad location ${zone[1]}: unknown time zone ${zone[1]}`;
  }
  const schedule = text.slice(zone?.[0].length ?? 0).trim();
  if (schedule.startsWith('@')) return macroError(schedule);
  const fields = schedule.split(/\s+/).filter((part) => part !== '');
  if (fields.length !== 5) {
    return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  }
  for (let i = 0; i < fields.length; i++) {
    const limits = bounds[i];
    for (const part of (fields[i] ?? '').split(',')) {
      const error = limits ? rangeError(part, limits) : undefined;
      if (error !== undefined) return error;
    }
  }
  return undefined;
}

function macroError(schedule: string): string | undefined {
  if (macros.has(schedule)) return undefined;
  if (schedule.startsWith('@every ')) {
    const duration = schedule.slice('@every '.length);
    if (/^-?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$/.test(duration)) {
      return undefined;
    }
    return `failed to parse duration ${schedule}: time: invalid duration "${duration}"`;
  }
  return `unrecognized descriptor: ${schedule}`;
}

function rangeError(expression: string, limits: Bounds): string | undefined {
  const [range = '', step, ...rest] = expression.split('/');
  const ends = range.split('-');
  if (rest.length > 0) return `too many slashes: ${expression}`;
  let start = limits.min;
  let end = limits.max;
  if (ends[0] !== '*' && ends[0] !== '?') {
    if (ends.length > 2) return `too many hyphens: ${expression}`;
    const first = parse(ends[0] ?? '', limits);
    if (typeof first === 'string') return first;
    start = first;
    end = step === undefined ? first : limits.max;
    if (ends.length === 2) {
      const last = parse(ends[1] ?? '', limits);
      if (typeof last === 'string') return last;
      end = last;
    }
  }
  if (step !== undefined) {
    const size = parse(step, { min: 0, max: limits.max });
    if (typeof size === 'string') return size;
    if (size === 0) return `step of range should be a positive number: ${expression}`;
  }
  if (start < limits.min) return `beginning of range (${start}) below minimum (${limits.min}): ${expression}`;
  if (end > limits.max) return `end of range (${end}) above maximum (${limits.max}): ${expression}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${expression}`;
  return undefined;
}

function parse(text: string, limits: Bounds): number | string {
  const named = limits.names?.indexOf(text.toLowerCase()) ?? -1;
  if (text !== '' && named >= 0) return named;
  if (/^\d+$/.test(text)) return Number(text);
  if (/^-\d+$/.test(text)) return `negative number (${text}) not allowed: ${text}`;
  return `failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`;
}

/** Whether the name is one of the IANA time zone database; Intl takes names in any case, files do not. */
export function isTimeZone(name: string): boolean {
  if (/^[+-]/.test(name)) return false;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    if (timeZone.toLowerCase() === name.toLowerCase()) return timeZone === name;
    return name.split('/').every((part) => /^[A-Z]/.test(part));
  } catch {
    return false;
  }
}
