import { DecodeError } from '../schema/decode-error.ts';
import { formatTime, parseTime } from '../time.ts';

/** Seconds since 1970 and nanoseconds of a time as JSON has it. */
export function secondsOf(text: string): number {
  // `2006-01-02T15:04:05Z`, as nearly all are.
  if (text.length === 20 && text.charCodeAt(19) === 0x5a) {
    const days = daysFromCivil(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10));
    return days * 86_400 + digits(text, 11, 13) * 3600 + digits(text, 14, 16) * 60 + digits(text, 17, 19);
  }
  return Math.floor(parseTime(text) / 1000);
}

export function nanosOf(text: string): number {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  return Number(fraction.padEnd(9, '0').slice(0, 9));
}

/** What four digits of a year can show. */
const FIRST_SECOND = -62_167_219_200;
const LAST_SECOND = 253_402_300_799;

/** A metav1.Time, or a metav1.MicroTime when `nanos` are given. Throws a DecodeError. */
export function timeText(seconds: number, nanos?: number): string {
  if (!(seconds >= FIRST_SECOND && seconds <= LAST_SECOND)) throw new DecodeError('value', 'time out of range');
  const text = formatTime(seconds * 1000);
  if (nanos === undefined) return text;
  if (!(nanos >= 0 && nanos < 1e9)) throw new DecodeError('value', 'time out of range');
  return `${text.slice(0, -1)}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}

function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 10 + text.charCodeAt(i) - 0x30;
  return value;
}

/** Days since 1970-01-01 in the Gregorian calendar; years begin in March here, so that leap days come last. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
