import { type Library, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import { OPTIONAL_MACROS } from '../macros.ts';
import { NONE } from '../runtime.ts';
import * as types from '../types.ts';
import {
  ArrayList,
  Duration,
  ListValue,
  MapValue,
  OptionalValue,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from '../values.ts';

/** Optional values; `.?` and `[?]` are part of the grammar. */
export function optionalLibrary(): Library {
  return {
    name: 'optional',
    macros: OPTIONAL_MACROS,
    constants: new Map([
      [
        'optional_type',
        { type: types.typeOf(types.optionalOf(types.DYN)), value: new TypeValue(types.optionalOf(types.DYN)) },
      ],
    ]),
    overloads: [
      overload('optional_of', 'optional.of(V) optional<V>', (value: Value) => new OptionalValue(value)),
      overload('optional_none', 'optional.none() optional<V>', () => NONE),
      overload('optional_ofNonZeroValue', 'optional.ofNonZeroValue(V) optional<V>', (value: Value) =>
        isZero(value) ? NONE : new OptionalValue(value),
      ),
      overload('optional_value', 'optional<V>#value() V', (optional: OptionalValue) => {
        if (optional.value === undefined) throw new Failure('optional.none() dereference');
        return optional.value;
      }),
      overload(
        'optional_hasValue',
        'optional<V>#hasValue() bool',
        (optional: OptionalValue) => optional.value !== undefined,
      ),
      overload(
        'optional_or_optional',
        'optional<V>#or(optional<V>) optional<V>',
        (a: OptionalValue, b: OptionalValue) => (a.value === undefined ? b : a),
      ),
      overload('optional_orValue_value', 'optional<V>#orValue(V) V', (a: OptionalValue, b: Value) =>
        a.value === undefined ? b : a.value,
      ),
      overload('optional_unwrap', 'optional.unwrap(list<optional<V>>) list<V>', unwrap),
      overload('optional_unwrapOpt', 'list<optional<V>>#unwrapOpt() list<V>', unwrap),
    ],
  };
}

function unwrap(list: ListValue): Value {
  const values: Value[] = [];
  for (const item of list) {
    if (!(item instanceof OptionalValue)) throw new Failure('no such overload');
    if (item.value !== undefined) values.push(item.value);
  }
  return new ArrayList(values);
}

function isZero(value: Value): boolean {
  if (value === null || value === false || value === '' || value === 0 || value === 0n) return true;
  if (value instanceof ListValue || value instanceof MapValue) return value.size === 0;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration || value instanceof Timestamp) return value.nanos === 0n;
  return value instanceof OptionalValue && value.value === undefined;
}
