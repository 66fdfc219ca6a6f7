import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import { type Filter, matches } from '../selection/filter.ts';
import type { Entry } from './entry.ts';
import { compareEntries, EntryTable } from './entry-table.ts';
import { ChangeEvent, type ChangeType, Deliveries, type Delivery } from './event.ts';
import { FieldIndex } from './field-index.ts';
import { Watchers } from './watchers.ts';

/** Receives what a watcher is to see. Must not block: it buffers, or ends the watch. */
export interface WatchSink {
  /** All that one turn brought; everything up to `revision` has been delivered then. */
  send(deliveries: readonly Delivery[], revision: number): void;
}

interface Watcher {
  readonly filter: Filter;
  readonly sink: WatchSink;
  pending: Delivery[];
  dirty: boolean;
}

type Listener = (object: DeepReadonly<KubeObject>, change: ChangeType) => void;

export interface ResourceCacheOptions {
  /** Keys of this resource begin with it; ends with `/`. */
  readonly prefix: string;
  readonly namespaced: boolean;
  /** A field whose equality selectors are answered from an index (spec.nodeName of pods). */
  readonly indexedField?: { readonly path: string; value(object: DeepReadonly<KubeObject>): string };
  /** Objects are kept as bytes and parsed when somebody asks: for kinds with many objects of which few are ever looked at. */
  readonly parsedOnDemand?: boolean;
  /** How many events are kept for watches that begin in the past. */
  readonly historyEvents?: number;
  readonly historyBytes?: number;
}

const HISTORY_EVENTS = 4096;
const HISTORY_BYTES = 8 * 1024 * 1024;

/** The latest state of one stored resource, its recent changes and its watchers. Fed by the WatchCache. */
export class ResourceCache {
  readonly options: ResourceCacheOptions;
  readonly #table = new EntryTable();
  readonly #index: FieldIndex | undefined;
  readonly #watchers: Watchers<Watcher>;
  readonly #dirty: Watcher[] = [];
  readonly #listeners = new Set<Listener>();
  #history: ChangeEvent[] = [];
  #historyHead = 0;
  #historyBytes = 0;
  /** Every event newer than this is in the history. */
  #historyFloor = 0;
  #lastChange = 0;
  #events = 0;
  /** What lists have cost, for who serves them to count. */
  readonly lists = { served: 0, fetched: 0, returned: 0 };

  constructor(options: ResourceCacheOptions) {
    this.options = options;
    const { namespaced, indexedField } = options;
    this.#index = indexedField === undefined ? undefined : new FieldIndex(indexedField.value);
    this.#watchers = new Watchers({ namespaced, indexedPath: indexedField?.path });
  }

  /** Changes since the load. */
  get events(): number {
    return this.#events;
  }

  get size(): number {
    return this.#table.size;
  }

  /** See EntryTable. */
  get averageBytes(): number {
    return this.#table.averageBytes;
  }

  get watcherCount(): number {
    return this.#watchers.size;
  }

  /** The revision of the newest change of this resource that has been applied (or of the load). */
  get lastChange(): number {
    return this.#lastChange;
  }

  get historyFloor(): number {
    return this.#historyFloor;
  }

  get(namespace: string, name: string): Entry | undefined {
    return this.#table.get(namespace, name);
  }

  entries(namespace?: string): Iterable<Entry> {
    return this.#table.entries(namespace);
  }

  /** First contents, before any event; for listeners that were there before they are additions. */
  load(entry: Entry): void {
    this.#table.set(entry);
    this.#index?.add(entry);
    for (const listener of this.#listeners) listener(entry.object, 'ADDED');
    if (this.options.parsedOnDemand === true) entry.release();
  }

  /** From here on, events newer than `revision` are kept. */
  loaded(revision: number): void {
    this.#historyFloor = revision;
    this.#lastChange = revision;
  }

  /** One committed change; `entry` undefined: deleted. Call `flush` after the last of a batch. */
  apply(namespace: string, name: string, entry: Entry | undefined, revision: number): void {
    const previous = this.#table.get(namespace, name);
    if (entry === undefined && previous === undefined) return;
    const event = new ChangeEvent(revision, entry, previous);
    if (previous !== undefined) this.#index?.remove(previous);
    if (entry !== undefined) {
      this.#table.set(entry);
      this.#index?.add(entry);
    } else {
      this.#table.delete(namespace, name);
    }
    this.#lastChange = revision;
    this.#events++;
    this.#remember(event);
    this.#dispatch(event);
    for (const listener of this.#listeners) {
      const object = (entry ?? event.gone)?.object;
      if (object !== undefined) listener(object, event.type);
    }
    if (this.options.parsedOnDemand === true) entry?.release();
  }

  /** Hands each watcher what has gathered for it. */
  flush(revision: number): void {
    for (const watcher of this.#dirty) {
      const batch = watcher.pending;
      watcher.pending = [];
      watcher.dirty = false;
      if (this.#watchers.has(watcher)) watcher.sink.send(batch, revision);
    }
    this.#dirty.length = 0;
  }

  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Live deliveries from now on. Returns the removal. */
  watch(filter: Filter, sink: WatchSink): () => void {
    const watcher: Watcher = { filter, sink, pending: [], dirty: false };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** The deliveries since `revision`, for a watch that begins there; undefined: too old for what is remembered. */
  since(revision: number, filter: Filter): Delivery[] | undefined {
    if (revision < this.#historyFloor) return undefined;
    const result: Delivery[] = [];
    for (let i = this.#historyAfter(revision); i < this.#history.length; i++) {
      const event = this.#history[i];
      const delivery = event === undefined ? undefined : deliveryFor(new Deliveries(event), filter);
      if (delivery !== undefined) result.push(delivery);
    }
    return result;
  }

  /** The matching entries now, in key order. */
  select(filter: Filter): Entry[] {
    return filterEntries(this.candidates(filter), filter);
  }

  /** The entries now among which all matching ones are, in key order: what remains to be filtered. */
  candidates(filter: Filter): Entry[] {
    if (filter.name !== undefined && (filter.namespace !== undefined || !this.options.namespaced)) {
      const entry = this.#table.get(filter.namespace ?? '', filter.name);
      return entry === undefined ? [] : [entry];
    }
    return this.#indexed(filter) ?? this.#table.snapshot(filter.namespace);
  }

  /** The entries of the scope as they were at `revision`; undefined: too old for what is remembered. */
  at(revision: number, namespace: string | undefined): Entry[] | undefined {
    if (revision >= this.#lastChange) return this.#table.snapshot(namespace);
    if (revision < this.#historyFloor) return undefined;
    const undone = new Map<string, Entry | undefined>();
    for (let i = this.#history.length - 1; i >= this.#historyAfter(revision); i--) {
      const event = this.#history[i];
      const either = event?.entry ?? event?.previous;
      if (event === undefined || either === undefined) continue;
      if (namespace === undefined || either.namespace === namespace) {
        undone.set(`${either.namespace}/${either.name}`, event.previous);
      }
    }
    const result = this.#table
      .snapshot(namespace)
      .filter((entry) => undone.size === 0 || !undone.has(`${entry.namespace}/${entry.name}`));
    for (const entry of undone.values()) if (entry !== undefined) result.push(entry);
    return undone.size === 0 ? result : result.sort(compareEntries);
  }

  #indexed(filter: Filter): Entry[] | undefined {
    const path = this.options.indexedField?.path;
    const pin = filter.fields.find((field) => field.equal && field.field === path);
    if (pin === undefined || this.#index === undefined) return undefined;
    return [...this.#index.get(pin.value)].sort(compareEntries);
  }

  #dispatch(event: ChangeEvent): void {
    if (this.#watchers.size === 0) return;
    const { entry, previous } = event;
    const named = entry ?? previous;
    if (named === undefined) return;
    const deliveries = new Deliveries(event);
    const values = { before: this.#indexValue(previous), now: this.#indexValue(entry) };
    for (const watcher of this.#watchers.concerned(named, values)) {
      const delivery = deliveryFor(deliveries, watcher.filter);
      if (delivery === undefined) continue;
      watcher.pending.push(delivery);
      if (!watcher.dirty) {
        watcher.dirty = true;
        this.#dirty.push(watcher);
      }
    }
  }

  #indexValue(entry: Entry | undefined): string | undefined {
    return entry === undefined ? undefined : this.options.indexedField?.value(entry.object);
  }

  #remember(event: ChangeEvent): void {
    const { historyEvents = HISTORY_EVENTS, historyBytes = HISTORY_BYTES } = this.options;
    this.#history.push(event);
    this.#historyBytes += weight(event);
    while (
      this.#history.length - this.#historyHead > historyEvents ||
      (this.#historyBytes > historyBytes && this.#history.length - this.#historyHead > 1)
    ) {
      const oldest = this.#history[this.#historyHead++];
      if (oldest === undefined) break;
      this.#historyBytes -= weight(oldest);
      this.#historyFloor = oldest.revision;
    }
    if (this.#historyHead > 512 && this.#historyHead * 2 > this.#history.length) {
      this.#history = this.#history.slice(this.#historyHead);
      this.#historyHead = 0;
    }
  }

  /** The position of the first remembered event newer than `revision`. */
  #historyAfter(revision: number): number {
    let low = this.#historyHead;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#history[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function filterEntries(entries: Entry[], filter: Filter): Entry[] {
  if (filter.labels.length === 0 && filter.fields.length === 0 && filter.name === undefined) return entries;
  return entries.filter((entry) => matches(filter, entry));
}

export function deliveryFor(deliveries: Deliveries, filter: Filter): Delivery | undefined {
  const { entry, previous } = deliveries.event;
  const now = entry !== undefined && matches(filter, entry);
  const before = previous !== undefined && matches(filter, previous);
  return now || before ? deliveries.for(before, now) : undefined;
}

function weight(event: ChangeEvent): number {
  return 256 + (event.previous?.size ?? event.entry?.size ?? 0);
}
