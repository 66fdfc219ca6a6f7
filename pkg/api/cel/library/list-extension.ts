import { type Library, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import { type Macro, mapMacro } from '../macros.ts';
import { NONE } from '../runtime.ts';
import { ArrayList, compareValues, equalValues, ListValue, OptionalValue, type Value } from '../values.ts';

const COMPARABLE = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];
const MAX_RANGE = 100_000n;

/** cel-go's lists extension, version 3: slice, flatten, range, distinct, reverse, sort, sortBy, first, last. */
export function listExtensionLibrary(): Library {
  return {
    name: 'lists',
    macros: new Map([['.sortBy/2', sortBy]]),
    overloads: [
      overload('list_slice', 'list<T>#slice(int, int) list<T>', slice),
      overload(
        'list_flatten',
        'list<list<T>>#flatten() list<T>',
        (list: ListValue) => new ArrayList(flatten(list, 1n)),
      ),
      overload('list_flatten_int', 'list<dyn>#flatten(int) list<dyn>', (list: ListValue, depth: bigint) => {
        if (depth < 0n) throw new Failure('level must be non-negative');
        return new ArrayList(flatten(list, depth));
      }),
      overload('lists_range', 'lists.range(int) list<int>', range),
      overload('list_distinct', 'list<T>#distinct() list<T>', distinct),
      overload('list_reverse', 'list<T>#reverse() list<T>', (list: ListValue) => new ArrayList([...list].reverse())),
      ...COMPARABLE.flatMap((type) => [
        overload(`list_${type}_sort`, `list<${type}>#sort() list<${type}>`, (list: ListValue) =>
          sortByKeys(list, list),
        ),
        overload(
          `list_${type}_sortByAssociatedKeys`,
          `list<T>#@sortByAssociatedKeys(list<${type}>) list<T>`,
          sortByKeys,
        ),
      ]),
      overload('list_first', 'list<T>#first() optional<T>', (list: ListValue) => element(list, 0)),
      overload('list_last', 'list<T>#last() optional<T>', (list: ListValue) => element(list, list.size - 1)),
    ],
  };
}

/** `list.sortBy(x, key)`: the keys are computed first. */
const sortBy: Macro = (nodes, call) => {
  const [name, key] = call.args;
  if (call.target === undefined || name?.kind !== 'ident' || key === undefined) return undefined;
  const map = mapMacro(nodes, call);
  return map && nodes.member(call.pos, nodes.reuse(call.target), '@sortByAssociatedKeys', map);
};

function element(list: ListValue, index: number): Value {
  return list.size === 0 ? NONE : new OptionalValue(list.at(index));
}

function slice(list: ListValue, from: bigint, to: bigint): Value {
  if (from < 0n || to < 0n) throw new Failure(`cannot slice(${from}, ${to}), negative indexes not supported`);
  if (from > to) throw new Failure(`cannot slice(${from}, ${to}), start index must be less than or equal to end index`);
  if (to > BigInt(list.size)) throw new Failure(`cannot slice(${from}, ${to}), list is length ${list.size}`);
  return new ArrayList([...list].slice(Number(from), Number(to)));
}

function flatten(list: ListValue, depth: bigint, into: Value[] = []): Value[] {
  for (const value of list) {
    if (value instanceof ListValue && depth > 0n) flatten(value, depth - 1n, into);
    else into.push(value);
  }
  return into;
}

function range(count: bigint): Value {
  if (count > MAX_RANGE) throw new Failure(`lists.range(${count}) is too long`);
  return new ArrayList(Array.from({ length: Math.max(0, Number(count)) }, (_, i) => BigInt(i)));
}

function distinct(list: ListValue): Value {
  const seen: Value[] = [];
  for (const value of list) if (!seen.some((known) => equalValues(known, value))) seen.push(value);
  return new ArrayList(seen);
}

function sortByKeys(list: ListValue, keys: ListValue): Value {
  if (keys.size !== list.size) throw new Failure('sort keys do not match the list');
  const pairs = [...list].map((value, i) => ({ value, key: keys.at(i) }));
  for (const { key } of pairs) {
    if (compareValues(key, keys.at(0)) === undefined)
      throw new Failure('list elements must have the same, comparable type');
  }
  pairs.sort((a, b) => compareValues(a.key, b.key) ?? 0);
  return new ArrayList(pairs.map(({ value }) => value));
}
