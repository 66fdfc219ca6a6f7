import { alreadyExists, conflict, expired, notFound } from '../../api/errors.ts';
import { type DeepReadonly, type KubeObject, keyOf, type ResourceType } from '../../api/object.ts';
import { AsyncQueue } from '../../base/queue.ts';
import type { WatchEvent } from '../client.ts';

export type Stored = DeepReadonly<KubeObject>;

interface Change {
  readonly revision: number;
  readonly resource: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Stored;
  readonly old: Stored | undefined;
}

interface Watcher {
  readonly resource: string;
  readonly accepts: (object: Stored) => boolean;
  readonly queue: AsyncQueue<WatchEvent>;
}

/** Objects of all resources with one revision counter and watches from any revision since the last compaction. */
export class ObjectTracker {
  readonly #tables = new Map<string, Map<string, Stored>>();
  readonly #watchers = new Set<Watcher>();
  #history: Change[] = [];
  #compacted = 0;
  #revision = 0;

  get revision(): number {
    return this.#revision;
  }

  get(type: ResourceType<unknown>, key: string): Stored | undefined {
    return this.#table(type).get(key);
  }

  list(type: ResourceType<unknown>): Stored[] {
    return [...this.#table(type).entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  create(type: ResourceType<unknown>, object: KubeObject): Stored {
    const key = keyOf(object);
    if (this.#table(type).has(key)) throw alreadyExists(type, object.metadata.name);
    return this.#commit(type, 'ADDED', object, undefined);
  }

  /** With a resourceVersion in `object`: only when it is the current one. */
  update(type: ResourceType<unknown>, object: KubeObject): Stored {
    const old = this.require(type, keyOf(object));
    const expected = object.metadata.resourceVersion;
    if (expected && expected !== old.metadata.resourceVersion) {
      const reason = 'the object has been modified; please apply your changes to the latest version and try again';
      throw conflict(type, object.metadata.name, reason);
    }
    return this.#commit(type, 'MODIFIED', object, old);
  }

  delete(type: ResourceType<unknown>, key: string): Stored {
    const old = this.require(type, key);
    return this.#commit(type, 'DELETED', structuredClone(old) as KubeObject, old);
  }

  require(type: ResourceType<unknown>, key: string): Stored {
    const object = this.get(type, key);
    if (object === undefined) throw notFound(type, key.slice(key.indexOf('/') + 1));
    return object;
  }

  /** Forgets the history: watches from older revisions are refused as expired. */
  compact(): void {
    this.#history = [];
    this.#compacted = this.#revision;
  }

  /** Ends all watches, as a restarted server would. */
  disconnect(): void {
    for (const watcher of this.#watchers) watcher.queue.end();
  }

  /** Events after `revision`; `initial` sends the present state first and then a bookmark. */
  watch(
    type: ResourceType<unknown>,
    revision: number,
    initial: boolean,
    accepts: (object: Stored) => boolean,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent> {
    if (!initial && revision < this.#compacted) {
      throw expired(`too old resource version: ${revision} (${this.#compacted})`);
    }
    const watcher: Watcher = { resource: resourceOf(type), accepts, queue: new AsyncQueue() };
    if (initial) {
      for (const object of this.list(type)) if (accepts(object)) watcher.queue.push({ type: 'ADDED', object });
      watcher.queue.push({ type: 'BOOKMARK', object: bookmark(type, this.#revision) });
    } else {
      for (const change of this.#history) {
        if (change.revision > revision) deliver(watcher, change);
      }
    }
    this.#watchers.add(watcher);
    const stop = (): void => {
      this.#watchers.delete(watcher);
      watcher.queue.end();
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    return watcher.queue;
  }

  #table(type: ResourceType<unknown>): Map<string, Stored> {
    const name = resourceOf(type);
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = new Map();
      this.#tables.set(name, table);
    }
    return table;
  }

  #commit(type: ResourceType<unknown>, change: Change['type'], object: KubeObject, old: Stored | undefined): Stored {
    const revision = ++this.#revision;
    object.metadata.resourceVersion = String(revision);
    const stored = deepFreeze(object);
    const table = this.#table(type);
    if (change === 'DELETED') table.delete(keyOf(stored));
    else table.set(keyOf(stored), stored);
    const entry: Change = { revision, resource: resourceOf(type), type: change, object: stored, old };
    this.#history.push(entry);
    for (const watcher of this.#watchers) deliver(watcher, entry);
    return stored;
  }
}

function resourceOf(type: ResourceType<unknown>): string {
  return `${type.resource}.${type.group}`;
}

/** What a watcher with a selector sees of a change: objects that come to match are added, others deleted. */
function deliver(watcher: Watcher, change: Change): void {
  if (watcher.resource !== change.resource) return;
  const before = change.old !== undefined && watcher.accepts(change.old);
  const after = change.type !== 'DELETED' && watcher.accepts(change.object);
  if (before && after) watcher.queue.push({ type: 'MODIFIED', object: change.object });
  else if (after) watcher.queue.push({ type: 'ADDED', object: change.object });
  else if (before) watcher.queue.push({ type: 'DELETED', object: change.object });
}

function bookmark(type: ResourceType<unknown>, revision: number): Stored {
  return {
    apiVersion: type.version,
    kind: type.kind,
    metadata: {
      name: '',
      uid: '',
      creationTimestamp: '',
      resourceVersion: String(revision),
      annotations: { 'k8s.io/initial-events-end': 'true' },
    },
  };
}

/** Whoever changes a shared object gets a TypeError. */
function deepFreeze<T>(value: T): DeepReadonly<T> {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value as DeepReadonly<T>;
}
