import { conflict, newStatus, StatusError } from '../../api/errors.ts';
import { fieldValue, matchesFields, parseFieldSelector } from '../../api/field-selector.ts';
import { resources } from '../../api/generated/resources.ts';
import type { DeleteOptions, ObjectMeta } from '../../api/generated/types.ts';
import { parseLabelQuery } from '../../api/label-query.ts';
import {
  apiVersionOf,
  type DeepReadonly,
  type KubeObject,
  type ObjectKey,
  type ResourceType,
} from '../../api/object.ts';
import { matchesRequirements } from '../../api/selector.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import { cloneJSON, equalJSON } from '../../base/json.ts';
import { createClient } from '../api-client.ts';
import type { ApiRequest, Client, ListQuery, Transport, WatchEvent, WatchQuery } from '../client.ts';
import { ObjectTracker, type Stored } from './object-tracker.ts';
import { applyPatch } from './patch.ts';

type AnyType = ResourceType<unknown>;

export interface FakeClusterOptions {
  readonly clock?: Clock;
  /** False: clients list and watch as over the network. */
  readonly inProcess?: boolean;
}

/** An object as a test writes it: anything beside the metadata. */
export interface Fixture {
  readonly metadata: DeepReadonly<ObjectMeta>;
  readonly [field: string]: unknown;
}

/** One write that the cluster has received. */
export interface Action {
  readonly verb: ApiRequest['verb'];
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly body: unknown;
}

/** Kinds whose `status` changes only through the status subresource. */
const WITHOUT_STATUS = new Set(['events', 'leases', 'configmaps', 'secrets', 'endpoints', 'endpointslices']);

/**
 * An API server reduced to what workers notice: an object tracker with watch, versions and conflicts, generateName,
 * generation, finalizers, graceful pod deletion, the status split and the subresources status, binding, eviction, token and
 * finalize. No validation, defaults or admission. Objects are deep-frozen. For unit tests.
 */
export class FakeCluster implements Transport {
  readonly inProcess: boolean;
  readonly client: Client;
  /** Writes in order. */
  readonly actions: Action[] = [];
  readonly tracker = new ObjectTracker();
  readonly #clock: Clock;
  readonly #types = new Map<string, ResourceType>();
  readonly #failures: { matches: (request: ApiRequest) => boolean; error: Error; left: number }[] = [];
  #nextID = 0;

  constructor(options: FakeClusterOptions = {}) {
    this.inProcess = options.inProcess ?? true;
    this.#clock = options.clock ?? systemClock;
    for (const type of Object.values(resources) as ResourceType[]) this.addType(type);
    this.client = createClient(this);
  }

  /** Serves another resource (a custom one), also in discovery. */
  addType(type: ResourceType): void {
    this.#types.set(typeKey(type), type);
  }

  removeType(type: AnyType): void {
    this.#types.delete(typeKey(type));
  }

  /** Puts an object in as it is (status included), with server-set metadata where absent. */
  add<T>(type: ResourceType<T>, object: Fixture): DeepReadonly<T> {
    return this.tracker.create(type, this.#prepared(type, object as unknown as KubeObject)) as DeepReadonly<T>;
  }

  get<T>(type: ResourceType<T>, key: ObjectKey): DeepReadonly<T> | undefined {
    return this.tracker.get(type, storeKey(key.namespace, key.name)) as DeepReadonly<T> | undefined;
  }

  list<T>(type: ResourceType<T>): DeepReadonly<T>[] {
    return this.tracker.list(type) as unknown as DeepReadonly<T>[];
  }

  /** Changes an object as an unrelated writer would, status included. */
  change<T>(type: ResourceType<T>, key: ObjectKey, edit: (object: T) => void): DeepReadonly<T> {
    const copy = cloneJSON(this.tracker.require(type, storeKey(key.namespace, key.name))) as KubeObject;
    edit(copy as unknown as T);
    return this.tracker.update(type, copy) as DeepReadonly<T>;
  }

  /** The object is gone, whatever its finalizers. */
  remove(type: AnyType, key: ObjectKey): void {
    this.tracker.delete(type, storeKey(key.namespace, key.name));
  }

  /** The next `times` requests that match fail. */
  fail(matches: (request: ApiRequest) => boolean, error: Error, times = 1): void {
    this.#failures.push({ matches, error, left: times });
  }

  async request(request: ApiRequest): Promise<unknown> {
    const failure = this.#failures.find((entry) => entry.left > 0 && entry.matches(request));
    if (failure !== undefined) {
      failure.left--;
      throw failure.error;
    }
    if (request.verb !== 'get' && request.verb !== 'list') this.#record(request);
    switch (request.verb) {
      case 'get': {
        const object = this.tracker.require(request.type, storeKey(request.namespace, request.name));
        return request.subresource === 'scale' ? scaleOf(object) : object;
      }
      case 'list':
        return this.#list(request.type, { ...request.query, ...namespaceOf(request) });
      case 'create':
        return request.subresource === undefined ? this.#create(request) : this.#subresource(request);
      case 'update':
        return this.#update(request.type, this.#updated(request), request.subresource ?? '');
      case 'patch':
        return this.#patch(request);
      case 'delete':
        return this.#delete(request.type, request.namespace, request.name, request.body as DeleteOptions | undefined);
      case 'deletecollection':
        return this.#deleteCollection(request);
    }
  }

  watch(type: ResourceType, query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent> {
    if (!this.#types.has(typeKey(type))) throw new StatusError(newStatus(404, 'NotFound', NOT_SERVED));
    const accepts = selectorOf(query);
    const revision = query.resourceVersion === undefined ? this.tracker.revision : Number(query.resourceVersion);
    return this.tracker.watch(type, revision, query.sendInitialEvents === true, accepts, signal);
  }

  async raw(path: string): Promise<unknown> {
    const groups = new Map<string, Set<string>>();
    for (const { group, version } of this.#types.values()) {
      groups.set(group, (groups.get(group) ?? new Set()).add(version));
    }
    if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
    if (path === '/apis') {
      const named = [...groups].filter(([name]) => name !== '');
      return {
        kind: 'APIGroupList',
        groups: named.map(([name, versions]) => {
          const list = [...versions].map((version) => ({ groupVersion: `${name}/${version}`, version }));
          return { name, versions: list, preferredVersion: list[0] };
        }),
      };
    }
    const groupVersion = path.replace(/^\/apis?\//, '');
    const served = [...this.#types.values()].filter((type) => apiVersionOf(type) === groupVersion);
    if (served.length === 0) throw new StatusError(newStatus(404, 'NotFound', `${path} not found`));
    const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
    return {
      kind: 'APIResourceList',
      groupVersion,
      resources: served.map(({ resource: name, kind, namespaced }) => ({ name, kind, namespaced, verbs })),
    };
  }

  /** What an update is about: that of a scale is about the number of replicas alone. */
  #updated({ type, namespace, name, subresource, body }: ApiRequest): DeepReadonly<KubeObject> {
    if (subresource !== 'scale') return body as KubeObject;
    const old = this.tracker.require(type, storeKey(namespace, name));
    const { replicas } = specOfScale(body as KubeObject);
    return { ...old, spec: { ...(old['spec'] as object), replicas } };
  }

  #record(request: ApiRequest): void {
    const { verb, type, subresource = '', namespace = '', name = '', body } = request;
    const named = name || ((body as KubeObject | undefined)?.metadata?.name ?? '');
    this.actions.push({ verb, resource: type.resource, subresource, namespace, name: named, body });
  }

  #prepared(type: AnyType, object: DeepReadonly<KubeObject>): KubeObject {
    const { metadata, apiVersion: _, kind: __, ...rest } = cloneJSON(object) as KubeObject;
    const id = ++this.#nextID;
    const name = metadata.name ?? `${metadata.generateName ?? ''}${id.toString(36).padStart(5, 'x')}`;
    return {
      apiVersion: apiVersionOf(type),
      kind: type.kind,
      metadata: {
        ...metadata,
        name,
        ...(type.namespaced ? { namespace: metadata.namespace ?? 'default' } : {}),
        uid: metadata.uid ?? `uid-${id}`,
        generation: metadata.generation ?? 1,
        creationTimestamp: metadata.creationTimestamp ?? this.#now(),
        resourceVersion: '',
      },
      ...(type.resource === 'namespaces' ? { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } } : {}),
      ...rest,
    };
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  #create({ type, namespace, body }: ApiRequest): Stored {
    const object = cloneJSON(body) as KubeObject;
    if (type.namespaced && namespace) object.metadata.namespace = namespace;
    return this.tracker.create(type, this.#prepared(type, object));
  }

  #list(type: AnyType, query: ListQuery): unknown {
    const items = this.tracker.list(type).filter(selectorOf(query));
    const metadata = { resourceVersion: String(this.tracker.revision) };
    return { apiVersion: apiVersionOf(type), kind: `${type.kind}List`, metadata, items };
  }

  #update(type: AnyType, body: DeepReadonly<KubeObject>, subresource: string): Stored {
    const old = this.tracker.require(type, storeKey(body.metadata.namespace, body.metadata.name));
    let next = cloneJSON(body) as KubeObject;
    if (subresource === 'status') {
      // As upstream: annotations may come along with a status.
      const { resourceVersion, annotations } = next.metadata;
      next = { ...(cloneJSON(old) as KubeObject), status: next['status'] };
      next.metadata.resourceVersion = resourceVersion;
      if (annotations !== undefined) next.metadata.annotations = annotations;
    } else if (subresource === '' && !WITHOUT_STATUS.has(type.resource) && old['status'] !== undefined) {
      next['status'] = cloneJSON(old['status']);
    }
    const { uid, creationTimestamp, deletionTimestamp, generation = 1 } = old.metadata;
    Object.assign(next.metadata, { uid, creationTimestamp, generation });
    if (deletionTimestamp !== undefined) next.metadata.deletionTimestamp = deletionTimestamp;
    if (subresource !== 'status' && !equalJSON(specOf(next), specOf(old))) next.metadata.generation = generation + 1;
    if (equalJSON(withoutVersion(next), withoutVersion(old))) return old;
    const stored = this.tracker.update(type, next);
    return this.#finished(stored)
      ? this.tracker.delete(type, storeKey(old.metadata.namespace, old.metadata.name))
      : stored;
  }

  #patch({ type, namespace = '', name = '', subresource = '', patchKind = 'merge', body }: ApiRequest): Stored {
    const old = this.tracker.get(type, storeKey(namespace, name));
    if (old === undefined && patchKind === 'apply') return this.#create({ verb: 'create', type, namespace, body });
    const base = this.tracker.require(type, storeKey(namespace, name));
    const next = applyPatch(base, patchKind, body) as KubeObject;
    if (next.metadata.uid !== base.metadata.uid) throw conflict(type, name, 'Precondition failed: UID in precondition');
    return this.#update(type, next, subresource);
  }

  #delete(type: AnyType, namespace: string | undefined, name = '', options: DeepReadonly<DeleteOptions> = {}): Stored {
    const key = storeKey(namespace, name);
    const old = this.tracker.require(type, key);
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (uid !== undefined && uid !== old.metadata.uid)
      throw conflict(type, name, 'Precondition failed: UID in precondition');
    if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion) {
      throw conflict(type, name, 'Precondition failed: ResourceVersion in precondition');
    }
    const next = cloneJSON(old) as KubeObject;
    next.metadata.finalizers = finalizersFor(old, options.propagationPolicy);
    const spec = old['spec'] as { nodeName?: string; terminationGracePeriodSeconds?: number } | undefined;
    let graceSeconds = 0;
    if (type.resource === 'pods' && spec?.nodeName) {
      graceSeconds = options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
      graceSeconds = Math.min(graceSeconds, old.metadata.deletionGracePeriodSeconds ?? graceSeconds);
    }
    if (type.resource === 'namespaces') next['status'] = { ...(next['status'] as object), phase: 'Terminating' };
    const at = new Date(this.#clock.now() + graceSeconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
    next.metadata.deletionTimestamp = old.metadata.deletionTimestamp ?? at;
    next.metadata.deletionGracePeriodSeconds = graceSeconds;
    if (next.metadata.finalizers.length === 0) delete next.metadata.finalizers;
    if (this.#finished(next)) return this.tracker.delete(type, key);
    return equalJSON(next, old) ? old : this.tracker.update(type, next);
  }

  /** Being deleted, with nothing left to wait for. */
  #finished(object: Stored): boolean {
    const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
    if (deletionTimestamp === undefined || finalizers.length > 0) return false;
    if (object.kind === 'Pod') return deletionGracePeriodSeconds === 0;
    const spec = object['spec'] as { finalizers?: readonly string[] } | undefined;
    return object.kind !== 'Namespace' || (spec?.finalizers ?? []).length === 0;
  }

  #deleteCollection({ type, namespace, query, body }: ApiRequest): unknown {
    const { items } = this.#list(type, { ...query, ...(namespace ? { namespace } : {}) }) as { items: Stored[] };
    for (const { metadata } of items) this.#delete(type, metadata.namespace, metadata.name, body as DeleteOptions);
    return { kind: 'Status', status: 'Success' };
  }

  #subresource({ type, namespace = '', name = '', subresource = '', body }: ApiRequest): unknown {
    const key = storeKey(namespace, name);
    const next = cloneJSON(this.tracker.require(type, key)) as KubeObject;
    const sent = body as { target?: { name: string }; deleteOptions?: DeleteOptions };
    if (subresource === 'binding') {
      next['spec'] = { ...(next['spec'] as object), nodeName: sent.target?.name };
      this.tracker.update(type, next);
    } else if (subresource === 'eviction') {
      this.#delete(type, namespace, name, sent.deleteOptions);
    } else if (subresource === 'token') {
      return { ...(body as object), status: { token: `token-of-${name}`, expirationTimestamp: this.#now() } };
    } else {
      throw new StatusError(newStatus(404, 'NotFound', NOT_SERVED));
    }
    return { kind: 'Status', status: 'Success' };
  }
}

function specOfScale(scale: DeepReadonly<KubeObject>): { readonly replicas: number } {
  return scale['spec'] as { readonly replicas: number };
}

/** The scale of a workload; selectors are written as labels of the form `a=b`. */
function scaleOf({ metadata, ...rest }: Stored): unknown {
  const { spec = {}, status = {} } = rest as {
    spec?: { replicas?: number; selector?: { matchLabels?: Record<string, string> } };
    status?: { replicas?: number };
  };
  const labels = Object.entries(spec.selector?.matchLabels ?? {});
  const selector = labels.map(([name, value]) => `${name}=${value}`).join(',');
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace, uid, resourceVersion },
    spec: { replicas: spec.replicas ?? 0 },
    status: { replicas: status.replicas ?? 0, selector },
  };
}

function storeKey(namespace: string | undefined, name = ''): string {
  return namespace ? `${namespace}/${name}` : name;
}

function namespaceOf(request: ApiRequest): { namespace?: string } {
  return request.namespace ? { namespace: request.namespace } : {};
}

function selectorOf(query: ListQuery): (object: Stored) => boolean {
  const labels = parseLabelQuery(query.labelSelector ?? '');
  const fields = parseFieldSelector(query.fieldSelector ?? '');
  return (object) =>
    (!query.namespace || object.metadata.namespace === query.namespace) &&
    matchesRequirements(labels, object.metadata.labels) &&
    matchesFields(fields, (field) => fieldValue(object, field));
}

function finalizersFor(object: Stored, propagation: string | undefined): string[] {
  const present = (object.metadata.finalizers ?? []).filter(
    (name) => name !== 'orphan' && name !== 'foregroundDeletion',
  );
  if (propagation === 'Foreground') return [...present, 'foregroundDeletion'];
  if (propagation === 'Orphan') return [...present, 'orphan'];
  return propagation === undefined ? [...(object.metadata.finalizers ?? [])] : present;
}

function specOf(object: Stored): unknown {
  const { metadata: _, status: __, ...rest } = object;
  return rest;
}

function withoutVersion(object: Stored): unknown {
  return { ...object, metadata: { ...object.metadata, resourceVersion: '' } };
}

const NOT_SERVED = 'the server could not find the requested resource';

function typeKey({ resource, version, group }: AnyType): string {
  return `${resource}.${version}.${group}`;
}
