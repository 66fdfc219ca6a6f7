import { type Implementation, type Library, type Overload, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import { STANDARD_MACROS } from '../macros.ts';
import type { RegexEngine } from '../regex.ts';
import { lookUp, select } from '../runtime.ts';
import { dayOfYear, localTime } from '../time-values.ts';
import * as types from '../types.ts';
import {
  compareValues,
  type Duration,
  equalValues,
  type ListValue,
  type MapValue,
  mapKey,
  type Timestamp,
  TypeValue,
  textLength,
  type Value,
} from '../values.ts';
import { arithmetic } from './arithmetic.ts';
import { conversions } from './conversions.ts';

/** What every expression can use: operators, conversions, sizes, strings, times. */
export function standardLibrary(regex: RegexEngine): Library {
  return {
    name: 'standard',
    macros: STANDARD_MACROS,
    constants: typeNames(),
    overloads: [
      ...logic(),
      ...arithmetic(),
      ...comparisons(),
      ...containers(),
      ...strings(regex),
      ...times(),
      ...conversions(),
    ],
  };
}

const unreachable: Implementation = () => {
  throw new Failure('no such overload');
};

/** Compiled specially; declared for the checker. */
function logic(): Overload[] {
  return [
    overload('logical_and', '_&&_(bool, bool) bool', unreachable),
    overload('logical_or', '_||_(bool, bool) bool', unreachable),
    overload('conditional', '_?_:_(bool, A, A) A', unreachable),
    overload('not_strictly_false', '@not_strictly_false(bool) bool', unreachable),
    overload('logical_not', '!_(bool) bool', (value: boolean) => !value),
    overload('equals', '_==_(A, A) bool', (a: Value, b: Value) => equalValues(a, b)),
    overload('not_equals', '_!=_(A, A) bool', (a: Value, b: Value) => !equalValues(a, b)),
  ];
}

const ORDERED = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration'];
const NUMBERS = ['int', 'uint', 'double'];

function comparisons(): Overload[] {
  const operators = [
    ['less', '_<_', (order: number) => order < 0],
    ['less_equals', '_<=_', (order: number) => order <= 0],
    ['greater', '_>_', (order: number) => order > 0],
    ['greater_equals', '_>=_', (order: number) => order >= 0],
  ] as const;
  return operators.flatMap(([name, fn, holds]) => {
    const invoke = (a: Value, b: Value): boolean => {
      const order = compareValues(a, b);
      return order !== undefined && holds(order);
    };
    const same = ORDERED.map((type) => overload(`${name}_${suffix(type)}`, `${fn}(${type}, ${type}) bool`, invoke));
    const mixed = NUMBERS.flatMap((left) =>
      NUMBERS.filter((right) => right !== left).map((right) =>
        overload(`${name}_${suffix(left)}_${suffix(right)}`, `${fn}(${left}, ${right}) bool`, invoke),
      ),
    );
    return [...same, ...mixed];
  });
}

function suffix(type: string): string {
  return type === 'int' ? 'int64' : type === 'uint' ? 'uint64' : type;
}

function containers(): Overload[] {
  const length = (value: ListValue | MapValue): bigint => BigInt(value.size);
  return [
    overload('index_list', '_[_](list<A>, int) A', select),
    overload('index_map', '_[_](map<A, B>, A) B', select),
    overload('optional_list_index_value', '_[?_](optional<list<A>>, int) optional<A>', lookUp as Implementation),
    overload('list_optindex_optional_int', '_[?_](list<A>, int) optional<A>', lookUp as Implementation),
    overload('map_optindex_optional_value', '_[?_](map<A, B>, A) optional<B>', lookUp as Implementation),
    overload(
      'optional_map_optindex_optional_value',
      '_[?_](optional<map<A, B>>, A) optional<B>',
      lookUp as Implementation,
    ),
    overload('optional_list_index_int', '_[_](optional<list<A>>, int) optional<A>', select),
    overload('optional_map_index_value', '_[_](optional<map<A, B>>, A) optional<B>', select),
    overload('in_list', '@in(A, list<A>) bool', isElement),
    overload('in_map', '@in(A, map<A, B>) bool', isKey),
    overload('size_list', 'size(list<A>) int', length),
    overload('list_size', 'list<A>#size() int', length),
    overload('size_map', 'size(map<A, B>) int', length),
    overload('map_size', 'map<A, B>#size() int', length),
  ];
}

function isElement(value: Value, list: ListValue): boolean {
  for (const element of list) if (equalValues(value, element)) return true;
  return false;
}

function isKey(value: Value, map: MapValue): boolean {
  const key = mapKey(value);
  return key !== undefined && map.has(key);
}

function strings(regex: RegexEngine): Overload[] {
  const length = (text: string): bigint => BigInt(textLength(text));
  const bytes = (value: Uint8Array): bigint => BigInt(value.length);
  const matches = (text: string, pattern: string): boolean => regex.compile(pattern).test(text);
  return [
    overload('size_string', 'size(string) int', length),
    overload('string_size', 'string#size() int', length),
    overload('size_bytes', 'size(bytes) int', bytes),
    overload('bytes_size', 'bytes#size() int', bytes),
    overload('contains_string', 'string#contains(string) bool', (text: string, part: string) => text.includes(part)),
    overload('starts_with_string', 'string#startsWith(string) bool', (text: string, part: string) =>
      text.startsWith(part),
    ),
    overload('ends_with_string', 'string#endsWith(string) bool', (text: string, part: string) => text.endsWith(part)),
    overload('matches_string', 'string#matches(string) bool', matches),
    overload('matches', 'matches(string, string) bool', matches),
  ];
}

const DATE_FIELDS: readonly (readonly [fn: string, id: string, read: (date: Date) => number])[] = [
  ['getFullYear', 'year', (date) => date.getUTCFullYear()],
  ['getMonth', 'month', (date) => date.getUTCMonth()],
  ['getDayOfYear', 'day_of_year', dayOfYear],
  ['getDayOfMonth', 'day_of_month', (date) => date.getUTCDate() - 1],
  ['getDate', 'day_of_month_1_based', (date) => date.getUTCDate()],
  ['getDayOfWeek', 'day_of_week', (date) => date.getUTCDay()],
  ['getHours', 'hours', (date) => date.getUTCHours()],
  ['getMinutes', 'minutes', (date) => date.getUTCMinutes()],
  ['getSeconds', 'seconds', (date) => date.getUTCSeconds()],
  ['getMilliseconds', 'milliseconds', (date) => date.getUTCMilliseconds()],
];

const DURATION_FIELDS: readonly (readonly [fn: string, id: string, read: (nanos: bigint) => bigint])[] = [
  ['getHours', 'hours', (nanos) => nanos / 3_600_000_000_000n],
  ['getMinutes', 'minutes', (nanos) => nanos / 60_000_000_000n],
  ['getSeconds', 'seconds', (nanos) => nanos / 1_000_000_000n],
  ['getMilliseconds', 'milliseconds', (nanos) => (nanos / 1_000_000n) % 1000n],
];

function times(): Overload[] {
  return [
    ...DATE_FIELDS.flatMap(([fn, id, read]) => [
      overload(`timestamp_to_${id}`, `timestamp#${fn}() int`, (at: Timestamp) => BigInt(read(localTime(at)))),
      overload(`timestamp_to_${id}_with_tz`, `timestamp#${fn}(string) int`, (at: Timestamp, zone: string) =>
        BigInt(read(localTime(at, zone))),
      ),
    ]),
    ...DURATION_FIELDS.map(([fn, id, read]) =>
      overload(`duration_to_${id}`, `duration#${fn}() int`, (duration: Duration) => read(duration.nanos)),
    ),
  ];
}

/** `int`, `list` and so on, as values of type(x). */
function typeNames(): Library['constants'] {
  const named = [types.BOOL, types.INT, types.UINT, types.DOUBLE, types.STRING, types.BYTES, types.NULL, types.TYPE];
  const containers = [types.listOf(types.DYN), types.mapOf(types.DYN, types.DYN), types.DURATION, types.TIMESTAMP];
  const entries = [...named, ...containers].map(
    (type) => [type.name, { type: types.typeOf(type), value: new TypeValue(type) }] as const,
  );
  return new Map(entries);
}
