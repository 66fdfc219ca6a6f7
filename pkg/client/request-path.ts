import type { ResourceType } from '../api/object.ts';
import type { ApiRequest, WatchQuery } from './client.ts';

/** The URL path of a resource: `/api/v1/namespaces/NS/pods/NAME/SUBRESOURCE`, without the query. */
export function resourcePath(
  type: ResourceType<unknown>,
  parts: { readonly namespace?: string; readonly name?: string; readonly subresource?: string },
): string {
  let path = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  if (type.namespaced && parts.namespace) path += `/namespaces/${encodeURIComponent(parts.namespace)}`;
  path += `/${type.resource}`;
  if (parts.name) path += `/${encodeURIComponent(parts.name)}`;
  if (parts.subresource) path += `/${parts.subresource}`;
  return path;
}

/** Path and query of a request that is not a watch. */
export function requestURL(request: ApiRequest): string {
  const path = resourcePath(request.type, request);
  if (request.query === undefined) return path;
  return `${path}?${new URLSearchParams(request.query)}`;
}

/** Path and query of a watch. */
export function watchURL(type: ResourceType<unknown>, query: WatchQuery): string {
  const parameters = new URLSearchParams({ watch: 'true' });
  const { namespace, ...rest } = query;
  for (const [name, value] of Object.entries(rest)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  }
  return `${resourcePath(type, namespace === undefined ? {} : { namespace })}?${parameters}`;
}
