import { Failure } from '../failure.ts';
import { typeName } from '../runtime.ts';
import { formatDurationSeconds, formatTimestamp } from '../time-values.ts';
import { Duration, ListValue, MapValue, mapKey, Timestamp, TypeValue, Uint, type Value } from '../values.ts';
import { formatDouble } from './conversions.ts';

/** `string.format(list)`: %s %d %f %e %b %o %x %X and %%, with a precision for %f and %e. Throws a Failure. */
export function formatText(format: string, args: ListValue): string {
  let next = 0;
  let text = '';
  let at = 0;
  while (at < format.length) {
    const percent = format.indexOf('%', at);
    if (percent < 0) return text + format.slice(at);
    text += format.slice(at, percent);
    if (format[percent + 1] === '%') {
      text += '%';
      at = percent + 2;
      continue;
    }
    const clause = /^%(?:\.(\d+))?(.)/su.exec(format.slice(percent));
    if (clause === null) throw new Failure('unexpected end of string');
    if (next >= args.size) throw new Failure(`index ${next} out of range`);
    text += formatClause(clause[2] ?? '', clause[1] === undefined ? undefined : Number(clause[1]), args.at(next++));
    at = percent + clause[0].length;
  }
  return text;
}

function formatClause(verb: string, precision: number | undefined, value: Value): string {
  switch (verb) {
    case 's':
      return showValue(value);
    case 'd':
      return formatDecimal(value);
    case 'f':
      return formatFixed(value, precision ?? 6);
    case 'e':
      return formatScientific(value, precision ?? 6);
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0';
      return radix(value, 2, 'b');
    case 'o':
      return radix(value, 8, 'o');
    case 'x':
      return hex(value);
    case 'X':
      return hex(value).toUpperCase();
    default:
      throw new Failure(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
}

function wrong(verb: string, value: Value, allowed: string): never {
  throw new Failure(
    `error during formatting: ${verb} clause can only be used on ${allowed}, was given ${typeName(value)}`,
  );
}

function integer(value: Value): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return value instanceof Uint ? value.value : undefined;
}

function formatDecimal(value: Value): string {
  const whole = integer(value);
  if (whole !== undefined) return String(whole);
  if (typeof value !== 'number') return wrong('decimal', value, 'integers');
  return formatSpecial(value) ?? formatDouble(value);
}

function radix(value: Value, base: number, verb: string): string {
  return (integer(value) ?? wrong(verb === 'b' ? 'binary' : 'octal', value, 'integers')).toString(base);
}

function hex(value: Value): string {
  if (typeof value === 'string') return Buffer.from(value, 'utf8').toString('hex');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return (integer(value) ?? wrong('hex', value, 'integers, byte buffers, and strings')).toString(16);
}

function number(value: Value, verb: string): number {
  const whole = integer(value);
  if (whole !== undefined) return Number(whole);
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  return typeof value === 'number' ? value : wrong(verb, value, 'doubles');
}

function formatSpecial(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? 'Infinity' : '-Infinity';
}

function formatFixed(value: Value, precision: number): string {
  const double = number(value, 'fixed-point');
  const special = formatSpecial(double);
  if (special !== undefined) return special;
  return roundEven(double, Math.min(precision, 100));
}

/** toFixed, but exact halves go to the even neighbour as in Go; also beyond 1e21. */
function roundEven(value: number, precision: number): string {
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}${precision > 0 ? `.${'0'.repeat(precision)}` : ''}`;
  const fixed = value.toFixed(precision);
  const exact = value.toFixed(Math.min(100, precision + 30));
  const tail = exact.slice(fixed.length + (precision === 0 ? 1 : 0));
  if (!/^50*$/.test(tail)) return fixed;
  const down = exact.slice(0, precision === 0 ? exact.indexOf('.') : exact.indexOf('.') + 1 + precision);
  return /[02468]$/.test(down) ? down : fixed;
}

function formatScientific(value: Value, precision: number): string {
  const double = number(value, 'scientific');
  const special = formatSpecial(double);
  if (special !== undefined) return special;
  const [digits = '', exponent = '+0'] = double.toExponential(Math.min(precision, 100)).split('e');
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

function showValue(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return formatSpecial(value) ?? formatDouble(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (value instanceof Duration) return formatDurationSeconds(value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof TypeValue) return value.type.name;
  if (value instanceof ListValue) return `[${[...value].map(showValue).join(', ')}]`;
  if (value instanceof MapValue) {
    const entries = [...value.keys()].map(
      (key) => [showValue(key), showValue(value.get(mapKey(key) ?? '') ?? null)] as const,
    );
    return `{${entries
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, shown]) => `${key}: ${shown}`)
      .join(', ')}}`;
  }
  throw new Failure(
    `error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${typeName(value)}`,
  );
}
