import type { DeleteOptions } from '../api/generated/types.ts';
import type { DeepReadonly, Draft, KubeList, KubeObject, ObjectKey, ResourceType } from '../api/object.ts';

export interface ListQuery {
  /** Absent or '': all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  readonly limit?: number;
  readonly continue?: string;
}

export interface WatchQuery extends ListQuery {
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
}

export type WatchEvent<T = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: DeepReadonly<T> }
  /** Only metadata.resourceVersion (and the initial-events-end annotation) is set. */
  | { readonly type: 'BOOKMARK'; readonly object: DeepReadonly<KubeObject> };

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply';

export interface PatchOptions {
  readonly subresource?: string;
  /** Required for `apply`. */
  readonly fieldManager?: string;
  readonly force?: boolean;
}

export interface WriteOptions {
  readonly subresource?: string;
  readonly fieldManager?: string;
}

/**
 * The one way for anything above the API server to use the API. All methods throw StatusError for what the server refuses.
 * Objects returned are shared with the watch cache: never change them.
 */
export interface Client {
  get<T>(type: ResourceType<T>, key: ObjectKey, signal?: AbortSignal): Promise<DeepReadonly<T>>;
  /** GET of a subresource whose body is of another kind: `deployments/scale`. */
  getSubresource<R>(
    type: ResourceType<unknown>,
    key: ObjectKey,
    subresource: string,
    signal?: AbortSignal,
  ): Promise<DeepReadonly<R>>;
  list<T>(type: ResourceType<T>, query?: ListQuery, signal?: AbortSignal): Promise<KubeList<T>>;
  /** `object.metadata.namespace` says where (for namespaced types); apiVersion and kind are filled in. */
  create<T>(
    type: ResourceType<T>,
    object: Draft<T>,
    options?: WriteOptions,
    signal?: AbortSignal,
  ): Promise<DeepReadonly<T>>;
  /** With metadata.resourceVersion: only when nobody else wrote in between (Conflict otherwise). */
  update<T>(
    type: ResourceType<T>,
    object: Draft<T>,
    options?: WriteOptions,
    signal?: AbortSignal,
  ): Promise<DeepReadonly<T>>;
  updateStatus<T>(type: ResourceType<T>, object: Draft<T>, signal?: AbortSignal): Promise<DeepReadonly<T>>;
  patch<T>(
    type: ResourceType<T>,
    key: ObjectKey,
    kind: PatchKind,
    patch: unknown,
    options?: PatchOptions,
    signal?: AbortSignal,
  ): Promise<DeepReadonly<T>>;
  delete<T>(
    type: ResourceType<T>,
    key: ObjectKey,
    options?: DeepReadonly<DeleteOptions>,
    signal?: AbortSignal,
  ): Promise<void>;
  deleteCollection<T>(
    type: ResourceType<T>,
    query: ListQuery,
    options?: DeepReadonly<DeleteOptions>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** POST to a subresource whose body is of another kind: `pods/binding`, `pods/eviction`, `serviceaccounts/token`. */
  createSubresource<R = KubeObject>(
    type: ResourceType<unknown>,
    key: ObjectKey,
    subresource: string,
    body: unknown,
    signal?: AbortSignal,
  ): Promise<DeepReadonly<R>>;
  /** Ends when `signal` aborts or the server closes the watch; throws StatusError (Expired when the version is too old). */
  watch<T>(type: ResourceType<T>, query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent<T>>;
  /** A GET of any path as JSON (discovery and the like). */
  raw(path: string, signal?: AbortSignal): Promise<unknown>;
  /** True when calls do not leave the process: watches are cheap, and initial events come as shared references. */
  readonly inProcess: boolean;
}

/** One API call, before it is HTTP or a function call. */
export interface ApiRequest {
  readonly verb: 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  /** Query parameters as on the wire. */
  readonly query?: Readonly<Record<string, string>>;
  /** An object (for the patch kinds: the patch). */
  readonly body?: unknown;
  readonly patchKind?: PatchKind;
}

/** How a Client reaches a server: in-process (shared objects, no JSON) or HTTPS. */
export interface Transport {
  /** True when objects are handed over by reference; such a transport serves watches with `sendInitialEvents`. */
  readonly inProcess?: boolean;
  request(request: ApiRequest, signal?: AbortSignal): Promise<unknown>;
  watch(type: ResourceType, query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent>;
  raw(path: string, signal?: AbortSignal): Promise<unknown>;
}

/** Read access to an informer's objects. All results are shared and immutable. */
export interface Lister<T> {
  /** By `keyOf`: `namespace/name`, or `name`. */
  get(key: string): DeepReadonly<T> | undefined;
  list(namespace?: string): Iterable<DeepReadonly<T>>;
  /** By an index declared in `InformerOptions.indexers`. */
  byIndex(index: string, value: string): readonly DeepReadonly<T>[];
  readonly size: number;
}

export interface InformerHandler<T> {
  onAdd?(object: DeepReadonly<T>): void;
  onUpdate?(object: DeepReadonly<T>, old: DeepReadonly<T>): void;
  onDelete?(object: DeepReadonly<T>): void;
}

export interface InformerOptions<T> {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexers?: Readonly<Record<string, (object: DeepReadonly<T>) => readonly string[]>>;
}

/** A local, live copy of a resource (in-process: of references, not of objects). */
export interface Informer<T> {
  readonly lister: Lister<T>;
  /** Handlers are called synchronously, in order, first for what is already there. Returns the removal. */
  addHandler(handler: InformerHandler<T>): () => void;
  /** Resolves when the first list has been delivered. */
  synced(signal: AbortSignal): Promise<void>;
  /** Like `synced`, but throws NotServedError as soon as the server says that it does not know the kind. */
  syncedIfServed(signal: AbortSignal): Promise<void>;
  readonly hasSynced: boolean;
}

/** Hands out shared informers: one per type, namespace and selectors (indexers are added to it). They start when the factory's component runs. */
export interface Informers {
  for<T>(type: ResourceType<T>, options?: InformerOptions<T>): Informer<T>;
  /** Stops and forgets the unfiltered informer of a resource that is no longer served (a deleted CRD). */
  release(type: ResourceType<unknown>): void;
}
