import { CostExceeded, Failure, noSuchOverload } from './failure.ts';
import type { CelType } from './types.ts';
import {
  Duration,
  HostValue,
  ListValue,
  MapValue,
  mapKey,
  OptionalValue,
  Timestamp,
  TypeValue,
  textLength,
  Uint,
  type Value,
} from './values.ts';

/** The state of one evaluation. */
export interface Frame {
  /** Variables of folds. A Failure in an accumulator is raised by whoever reads it. */
  readonly slots: (Value | Failure)[];
  /** The variables of the activation, read once. */
  readonly variables: (Value | undefined)[];
  readonly read: (index: number) => Value;
  readonly limit: number;
  cost: number;
}

export type Run = (frame: Frame) => Value;

export const NONE = new OptionalValue(undefined);

/** Spends; throws CostExceeded when it was too much. */
export function charge(frame: Frame, cost: number): void {
  frame.cost += cost;
  if (frame.cost > frame.limit) throw new CostExceeded();
}

/** What runtime costs count as the size of a value. */
export function costSize(value: Value): number {
  if (typeof value === 'string') return textLength(value);
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof ListValue || value instanceof MapValue) return value.size;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof OptionalValue) return value.value === undefined ? 1 : costSize(value.value);
  return value instanceof HostValue ? (value.costSize ?? 1) : 1;
}

/** Whether a value can be an argument where a type is declared; elements are not looked at. */
export function matchesType(type: CelType, value: Value): boolean {
  switch (type.kind) {
    case 'int':
      return typeof value === 'bigint';
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'null':
      return value === null;
    case 'uint':
      return value instanceof Uint;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'duration':
      return value instanceof Duration;
    case 'timestamp':
      return value instanceof Timestamp;
    case 'list':
      return value instanceof ListValue;
    case 'map':
      return value instanceof MapValue;
    case 'type':
      return value instanceof TypeValue;
    case 'opaque':
      if (type.name === 'optional_type') return value instanceof OptionalValue;
      return value instanceof HostValue && value.type.name === type.name;
    case 'wrapper':
      return value === null || (type.params[0] !== undefined && matchesType(type.params[0], value));
    default:
      return true;
  }
}

/** The member of a map or the element of a list; undefined when it is not there. */
export function lookUp(container: Value, index: Value): Value | undefined {
  if (container instanceof MapValue) {
    const key = mapKey(index);
    if (key !== undefined) return container.get(key);
    if (typeof index === 'number') return undefined;
    throw new Failure('unsupported key type');
  }
  if (!(container instanceof ListValue)) return noSuchOverload();
  const position = index instanceof Uint ? index.value : index;
  if (typeof position !== 'bigint' && !(typeof position === 'number' && Number.isInteger(position))) {
    throw new Failure(`unsupported index type '${typeName(index)}' in list`);
  }
  // No list is longer than a number is exact.
  if (position < 0 || position >= container.size) return undefined;
  return container.at(Number(position));
}

/** `container[index]` and `container.field`. An optional container gives an optional. */
export function select(container: Value, index: Value): Value {
  if (container instanceof OptionalValue) return selectOptional(container, index);
  const found = lookUp(container, index);
  if (found !== undefined) return found;
  if (container instanceof ListValue) throw new Failure(`index out of bounds: ${showKey(index)}`);
  throw new Failure(`no such key: ${showKey(index)}`);
}

/** `container.?field` and `container[?index]`. */
export function selectOptional(container: Value, index: Value): Value {
  const inner = container instanceof OptionalValue ? container.value : container;
  if (inner === undefined) return NONE;
  const found = lookUp(inner, index);
  if (found === undefined) return NONE;
  return found instanceof OptionalValue ? found : new OptionalValue(found);
}

/** `has(container.field)`. */
export function isPresent(container: Value, field: string): boolean {
  if (container instanceof OptionalValue) return container.value !== undefined && isPresent(container.value, field);
  return container instanceof MapValue ? container.has(field) : noSuchOverload();
}

function showKey(key: Value): string {
  if (key instanceof Uint) return String(key.value);
  return typeof key === 'object' ? typeName(key) : String(key);
}

/** The name of the type of a value, for error texts. */
export function typeName(value: Value): string {
  if (value === null) return 'null_type';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (value instanceof Uint) return 'uint';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof ListValue) return 'list';
  if (value instanceof MapValue) return value.objectType?.name ?? 'map';
  if (value instanceof OptionalValue) return 'optional_type';
  if (value instanceof TypeValue) return 'type';
  return value.type.name;
}
