import type { Operation, PathItem, QueryParameter } from './operations.ts';
import type { OpenAPINode } from './render.ts';

export interface Parameter extends QueryParameter {
  readonly in: 'path' | 'query';
}

const PRETTY: QueryParameter = { name: 'pretty', type: 'string' };

/** How one version of OpenAPI writes the parts of a path. */
export interface PathForm {
  operation(operation: Operation, own: readonly Parameter[]): OpenAPINode;
  parameter(parameter: Parameter): OpenAPINode;
}

/** A path with its operations; parameters that all of them share are told of once. In upstream's order. */
export function renderPath({ parameters, operations }: PathItem, form: PathForm): OpenAPINode {
  const path = parameters.map((name): Parameter => ({ name, type: 'string', in: 'path' }));
  const all = operations.map((operation) => [...path, ...queryOf(operation)]);
  const counts = new Map<string, number>();
  for (const list of all) for (const one of list) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1);
  const isShared = (one: Parameter): boolean => counts.get(keyOf(one)) === operations.length;
  const shared = (all[0] ?? []).filter(isShared).sort(byName);
  const rendered = operations.map((operation, i) => {
    const own = (all[i] ?? []).filter((one) => !isShared(one)).sort(byName);
    return [operation.method, form.operation(operation, own)];
  });
  return {
    ...Object.fromEntries(rendered),
    ...(shared.length === 0 ? {} : { parameters: shared.map((one) => form.parameter(one)) }),
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
