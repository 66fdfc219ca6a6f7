import { type Library, overload } from '../declarations.ts';
import { equalValues, type ListValue, type Value } from '../values.ts';

/** Lists as sets: contains, equivalent, intersects. */
export function setsLibrary(): Library {
  return {
    name: 'sets',
    overloads: [
      overload('list_sets_contains_list', 'sets.contains(list<T>, list<T>) bool', contains),
      overload(
        'list_sets_equivalent_list',
        'sets.equivalent(list<T>, list<T>) bool',
        (a: ListValue, b: ListValue) => contains(a, b) && contains(b, a),
      ),
      overload('list_sets_intersects_list', 'sets.intersects(list<T>, list<T>) bool', (a: ListValue, b: ListValue) =>
        [...a].some((value) => includes(b, value)),
      ),
    ],
  };
}

function includes(list: ListValue, value: Value): boolean {
  for (const element of list) if (equalValues(element, value)) return true;
  return false;
}

function contains(list: ListValue, part: ListValue): boolean {
  for (const value of part) if (!includes(list, value)) return false;
  return true;
}
