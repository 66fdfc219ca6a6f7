import type { ResourceDefinition } from '../../api/definition.ts';
import { alreadyExists, conflict, internalError, newStatus, notFound, StatusError } from '../../api/errors.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import { isStoreError, type Store } from '../../storage/contract.ts';
import { accessForbidden } from '../authorization/forbidden.ts';
import type { AdmissionPlugin, Authorizer, Operation } from '../contract.ts';
import type { Definitions, ResourceName } from '../definitions.ts';
import type { ObjectEngine } from '../object-engine.ts';
import { PathNotFound } from '../request/plain-text-error.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { StorageMetrics } from '../server-metrics.ts';
import { Entry, encodeSteps, entryOf } from '../watchcache/entry.ts';
import type { ResourceCache } from '../watchcache/resource-cache.ts';
import { storageKey, storedType, type WatchCache } from '../watchcache/watch-cache.ts';
import type { AdmissionMetrics } from './admission-metrics.ts';
import { AdmissionRequest } from './admission-request.ts';
import type { ResourceHooks } from './hooks.ts';
import { runSteps } from './next-turn.ts';

export interface RegistryDeps {
  readonly store: Store;
  /** Whether a key is stored in a form that is no longer wanted (under an old key, say); undefined: surely not. */
  readonly isStale?: (key: string) => Promise<boolean> | undefined;
  readonly cache: WatchCache;
  readonly definitions: Definitions;
  readonly engine: ObjectEngine;
  /** Mutation runs through the whole list before validation does. */
  readonly admission: readonly AdmissionPlugin[];
  /** Asked again when a write that may create does. */
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly storageMetrics: StorageMetrics;
  readonly admissionMetrics: AdmissionMetrics;
  /** By `group/resource` of the stored type. */
  readonly hooks: ReadonlyMap<string, ResourceHooks>;
}

/** One write: what it is about and how the client wants it done. */
export interface WriteTarget {
  readonly definition: ResourceDefinition;
  readonly namespace: string;
  /** '' on a create that names no object in its path. */
  readonly name: string;
  /** '' for the object itself. */
  readonly subresource: string;
  readonly context: RequestContext;
  readonly dryRun: boolean;
  readonly fieldManager: string;
  /** CreateOptions, UpdateOptions, DeleteOptions as received. */
  readonly options: DeepReadonly<Record<string, unknown>>;
  /** What webhooks and policies see of the object, where the request is about a kind of its own (a Scale). */
  readonly body?: SubresourceBody;
}

/** The kind of a subresource that stands for a part of the object. */
export interface SubresourceBody {
  of(object: DeepReadonly<KubeObject>): KubeObject;
  /** Writes a changed body into the object. */
  into(body: DeepReadonly<KubeObject>, object: KubeObject): void;
}

/** What all verbs share: reading the cache, committing to the store, admission. */
export class RegistryCore {
  readonly deps: RegistryDeps;
  readonly #views = new WeakMap<Entry, WeakMap<ResourceDefinition, Entry>>();

  readonly #onReplaced = new WeakMap<ResourceDefinition, Set<() => void>>();

  constructor(deps: RegistryDeps) {
    this.deps = deps;
  }

  /** Calls back when a definition is no longer what is served. Returns the removal. */
  onReplaced(definition: ResourceDefinition, listener: () => void): () => void {
    let listeners = this.#onReplaced.get(definition);
    if (listeners === undefined) {
      listeners = new Set();
      this.#onReplaced.set(definition, listeners);
    }
    const all = listeners.add(listener);
    return () => all.delete(listener);
  }

  /** To be called instead when watches may go on under the new definition. */
  continued(before: ResourceDefinition, after: ResourceDefinition): void {
    const listeners = this.#onReplaced.get(before);
    if (listeners === undefined) return;
    this.#onReplaced.delete(before);
    this.#onReplaced.set(after, listeners);
  }

  /** To be called for a definition that has been replaced or removed. */
  replaced(definition: ResourceDefinition): void {
    const listeners = this.#onReplaced.get(definition);
    this.#onReplaced.delete(definition);
    for (const listener of listeners ?? []) listener();
  }

  /** Throws PathNotFound for a custom resource whose definition has gone while a request for its objects is under way. */
  cacheOf(definition: ResourceDefinition): ResourceCache {
    const cache = this.deps.cache.find(storedType(definition));
    if (cache === undefined) throw new PathNotFound();
    return cache;
  }

  /** The definition of another resource that a subresource needs. */
  definitionOf(type: ResourceName): ResourceDefinition {
    const definition = this.deps.definitions.of(type);
    if (definition === undefined) throw internalError(`${type.resource} is not served`);
    return definition;
  }

  hooksOf(definition: ResourceDefinition): ResourceHooks | undefined {
    const type = storedType(definition);
    return this.deps.hooks.get(`${type.group}/${type.resource}`);
  }

  /** Until when `view` has to wait for conversions of these entries; undefined: not at all. Rejects with StatusError. */
  readable(definition: ResourceDefinition, entries: readonly Entry[]): Promise<void> | undefined {
    const { storedAs } = definition;
    if (storedAs?.prepare === undefined) return undefined;
    return storedAs.prepare(
      entries.map(({ object }) => object),
      'served',
    );
  }

  /** A stored entry in the version of `definition`; `readable` comes first. */
  view(definition: ResourceDefinition, entry: Entry): Entry {
    if (definition.storedAs === undefined) return entry;
    let views = this.#views.get(entry);
    if (views === undefined) {
      views = new WeakMap();
      this.#views.set(entry, views);
    }
    let view = views.get(definition);
    if (view === undefined) {
      const { object: stored } = entry;
      const object = definition.storedAs.fromStored(stored);
      view = object === stored ? entry : new Entry(object, entry.revision);
      views.set(definition, view);
    }
    return view;
  }

  /** The stored entry; throws NotFound. */
  require(definition: ResourceDefinition, namespace: string, name: string): Entry {
    const entry = this.cacheOf(definition).get(definition.type.namespaced ? namespace : '', name);
    if (entry === undefined) throw notFound(definition.type, name);
    return entry;
  }

  async commitCreate(definition: ResourceDefinition, object: KubeObject, context: RequestContext): Promise<Entry> {
    const { store, cache, clock, storageMetrics } = this.deps;
    const pending = definition.storedAs?.prepare?.([object], 'stored');
    if (pending !== undefined) await pending;
    const stored = definition.storedAs?.toStored(object) ?? object;
    const { namespace = '', name } = object.metadata;
    const encoding = runSteps(context, encodeSteps(stored));
    const bytes = encoding instanceof Promise ? await encoding : encoding;
    cache.expect(bytes, stored);
    const key = storageKey(storedType(definition), namespace, name);
    try {
      const started = clock.monotonic();
      const revision = await store.create(key, bytes, ttlOf(definition));
      storageMetrics.observe('create', definition, clock.monotonic() - started);
      return await this.#settle(definition, namespace, name, bytes, revision);
    } catch (error) {
      if (isStoreError(error, 'KEY_EXISTS')) {
        await cache.waitFor(error.current?.modRevision ?? store.revision());
        throw alreadyExists(definition.type, name);
      }
      storageMetrics.failed('create', definition);
      throw storeFailure(error);
    }
  }

  /** undefined: somebody else wrote in between; the cache has caught up with that. */
  async commitUpdate(
    definition: ResourceDefinition,
    object: KubeObject,
    expected: number,
    context: RequestContext,
  ): Promise<Entry | undefined> {
    const { store, cache, clock, storageMetrics } = this.deps;
    const pending = definition.storedAs?.prepare?.([object], 'stored');
    if (pending !== undefined) await pending;
    const stored = definition.storedAs?.toStored(object) ?? object;
    const { namespace = '', name } = object.metadata;
    const encoding = runSteps(context, encodeSteps(stored));
    const bytes = encoding instanceof Promise ? await encoding : encoding;
    cache.expect(bytes, stored);
    const key = storageKey(storedType(definition), namespace, name);
    try {
      const started = clock.monotonic();
      const revision = await store.update(key, bytes, expected, ttlOf(definition));
      storageMetrics.observe('update', definition, clock.monotonic() - started);
      return await this.#settle(definition, namespace, name, bytes, revision);
    } catch (error) {
      if (await this.#lost(error)) return undefined;
      storageMetrics.failed('update', definition);
      throw storeFailure(error);
    }
  }

  /** The revision of the deletion; undefined: somebody else wrote in between. */
  async commitDelete(definition: ResourceDefinition, entry: Entry): Promise<number | undefined> {
    const { store, cache, clock, storageMetrics } = this.deps;
    const key = storageKey(storedType(definition), entry.namespace, entry.name);
    try {
      const started = clock.monotonic();
      const revision = await store.delete(key, entry.revision);
      storageMetrics.observe('delete', definition, clock.monotonic() - started);
      await cache.waitFor(revision);
      return revision;
    } catch (error) {
      if (await this.#lost(error)) return undefined;
      storageMetrics.failed('delete', definition);
      throw storeFailure(error);
    }
  }

  /**
   * Runs the mutating, then (as a second call) the validating half of admission. True: a webhook or a policy has changed the
   * object.
   */
  async admit(
    phase: 'admit' | 'validate',
    operation: Operation,
    target: WriteTarget,
    object: KubeObject | undefined,
    oldObject: DeepReadonly<KubeObject> | undefined,
  ): Promise<boolean> {
    const { admission, admissionMetrics, clock } = this.deps;
    const { definition, subresource } = target;
    const started = clock.monotonic();
    let attributes: AdmissionRequest | undefined;
    let rejected = true;
    let current: AdmissionPlugin | undefined;
    let since = started;
    try {
      for (let round = 0; round < 2; round++) {
        for (const plugin of admission) {
          if (plugin[phase] === undefined || !plugin.handles(operation, definition, subresource)) continue;
          attributes ??= new AdmissionRequest(operation, target, object, oldObject, clock);
          current = plugin;
          const pending = plugin[phase](attributes);
          if (pending !== undefined) await pending;
          const now = clock.monotonic();
          admissionMetrics.observePlugin(plugin.name, phase, operation, false, now - since);
          since = now;
        }
        current = undefined;
        if (attributes?.beginSecondRound() !== true) break;
      }
      if (phase === 'admit') attributes?.restoreOwners();
      attributes?.finish();
      rejected = false;
      return attributes?.isReplaced === true;
    } finally {
      const now = clock.monotonic();
      if (current !== undefined) admissionMetrics.observePlugin(current.name, phase, operation, true, now - since);
      admissionMetrics.observe(phase, operation, rejected, now - started);
    }
  }

  /** An update or apply that creates needs the right to create as well. Throws Forbidden. */
  async authorizeCreate({ context, definition, name }: WriteTarget): Promise<void> {
    const { info, user } = context;
    if (info.verb === 'create') return;
    const attributes = { ...info, verb: 'create', name, resource: definition.type.resource, user };
    const { decision, reason } = await this.deps.authorizer.authorize(attributes);
    if (decision !== 'allow') throw accessForbidden(attributes, reason);
  }

  /** The entry that has been written, readable in the version of the definition. */
  async #settle(
    definition: ResourceDefinition,
    namespace: string,
    name: string,
    bytes: Buffer,
    revision: number,
  ): Promise<Entry> {
    await this.deps.cache.waitFor(revision);
    const cached = this.cacheOf(definition).get(namespace, name);
    const entry = cached?.revision === revision ? cached : entryOf(bytes, revision);
    const pending = this.readable(definition, [entry]);
    if (pending !== undefined) await pending;
    return entry;
  }

  async #lost(error: unknown): Promise<boolean> {
    const { store, cache } = this.deps;
    if (isStoreError(error, 'REVISION_MISMATCH')) {
      await cache.waitFor(error.current?.modRevision ?? store.revision());
      return true;
    }
    if (!isStoreError(error, 'KEY_NOT_FOUND')) return false;
    await cache.waitFor(store.revision());
    return true;
  }
}

export const OBJECT_MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export function modifiedConflict(definition: ResourceDefinition, name: string): StatusError {
  return conflict(definition.type, name, OBJECT_MODIFIED);
}

function ttlOf(definition: ResourceDefinition): { ttlMs: number } | undefined {
  const { ttlMs } = definition.strategy;
  return ttlMs === undefined ? undefined : { ttlMs };
}

function storeFailure(error: unknown): unknown {
  if (!isStoreError(error)) return error;
  if (error.code === 'NO_SPACE') {
    return new StatusError(newStatus(507, 'InternalError', `the server's disk is full: ${error.message}`), {
      cause: error,
    });
  }
  if (error.code === 'CLOSED') {
    return new StatusError(newStatus(503, 'ServiceUnavailable', 'the server is shutting down'), { cause: error });
  }
  return internalError(error);
}

/** The object that a dry run answers with. */
export function dryRunEntry(object: KubeObject, revision: number): Entry {
  return new Entry(object, revision);
}
