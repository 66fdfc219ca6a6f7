import type { DeleteOptions } from '../api/generated/types.ts';
import { apiVersionOf, type DeepReadonly, type KubeList, type ObjectKey, type ResourceType } from '../api/object.ts';
import type { ApiRequest, Client, ListQuery, Transport, WatchEvent, WriteOptions } from './client.ts';

/** Which objects a type stands for does not matter here. */
type AnyType = ResourceType<unknown>;
type TypedRequest = Omit<ApiRequest, 'type'> & { readonly type: AnyType };
type Writable = DeepReadonly<{ apiVersion?: string; kind?: string; metadata: { namespace?: string; name?: string } }>;

/** The typed face of a transport. Methods build one `ApiRequest` each; what the server answers is handed on as it is. */
export function createClient(transport: Transport): Client {
  function send<R>(request: TypedRequest, signal?: AbortSignal): Promise<R> {
    return transport.request(request as ApiRequest, signal) as Promise<R>;
  }
  return {
    inProcess: transport.inProcess === true,
    get: (type, key, signal) => send({ verb: 'get', type, ...placeOf(type, key) }, signal),
    getSubresource: (type, key, subresource, signal) =>
      send({ verb: 'get', type, ...placeOf(type, key), subresource }, signal),
    list: <T>(type: ResourceType<T>, query?: ListQuery, signal?: AbortSignal) =>
      send<KubeList<T>>({ verb: 'list', type, ...listParts(query) }, signal),
    create: (type, object, options, signal) => {
      const { metadata } = object as Writable;
      const place = inNamespace(metadata.namespace);
      return send({ verb: 'create', type, ...place, ...writeParts(type, object as Writable, options) }, signal);
    },
    update: (type, object, options, signal) => send(updateRequest(type, object as Writable, options), signal),
    updateStatus: (type, object, signal) =>
      send(updateRequest(type, object as Writable, { subresource: 'status' }), signal),
    patch: (type, key, kind, patch, options = {}, signal) => {
      const query = queryOf({ fieldManager: options.fieldManager, force: options.force ? 'true' : undefined });
      return send(
        {
          verb: 'patch',
          type,
          ...placeOf(type, key),
          ...(options.subresource === undefined ? {} : { subresource: options.subresource }),
          ...(query === undefined ? {} : { query }),
          patchKind: kind,
          body: patch,
        },
        signal,
      );
    },
    delete: async (type, key, options, signal) => {
      await send({ verb: 'delete', type, ...placeOf(type, key), ...deleteBody(options) }, signal);
    },
    deleteCollection: async (type, query, options, signal) => {
      await send({ verb: 'deletecollection', type, ...listParts(query), ...deleteBody(options) }, signal);
    },
    createSubresource: (type, key, subresource, body, signal) =>
      send({ verb: 'create', type, ...placeOf(type, key), subresource, body }, signal),
    watch: <T>(type: ResourceType<T>, query: ListQuery, signal: AbortSignal) =>
      transport.watch(type as ResourceType, query, signal) as AsyncIterable<WatchEvent<T>>,
    raw: (path, signal) => transport.raw(path, signal),
  };
}

function updateRequest(type: AnyType, object: Writable, options?: WriteOptions): TypedRequest {
  const key = { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' };
  return { verb: 'update', type, ...placeOf(type, key), ...writeParts(type, object, options) };
}

function writeParts(
  type: AnyType,
  object: Writable,
  options: WriteOptions = {},
): Pick<ApiRequest, 'body' | 'subresource' | 'query'> {
  const typed = object.apiVersion !== undefined && object.kind !== undefined;
  const query = queryOf({ fieldManager: options.fieldManager });
  return {
    body: typed ? object : { ...object, apiVersion: apiVersionOf(type), kind: type.kind },
    ...(options.subresource === undefined ? {} : { subresource: options.subresource }),
    ...(query === undefined ? {} : { query }),
  };
}

function placeOf(type: AnyType, key: ObjectKey): Pick<ApiRequest, 'namespace' | 'name'> {
  return type.namespaced ? { namespace: key.namespace ?? '', name: key.name } : { name: key.name };
}

function inNamespace(namespace: string | undefined): Pick<ApiRequest, 'namespace'> {
  return namespace ? { namespace } : {};
}

function listParts(query: ListQuery = {}): Pick<ApiRequest, 'namespace' | 'query'> {
  const parameters = queryOf({
    labelSelector: query.labelSelector,
    fieldSelector: query.fieldSelector,
    resourceVersion: query.resourceVersion,
    resourceVersionMatch: query.resourceVersionMatch,
    limit: query.limit?.toString(),
    continue: query.continue,
  });
  return { ...inNamespace(query.namespace), ...(parameters === undefined ? {} : { query: parameters }) };
}

function deleteBody(options: DeepReadonly<DeleteOptions> | undefined): Pick<ApiRequest, 'body'> {
  return options === undefined ? {} : { body: { apiVersion: 'v1', kind: 'DeleteOptions', ...options } };
}

/** Only what is set; undefined when nothing is. */
function queryOf(parameters: Record<string, string | undefined>): Record<string, string> | undefined {
  let query: Record<string, string> | undefined;
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === '') continue;
    query ??= {};
    query[name] = value;
  }
  return query;
}
