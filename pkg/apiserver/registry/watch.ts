import type { ResourceDefinition } from '../../api/definition.ts';
import { expired, internalError, isStatusError } from '../../api/errors.ts';
import type { Status } from '../../api/generated/types.ts';
import { isStoreError } from '../../storage/contract.ts';
import type { Query } from '../request/query.ts';
import { type Filter, matches, parseFilter, storedPart } from '../selection/filter.ts';
import { atRevision, entryOf } from '../watchcache/entry.ts';
import { ChangeEvent, Deliveries, Delivery } from '../watchcache/event.ts';
import { deliveryFor, type ResourceCache } from '../watchcache/resource-cache.ts';
import { storagePrefix, storedType } from '../watchcache/watch-cache.ts';
import type { RegistryCore } from './core.ts';
import { waitForVersion } from './list.ts';
import { parseListOptions, parseResourceVersion } from './list-options.ts';

/** Events that may wait for a conversion. */
const MAX_WAITING = 10_000;
const BOOKMARK_INTERVAL_MS = 60_000;
/** How long before the end of a watch its last bookmark is sent. */
const BOOKMARK_LEAD_MS = 2000;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Where a watch delivers to; both front doors implement it. Nothing here may block. */
export interface WatchConsumer {
  deliver(deliveries: readonly Delivery[]): void;
  /** `initialEnd`: marks the end of the initial events. */
  bookmark(resourceVersion: string, initialEnd: boolean): void;
  /** The watch is over because of an error. */
  fail(status: Status): void;
  /** The watch is over; another one may begin where it ended. */
  end(): void;
}

export interface WatchRequest {
  readonly definition: ResourceDefinition;
  readonly namespace: string | undefined;
  /** For the legacy `/watch/...` paths of one object. */
  readonly name?: string;
  readonly query: Query;
}

/**
 * Begins a watch; deliveries go on until `signal` aborts. Resolves when what comes first (initial state, past events) has been
 * delivered. Throws StatusError for a request that is refused before anything was delivered.
 */
export async function watchObjects(
  core: RegistryCore,
  request: WatchRequest,
  open: () => WatchConsumer,
  signal: AbortSignal,
): Promise<void> {
  const { definition, query } = request;
  const filter = parseFilter(
    definition,
    request.namespace,
    { labelSelector: query.get('labelSelector'), fieldSelector: query.get('fieldSelector') },
    request.name,
  );
  const options = parseListOptions(query, 'watch');
  const { sendInitialEvents, allowWatchBookmarks, resourceVersion } = options;
  const version = parseResourceVersion(resourceVersion, 'watch');
  const watch = new ActiveWatch(core, filter, definition);
  if (sendInitialEvents ?? version === 0) {
    if (version > 0) await waitForVersion(core, version, signal);
    else if (resourceVersion !== '0') await core.deps.cache.current();
    watch.begin(open(), signal);
    watch.sendState();
    if (sendInitialEvents === true && allowWatchBookmarks) watch.sendBookmark(true);
  } else {
    watch.begin(open(), signal);
    const from = sendInitialEvents === false && version === 0 ? core.deps.cache.revision : version;
    await watch.sendPast(from, signal);
  }
  if (allowWatchBookmarks) watch.sendBookmarks(options.timeoutSeconds, signal);
}

/** One watch between the cache and its consumer. */
class ActiveWatch {
  readonly #core: RegistryCore;
  /** What stored objects are asked. */
  readonly #filter: Filter;
  /** What they are asked in the version of the watch, where that is more. */
  readonly #own: Filter | undefined;
  readonly #definition: ResourceDefinition;
  readonly #cache: ResourceCache;
  #consumer: WatchConsumer | undefined;
  /** While the past is being read, what happens meanwhile waits here. */
  #held: Delivery[] | undefined;
  /** What follows deliveries whose conversion is under way. */
  #waiting: Waiting[] | undefined;
  #waitingCount = 0;
  #revision = 0;
  #sentBookmark = 0;

  constructor(core: RegistryCore, filter: Filter, definition: ResourceDefinition) {
    this.#core = core;
    const stored = storedPart(filter);
    this.#filter = stored ?? filter;
    this.#own = stored === undefined ? undefined : filter;
    this.#definition = definition;
    this.#cache = core.cacheOf(definition);
  }

  begin(consumer: WatchConsumer, signal: AbortSignal): void {
    this.#consumer = consumer;
    this.#revision = this.#core.deps.cache.revision;
    const stop = this.#cache.watch(this.#filter, {
      send: (deliveries, revision) => {
        this.#revision = revision;
        if (this.#held !== undefined) this.#held.push(...deliveries);
        else this.#deliver(deliveries);
      },
    });
    // What a watcher sees is made for its definition: when that is replaced, it has to begin anew.
    const forget = this.#core.onReplaced(this.#definition, () => {
      stop();
      consumer.end();
    });
    const leave = (): void => {
      stop();
      forget();
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  }

  /** The present state as ADDED events. */
  sendState(): void {
    const entries = this.#cache.select(this.#filter);
    if (entries.length > 0) this.#deliver(entries.map((entry) => new Delivery('ADDED', entry)));
  }

  async sendPast(revision: number, signal: AbortSignal): Promise<void> {
    const past = this.#cache.since(revision, this.#filter);
    if (past !== undefined) {
      if (past.length > 0) this.#deliver(past);
      return;
    }
    this.#held = [];
    try {
      await this.#readHistory(revision, signal);
    } catch (error) {
      if (!isStoreError(error, 'COMPACTED')) throw error;
      const { status } = expired(`too old resource version: ${revision} (${error.compactRevision ?? 0})`);
      this.#consumer?.fail(status);
      return;
    }
    const held = this.#held;
    this.#held = undefined;
    if (held.length > 0) this.#deliver(held);
  }

  sendBookmark(initialEnd: boolean): void {
    this.#sentBookmark = this.#core.deps.cache.revision;
    const bookmark = String(this.#sentBookmark);
    if (this.#waiting === undefined) this.#consumer?.bookmark(bookmark, initialEnd);
    else this.#waiting.push({ bookmark, initialEnd });
  }

  /** Now and then, and shortly before a watch that has a time limit reaches it. */
  sendBookmarks(timeoutSeconds: number | undefined, signal: AbortSignal): void {
    const { clock, cache } = this.#core.deps;
    const began = clock.monotonic();
    const lastMs = timeoutSeconds === undefined || timeoutSeconds === 0 ? 0 : timeoutSeconds * 1000 - BOOKMARK_LEAD_MS;
    const nextMs = (): number => {
      const left = lastMs - (clock.monotonic() - began);
      return left > 0 ? Math.min(left, BOOKMARK_INTERVAL_MS) : BOOKMARK_INTERVAL_MS;
    };
    let cancel = (): void => {};
    const tick = (): void => {
      if (cache.revision !== this.#sentBookmark) this.sendBookmark(false);
      cancel = clock.after(nextMs(), tick);
    };
    cancel = clock.after(nextMs(), tick);
    signal.addEventListener('abort', () => cancel(), { once: true });
  }

  /** Events between `revision` and the moment the watch began, from the store. */
  async #readHistory(revision: number, signal: AbortSignal): Promise<void> {
    const { store } = this.#core.deps;
    const until = this.#revision;
    const prefix = storagePrefix(storedType(this.#definition));
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const options = { prefix, fromRevision: revision + 1, withPrevious: true, withProgress: true };
    if (revision >= until) return;
    try {
      for await (const batch of store.watch(options, either)) {
        const deliveries: Delivery[] = [];
        for (const event of batch.events) {
          if (event.revision > until) break;
          const entry = event.type === 'put' ? entryOf(event.value, event.revision) : undefined;
          const before = event.previous && entryOf(event.previous.value, event.previous.modRevision);
          const delivery = deliveryFor(new Deliveries(new ChangeEvent(event.revision, entry, before)), this.#filter);
          if (delivery !== undefined) deliveries.push(delivery);
        }
        if (deliveries.length > 0) this.#deliver(deliveries);
        if (batch.revision >= until) return;
      }
    } finally {
      stop.abort();
    }
  }

  /** Hands deliveries on in order; those that a webhook has to convert first hold up what follows. */
  #deliver(deliveries: readonly Delivery[]): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(deliveries);
      this.#waitingCount += deliveries.length;
      if (this.#waitingCount > MAX_WAITING) this.#fail(expired('the conversion of events takes too long').status);
      return;
    }
    const readable = this.#readable(deliveries);
    if (readable === undefined) {
      this.#hand(deliveries);
      return;
    }
    this.#waiting = [];
    void this.#deliverLater(readable, deliveries);
  }

  async #deliverLater(readable: Promise<void>, first: readonly Delivery[]): Promise<void> {
    try {
      await readable;
      this.#hand(first);
      for (let next = this.#waiting?.shift(); next !== undefined; next = this.#waiting?.shift()) {
        if ('bookmark' in next) {
          this.#consumer?.bookmark(next.bookmark, next.initialEnd);
          continue;
        }
        this.#waitingCount -= next.length;
        await this.#readable(next);
        this.#hand(next);
      }
      this.#waiting = undefined;
    } catch (error) {
      this.#fail((isStatusError(error) ? error : internalError(error)).status);
    }
  }

  #readable(deliveries: readonly Delivery[]): Promise<void> | undefined {
    if (this.#definition.storedAs?.prepare === undefined) return undefined;
    return this.#core.readable(
      this.#definition,
      this.#own === undefined
        ? deliveries.map(({ entry }) => entry)
        : deliveries.flatMap(({ entry, previous }) => (previous === undefined ? [entry] : [entry, previous])),
    );
  }

  #hand(deliveries: readonly Delivery[]): void {
    const consumer = this.#consumer;
    if (consumer === undefined) return;
    try {
      const translated = this.#translate(deliveries);
      if (translated.length > 0) consumer.deliver(translated);
    } catch (error) {
      // Versions that cannot be converted end the watch, not the cache that feeds it.
      if (!isStatusError(error)) throw error;
      this.#fail(error.status);
    }
  }

  #fail(status: Status): void {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    this.#waiting = [];
    consumer?.fail(status);
  }

  #translate(deliveries: readonly Delivery[]): readonly Delivery[] {
    if (this.#definition.storedAs === undefined) return deliveries;
    if (this.#own !== undefined) return this.#narrow(deliveries, this.#own);
    return deliveries.map(({ type, entry }) => new Delivery(type, this.#core.view(this.#definition, entry)));
  }

  /** What becomes of deliveries for a watcher that sees fewer objects. */
  #narrow(deliveries: readonly Delivery[], filter: Filter): Delivery[] {
    return deliveries.flatMap(({ type, entry, previous }) => {
      const now = this.#core.view(this.#definition, entry);
      if (type !== 'MODIFIED' || previous === undefined) return matches(filter, now) ? [new Delivery(type, now)] : [];
      const before = this.#core.view(this.#definition, previous);
      const isSeen = matches(filter, now);
      if (matches(filter, before))
        return [isSeen ? new Delivery('MODIFIED', now) : new Delivery('DELETED', atRevision(before, entry.revision))];
      return isSeen ? [new Delivery('ADDED', now)] : [];
    });
  }
}

type Waiting = readonly Delivery[] | { readonly bookmark: string; readonly initialEnd: boolean };

/** The object of a BOOKMARK event. */
export function bookmarkObject(
  definition: ResourceDefinition,
  resourceVersion: string,
  initialEnd: boolean,
): {
  kind: string;
  apiVersion: string;
  metadata: { resourceVersion: string; annotations?: Record<string, string> };
} {
  const { group, version, kind } = definition.type;
  return {
    kind,
    apiVersion: group === '' ? version : `${group}/${version}`,
    metadata: { resourceVersion, ...(initialEnd ? { annotations: { [INITIAL_EVENTS_END]: 'true' } } : {}) },
  };
}
