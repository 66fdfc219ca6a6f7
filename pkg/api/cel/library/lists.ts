import { type Library, type Overload, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import { durationOf } from '../time-values.ts';
import { compareValues, Duration, equalValues, type ListValue, Uint, type Value } from '../values.ts';
import { intOf, uintOf } from './arithmetic.ts';

const COMPARABLE = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];
const ZEROS: Readonly<Record<string, Value>> = { int: 0n, uint: new Uint(0n), double: 0, duration: new Duration(0n) };

/** Kubernetes' functions of lists: isSorted, sum, min, max, indexOf, lastIndexOf. */
export function kubernetesListsLibrary(): Library {
  const compared = COMPARABLE.flatMap((type): Overload[] => [
    overload(`list_${type}_is_sorted_bool`, `list<${type}>#isSorted() bool`, isSorted),
    overload(`list_${type}_max_${type}`, `list<${type}>#max() ${type}`, (list: ListValue) => extreme(list, 'max', 1)),
    overload(`list_${type}_min_${type}`, `list<${type}>#min() ${type}`, (list: ListValue) => extreme(list, 'min', -1)),
  ]);
  const summed = Object.entries(ZEROS).map(([type, zero]) =>
    overload(`list_${type}_sum_${type}`, `list<${type}>#sum() ${type}`, (list: ListValue) => sum(list, zero)),
  );
  return {
    name: 'kubernetes.lists',
    overloads: [
      ...compared,
      ...summed,
      overload('list_a_index_of_int', 'list<A>#indexOf(A) int', (list: ListValue, value: Value) =>
        BigInt([...list].findIndex((element) => equalValues(element, value))),
      ),
      overload('list_a_last_index_of_int', 'list<A>#lastIndexOf(A) int', (list: ListValue, value: Value) =>
        BigInt([...list].findLastIndex((element) => equalValues(element, value))),
      ),
    ],
  };
}

function isSorted(list: ListValue): boolean {
  for (let i = 1; i < list.size; i++) if ((compareValues(list.at(i - 1), list.at(i)) ?? 0) > 0) return false;
  return true;
}

function extreme(list: ListValue, name: string, sign: 1 | -1): Value {
  if (list.size === 0) throw new Failure(`${name} called on empty list`);
  let best = list.at(0);
  for (const value of list) if ((compareValues(value, best) ?? 0) * sign > 0) best = value;
  return best;
}

function sum(list: ListValue, zero: Value): Value {
  let total = zero;
  for (const value of list) total = plus(total, value);
  return total;
}

function plus(a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return intOf(a + b);
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a instanceof Uint && b instanceof Uint) return uintOf(a.value + b.value);
  if (a instanceof Duration && b instanceof Duration) return durationOf(a.nanos + b.nanos);
  throw new Failure('no such overload');
}
