import type { DeepReadonly } from '../base/json.ts';
import type { ListMeta, ObjectMeta } from './generated/types.ts';

export type { DeepReadonly } from '../base/json.ts';

/** Any API object, built-in or custom, as JSON has it. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: StoredMeta;
  [field: string]: unknown;
}

/** The metadata of an object that the API server has returned. `namespace` is '' for cluster-scoped objects. */
export interface StoredMeta extends ObjectMeta {
  name: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
}

/** The metadata of a namespaced object that the API server has returned. */
export interface NamespacedMeta extends StoredMeta {
  namespace: string;
}

/** A list of objects as the API server returns it. */
export interface KubeList<T> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: DeepReadonly<ListMeta>;
  readonly items: readonly DeepReadonly<T>[];
}

/** What a client sends to create or replace a `T`: server-set metadata, spec and status may be absent. */
export type Draft<T> = DeepReadonly<
  Omit<T, 'apiVersion' | 'kind' | 'metadata' | 'spec' | 'status'> & {
    apiVersion?: string;
    kind?: string;
    metadata: ObjectMeta;
  } & (T extends { spec: infer S } ? { spec?: S } : unknown) &
    (T extends { status: infer S } ? { status?: S } : unknown)
>;

/** Names one resource of one API version; `T` is the type of its objects. The core group is ''. */
export interface ResourceType<T = KubeObject> {
  readonly group: string;
  readonly version: string;
  /** Plural, lower case: the name in paths. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never set; carries `T`. */
  readonly object?: T;
}

/** `namespace` is '' (or absent) for cluster-scoped objects. */
export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(type: { readonly group: string; readonly version: string }): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** Splits `apps/v1` into group and version; `v1` has group ''. */
export function parseAPIVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** `namespace/name`, or `name` for cluster-scoped objects: the key of listers and work queues. */
export function keyOf(object: { readonly metadata: { readonly name?: string; readonly namespace?: string } }): string {
  const { name = '', namespace } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/** The inverse of `keyOf`. */
export function parseKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
