import type { KubeObject } from '../../api/object.ts';
import { builtinSchema } from '../../api/schema/builtin.ts';
import type { Query } from '../request/query.ts';
import type { RequestContext } from '../request/request-context.ts';

/** What a connect request asks for, as the object that admission sees: PodExecOptions, ServiceProxyOptions and the like. */
export function connectOptions(kind: string, { query, info }: RequestContext): KubeObject {
  const options: Record<string, unknown> = { kind, apiVersion: 'v1' };
  for (const [name, { type, items }] of builtinSchema(`core.v1.${kind}`).properties ?? []) {
    if (name === 'kind' || name === 'apiVersion') continue;
    const value =
      name === 'path' ? `/${info.subpath}` : parameter(query, name, items?.type ?? type, items !== undefined);
    if (value !== undefined) options[name] = value;
  }
  return options as unknown as KubeObject;
}

function parameter(query: Query, name: string, type: string, isList: boolean): unknown {
  if (isList) {
    const values = query.all(name).map((text) => (type === 'integer' ? Number(text) : text));
    return values.length === 0 ? undefined : values;
  }
  if (type === 'boolean') return query.flag(name) || (OUTPUTS.has(name) && !query.has(name)) ? true : undefined;
  return query.get(name) || undefined;
}

/** Streams that a session has unless it says that it has not. */
const OUTPUTS: ReadonlySet<string> = new Set(['stdout', 'stderr']);
