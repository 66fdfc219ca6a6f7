import { type Overload, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import { durationOf, timestampOf } from '../time-values.ts';
import { type Duration, type ListValue, type Timestamp, Uint, type Value } from '../values.ts';

const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -(2n ** 63n);
const MAX_UINT = 2n ** 64n - 1n;

/** An int in range. Throws a Failure. */
export function intOf(value: bigint): bigint {
  if (value > MAX_INT || value < MIN_INT) throw new Failure('integer overflow');
  return value;
}

/** A uint in range. Throws a Failure. */
export function uintOf(value: bigint): Uint {
  if (value > MAX_UINT || value < 0n) throw new Failure('unsigned integer overflow');
  return new Uint(value);
}

function divisor(value: bigint, what = 'division'): bigint {
  if (value === 0n) throw new Failure(what === 'division' ? 'division by zero' : 'modulus by zero');
  return value;
}

type BigOperation = (a: bigint, b: bigint) => bigint;

function numeric(
  name: string,
  operator: string,
  big: BigOperation,
  double?: (a: number, b: number) => number,
): Overload[] {
  const made = [
    overload(`${name}_int64`, `${operator}(int, int) int`, (a: bigint, b: bigint) => intOf(big(a, b))),
    overload(`${name}_uint64`, `${operator}(uint, uint) uint`, (a: Uint, b: Uint) => uintOf(big(a.value, b.value))),
  ];
  if (double !== undefined) made.push(overload(`${name}_double`, `${operator}(double, double) double`, double));
  return made;
}

/** + - * / % and the unary minus, with overflow as an error. */
export function arithmetic(): Overload[] {
  return [
    ...numeric(
      'add',
      '_+_',
      (a, b) => a + b,
      (a, b) => a + b,
    ),
    ...numeric(
      'subtract',
      '_-_',
      (a, b) => a - b,
      (a, b) => a - b,
    ),
    ...numeric(
      'multiply',
      '_*_',
      (a, b) => a * b,
      (a, b) => a * b,
    ),
    ...numeric(
      'divide',
      '_/_',
      (a, b) => a / divisor(b),
      (a, b) => a / b,
    ),
    ...numeric('modulo', '_%_', (a, b) => a % divisor(b, 'modulus')),
    overload('negate_int64', '-_(int) int', (a: bigint) => intOf(-a)),
    overload('negate_double', '-_(double) double', (a: number) => -a),
    overload('add_string', '_+_(string, string) string', (a: string, b: string) => a + b),
    overload(
      'add_bytes',
      '_+_(bytes, bytes) bytes',
      (a: Uint8Array, b: Uint8Array) => new Uint8Array(Buffer.concat([a, b])),
    ),
    overload('add_list', '_+_(list<A>, list<A>) list<A>', (a: ListValue, b: ListValue): Value => a.plus(b)),
    overload('add_duration_duration', '_+_(duration, duration) duration', (a: Duration, b: Duration) =>
      durationOf(a.nanos + b.nanos),
    ),
    overload('add_duration_timestamp', '_+_(duration, timestamp) timestamp', (a: Duration, b: Timestamp) =>
      timestampOf(a.nanos + b.nanos),
    ),
    overload('add_timestamp_duration', '_+_(timestamp, duration) timestamp', (a: Timestamp, b: Duration) =>
      timestampOf(a.nanos + b.nanos),
    ),
    overload('subtract_duration_duration', '_-_(duration, duration) duration', (a: Duration, b: Duration) =>
      durationOf(a.nanos - b.nanos),
    ),
    overload('subtract_timestamp_duration', '_-_(timestamp, duration) timestamp', (a: Timestamp, b: Duration) =>
      timestampOf(a.nanos - b.nanos),
    ),
    overload('subtract_timestamp_timestamp', '_-_(timestamp, timestamp) duration', (a: Timestamp, b: Timestamp) =>
      durationOf(a.nanos - b.nanos),
    ),
  ];
}
