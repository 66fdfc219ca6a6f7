import { type Overload, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import { formatDurationSeconds, formatTimestamp, readDuration, readTimestamp, timestampOf } from '../time-values.ts';
import * as types from '../types.ts';
import {
  type Duration,
  Duration as DurationValue,
  ListValue,
  MapValue,
  OptionalValue,
  type Timestamp,
  Timestamp as TimestampValue,
  TypeValue,
  Uint,
  type Value,
} from '../values.ts';
import { intOf, uintOf } from './arithmetic.ts';

/** int(x), string(x), duration(x) and so on. */
export function conversions(): Overload[] {
  return [
    overload('int64_to_int64', 'int(int) int', (value: bigint) => value),
    overload('uint64_to_int64', 'int(uint) int', (value: Uint) => intOf(value.value)),
    overload('double_to_int64', 'int(double) int', doubleToInt),
    overload('string_to_int64', 'int(string) int', stringToInt),
    overload('timestamp_to_int64', 'int(timestamp) int', (value: Timestamp) => floorSeconds(value.nanos)),
    overload('duration_to_int64', 'int(duration) int', (value: Duration) => value.nanos),
    overload('uint64_to_uint64', 'uint(uint) uint', (value: Uint) => value),
    overload('int64_to_uint64', 'uint(int) uint', (value: bigint) => uintOf(value)),
    overload('double_to_uint64', 'uint(double) uint', doubleToUint),
    overload('string_to_uint64', 'uint(string) uint', stringToUint),
    overload('double_to_double', 'double(double) double', (value: number) => value),
    overload('int64_to_double', 'double(int) double', (value: bigint) => Number(value)),
    overload('uint64_to_double', 'double(uint) double', (value: Uint) => Number(value.value)),
    overload('string_to_double', 'double(string) double', stringToDouble),
    overload('bool_to_bool', 'bool(bool) bool', (value: boolean) => value),
    overload('string_to_bool', 'bool(string) bool', stringToBool),
    overload('bytes_to_bytes', 'bytes(bytes) bytes', (value: Uint8Array) => value),
    overload('string_to_bytes', 'bytes(string) bytes', (value: string) => new Uint8Array(Buffer.from(value, 'utf8'))),
    overload('string_to_string', 'string(string) string', (value: string) => value),
    overload('bool_to_string', 'string(bool) string', (value: boolean) => String(value)),
    overload('int64_to_string', 'string(int) string', (value: bigint) => String(value)),
    overload('uint64_to_string', 'string(uint) string', (value: Uint) => String(value.value)),
    overload('double_to_string', 'string(double) string', formatDouble),
    overload('bytes_to_string', 'string(bytes) string', bytesToString),
    overload('timestamp_to_string', 'string(timestamp) string', formatTimestamp),
    overload('duration_to_string', 'string(duration) string', formatDurationSeconds),
    overload('duration_to_duration', 'duration(duration) duration', (value: Duration) => value),
    // It is declared, and that is all.
    overload('int64_to_duration', 'duration(int) duration', (): Duration => {
      throw new Failure("type conversion error from 'int' to 'google.protobuf.Duration'");
    }),
    overload('string_to_duration', 'duration(string) duration', stringToDuration),
    overload('timestamp_to_timestamp', 'timestamp(timestamp) timestamp', (value: Timestamp) => value),
    overload('int64_to_timestamp', 'timestamp(int) timestamp', (value: bigint) => timestampOf(value * 1_000_000_000n)),
    overload('string_to_timestamp', 'timestamp(string) timestamp', stringToTimestamp),
    overload('to_dyn', 'dyn(A) dyn', (value: Value) => value),
    overload('type', 'type(A) type<A>', (value: Value) => new TypeValue(typeOfValue(value))),
  ];
}

function floorSeconds(nanos: bigint): bigint {
  const seconds = nanos / 1_000_000_000n;
  return nanos < 0n && nanos % 1_000_000_000n !== 0n ? seconds - 1n : seconds;
}

function doubleToInt(value: number): bigint {
  // 2^63 and beyond do not fit; -2^63 itself is refused as cel-go does.
  if (!Number.isFinite(value) || value >= 2 ** 63 || value <= -(2 ** 63)) throw new Failure('integer overflow');
  return BigInt(Math.trunc(value));
}

function doubleToUint(value: number): Uint {
  if (!Number.isFinite(value) || value >= 2 ** 64 || value < 0) throw new Failure('unsigned integer overflow');
  return new Uint(BigInt(Math.trunc(value)));
}

function stringToInt(text: string): bigint {
  if (!/^[+-]?\d{1,400}$/.test(text))
    throw new Failure(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  try {
    return intOf(BigInt(text.replace(/^\+/, '')));
  } catch {
    throw new Failure(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  }
}

function stringToUint(text: string): Uint {
  if (!/^\d{1,400}$/.test(text))
    throw new Failure(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  try {
    return uintOf(BigInt(text));
  } catch {
    throw new Failure(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`);
  }
}

function stringToDouble(text: string): number {
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return value;
    throw new Failure(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: value out of range`);
  }
  const special = /^([+-]?)(nan|inf|infinity)$/i.exec(text);
  if (special === null) throw new Failure(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
  return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

function stringToBool(text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw new Failure(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** A double as Go's shortest form prints it. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e21)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    return `${digits}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`;
  }
  return String(value);
}

function bytesToString(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Failure('invalid UTF-8 in bytes, cannot convert to string');
  }
}

function stringToDuration(text: string): DurationValue {
  const duration = readDuration(text);
  if (duration === undefined) throw new Failure(`time: invalid duration ${JSON.stringify(text)}`);
  return duration;
}

function stringToTimestamp(text: string): TimestampValue {
  const timestamp = readTimestamp(text);
  if (timestamp === undefined) throw new Failure(`invalid timestamp ${JSON.stringify(text)}`);
  return timestamp;
}

/** The type that type(x) gives. */
export function typeOfValue(value: Value): types.CelType {
  if (value === null) return types.NULL;
  if (typeof value === 'boolean') return types.BOOL;
  if (typeof value === 'bigint') return types.INT;
  if (typeof value === 'number') return types.DOUBLE;
  if (typeof value === 'string') return types.STRING;
  if (value instanceof Uint) return types.UINT;
  if (value instanceof Uint8Array) return types.BYTES;
  if (value instanceof DurationValue) return types.DURATION;
  if (value instanceof TimestampValue) return types.TIMESTAMP;
  if (value instanceof ListValue) return types.listOf(types.DYN);
  if (value instanceof MapValue) return value.objectType ?? types.mapOf(types.DYN, types.DYN);
  if (value instanceof OptionalValue) return types.optionalOf(types.DYN);
  return value instanceof TypeValue ? types.TYPE : value.type;
}
