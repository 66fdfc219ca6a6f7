import type { Operation, PathItem, QueryParameter } from './operations.ts';

export interface Parameter extends QueryParameter {
  readonly in: 'path' | 'query';
}

const PRETTY: QueryParameter = { name: 'pretty', type: 'string' };

/** The parameters that all operations of a path share, and a function for those that an operation has beside; in upstream's order. */
export function splitParameters({ parameters, operations }: PathItem): {
  readonly shared: readonly Parameter[];
  own(operation: Operation): readonly Parameter[];
} {
  const path = parameters.map((name): Parameter => ({ name, type: 'string', in: 'path' }));
  const all = new Map(operations.map((operation) => [operation, [...path, ...queryOf(operation)]]));
  const counts = new Map<string, number>();
  for (const list of all.values()) for (const one of list) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1);
  const isShared = (one: Parameter): boolean => counts.get(keyOf(one)) === operations.length;
  const [first = []] = all.values();
  return {
    shared: first.filter(isShared).sort(byName),
    own: (operation) => (all.get(operation) ?? []).filter((one) => !isShared(one)).sort(byName),
  };
}

/** Documents have no query, nor do streams say how their answer shall look. */
function queryOf({ query, action }: Operation): Parameter[] {
  const isPretty = action !== undefined && action !== 'connect';
  return [...query, ...(isPretty ? [PRETTY] : [])].map((one) => ({ ...one, in: 'query' }));
}

function keyOf(parameter: Parameter): string {
  return `${parameter.in} ${parameter.name}`;
}

function byName(a: Parameter, b: Parameter): number {
  if (a.name === b.name) return a.in < b.in ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
