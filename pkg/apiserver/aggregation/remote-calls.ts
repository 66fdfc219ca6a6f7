import { internalError, newStatus, StatusError, type StatusReason } from '../../api/errors.ts';
import { apiVersionOf, type DeepReadonly, type KubeObject, type ResourceType } from '../../api/object.ts';
import { isObject } from '../../api/patch/members.ts';
import type { UserInfo } from '../../api/user.ts';
import type { ApiRequest, WatchEvent, WatchQuery } from '../../client/client.ts';
import { JSONLines } from '../../client/json-lines.ts';
import { requestURL, watchURL } from '../../client/request-path.ts';
import { contentTypeOf, methodOf } from '../../client/request-wire.ts';
import { unavailable } from '../services/service-endpoint.ts';
import { type RemoteAnswer, type RemoteFetchDeps, remoteFetch, remoteStream } from './remote-fetch.ts';
import type { RemoteService, RemoteServices } from './remote-services.ts';

export interface RemoteCallsDeps extends RemoteFetchDeps {
  readonly services: RemoteServices;
}

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_EVENT_BYTES = 8 * 1024 * 1024;

/**
 * Calls from inside the process to what other servers serve: bounded in time and size, and answers are read only where they
 * have the shape of objects, since those who ask rely on it. Everything that is wrong with a server is a StatusError.
 */
export class RemoteCalls {
  readonly #deps: RemoteCallsDeps;

  constructor(deps: RemoteCallsDeps) {
    this.#deps = deps;
  }

  /** undefined: it is served here, or nowhere. */
  serverOf({ group, version }: Pick<ResourceType, 'group' | 'version'>): RemoteService | undefined {
    return this.#deps.services.find(group, version);
  }

  /** The answer's object; undefined for an empty one. */
  async request(remote: RemoteService, request: ApiRequest, user: UserInfo, signal: AbortSignal): Promise<unknown> {
    const body = request.body === undefined ? undefined : JSON.stringify(withKind(request));
    const answer = await this.#reach(remote, () =>
      remoteFetch(
        remote,
        {
          method: methodOf(request),
          path: requestURL(request),
          user,
          timeoutMs: TIMEOUT_MS,
          maxBytes: MAX_BYTES,
          ...(body === undefined ? {} : { body, headers: { 'content-type': contentTypeOf(request) } }),
        },
        this.#deps,
        signal,
      ),
    );
    if (answer.code >= 300) throw refusalOf(answer);
    if (answer.body.length === 0) return undefined;
    const value = parse(answer.body);
    return request.verb === 'list' ? readList(value, request.type) : value;
  }

  /** GETs a path with its query. */
  async get(remote: RemoteService, path: string, user: UserInfo, signal: AbortSignal): Promise<unknown> {
    const request = { path, user, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES };
    const answer = await this.#reach(remote, () => remoteFetch(remote, request, this.#deps, signal));
    if (answer.code >= 300) throw refusalOf(answer);
    return parse(answer.body);
  }

  /** A watch that begins with what there is begins with a list: not every server can do the former. */
  async *watch(
    remote: RemoteService,
    type: ResourceType,
    query: WatchQuery,
    user: UserInfo,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const { sendInitialEvents, resourceVersionMatch, ...rest } = query;
    let { resourceVersion } = query;
    if (sendInitialEvents === true) {
      const { namespace } = query;
      const request = {
        verb: 'list',
        type,
        ...(namespace === undefined ? {} : { namespace }),
        query: selectors(query),
      } as const;
      const list = (await this.request(remote, request, user, signal)) as RemoteList;
      for (const object of list.items) yield { type: 'ADDED', object };
      resourceVersion = list.metadata.resourceVersion;
      yield { type: 'BOOKMARK', object: endOfInitialEvents(type, resourceVersion) };
    }
    const path = watchURL(type, { ...rest, ...(resourceVersion === undefined ? {} : { resourceVersion }) });
    const events = await this.#reach(remote, () =>
      remoteStream(remote, { path, user, timeoutMs: TIMEOUT_MS }, this.#deps, signal),
    );
    if (events.statusCode !== 200) {
      events.destroy();
      throw new StatusError(
        newStatus(events.statusCode ?? 500, '', `the watch was answered with ${events.statusCode}`),
      );
    }
    const lines = new JSONLines(MAX_EVENT_BYTES);
    try {
      for await (const chunk of events as AsyncIterable<Uint8Array>)
        for (const value of lines.push(chunk)) yield readEvent(value);
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof StatusError ? error : unavailable(`the watch broke off: ${String(error)}`);
    } finally {
      events.destroy();
    }
  }

  async #reach<T>(remote: RemoteService, call: () => Promise<T>): Promise<T> {
    if (!remote.isAvailable) throw unavailable('the server is currently unable to handle the request');
    try {
      return await call();
    } catch (error) {
      throw error instanceof StatusError ? error : unavailable(error instanceof Error ? error.message : String(error));
    }
  }
}

interface RemoteList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly DeepReadonly<KubeObject>[];
}

/** Drafts need no apiVersion and kind. */
function withKind({ body, type, verb, subresource = '' }: ApiRequest): unknown {
  if ((verb !== 'create' && verb !== 'update') || (subresource !== '' && subresource !== 'status')) return body;
  return { apiVersion: apiVersionOf(type), kind: type.kind, ...(body as object) };
}

function selectors({ labelSelector, fieldSelector }: WatchQuery): Record<string, string> {
  return {
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw internalError(new Error('the answer of the aggregated server is no JSON', { cause: error }));
  }
}

function refusalOf({ code, body }: RemoteAnswer): StatusError {
  const text = body.toString('utf8').slice(0, 1000).trim();
  let status: unknown;
  try {
    status = JSON.parse(body.toString('utf8'));
  } catch {
    return new StatusError(newStatus(code, '', text || `HTTP ${code}`));
  }
  const { reason, message } = isObject(status) ? status : {};
  return new StatusError(
    newStatus(
      code,
      typeof reason === 'string' ? (reason as StatusReason) : '',
      typeof message === 'string' ? message : text,
    ),
  );
}

function readList(value: unknown, type: ResourceType): RemoteList {
  const { metadata, items } = isObject(value) ? value : {};
  if (!isObject(metadata) || !(Array.isArray(items) || items === null || items === undefined)) throw malformed('list');
  const { resourceVersion = '' } = metadata;
  if (typeof resourceVersion !== 'string') throw malformed('list');
  // Items of lists need not say what they are.
  const kind = { apiVersion: apiVersionOf(type), kind: type.kind };
  return {
    ...(value as object),
    metadata: { ...metadata, resourceVersion },
    items: (items ?? []).map((item: unknown) => ({ ...kind, ...readObject(item) })),
  };
}

function readEvent(value: unknown): WatchEvent {
  const { type, object } = isObject(value) ? value : {};
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: readObject(object) };
    case 'BOOKMARK':
      if (isObject(object) && isObject(object['metadata']))
        return { type, object: object as unknown as DeepReadonly<KubeObject> };
      throw malformed('event');
    case 'ERROR':
      throw refusalOf({
        code: isObject(object) && typeof object['code'] === 'number' ? object['code'] : 500,
        headers: {},
        body: Buffer.from(JSON.stringify(object)),
      });
    default:
      throw malformed('event');
  }
}

/** Controllers read names, owners and finalizers without a second look. */
function readObject(value: unknown): DeepReadonly<KubeObject> {
  const metadata = isObject(value) ? value['metadata'] : undefined;
  if (!isObject(metadata)) throw malformed('object');
  const { name, namespace = '', uid, resourceVersion = '', ownerReferences, finalizers } = metadata;
  const isSound =
    [name, namespace, uid, resourceVersion].every(isText) &&
    isListOf(finalizers, isText) &&
    isListOf(
      ownerReferences,
      (owner) => isObject(owner) && ['apiVersion', 'kind', 'name', 'uid'].every((key) => isText(owner[key])),
    );
  if (!isSound) throw malformed('object');
  return value as DeepReadonly<KubeObject>;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isListOf(value: unknown, is: (item: unknown) => boolean): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.every(is));
}

function malformed(what: string): StatusError {
  return internalError(new Error(`the aggregated server has answered with a malformed ${what}`));
}

function endOfInitialEvents(type: ResourceType, resourceVersion: string): DeepReadonly<KubeObject> {
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  return {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    metadata: { resourceVersion, annotations },
  } as unknown as DeepReadonly<KubeObject>;
}
