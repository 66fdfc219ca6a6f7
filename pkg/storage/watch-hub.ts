import { type Revision, StoreError, type StoreEvent, type StoreEventBatch, type WatchOptions } from './contract.ts';

/** What the hub needs of a store. */
export interface HistorySource {
  /** The newest committed revision. */
  revision(): Revision;
  compactRevision(): Revision;
  /**
   * Some of the events from `from` on, at most to `to`; `revision` in the answer says how far it got (at least
   * `from`). Rejects with COMPACTED.
   */
  history(request: HistoryRequest): Promise<StoreEventBatch>;
}

export interface HistoryRequest {
  readonly prefix: string;
  readonly from: Revision;
  readonly to: Revision;
  readonly withPrevious: boolean;
}

/** A watcher with more undelivered events than this is switched from live delivery back to reading history. */
const MAX_BUFFERED_EVENTS = 8192;

interface Subscription {
  readonly options: WatchOptions;
  /** History up to here is read from the store; what is newer comes through `batches`. */
  floor: Revision;
  batches: StoreEventBatch[];
  buffered: number;
  overflown: boolean;
  error: StoreError | undefined;
  ended: boolean;
  wake: (() => void) | undefined;
}

/** The watchers of one store: history first, then live, without gap or duplicate. */
export class WatchHub {
  readonly #source: HistorySource;
  readonly #subscriptions = new Set<Subscription>();
  #closed: StoreError | undefined;

  constructor(source: HistorySource) {
    this.#source = source;
  }

  /** Whether some watcher wants `previous` in events. */
  get wantsPrevious(): boolean {
    for (const subscription of this.#subscriptions) if (subscription.options.withPrevious === true) return true;
    return false;
  }

  /** Hands on what was committed: all events up to `revision`, in order. The source's revision is there already. */
  publish(events: readonly StoreEvent[], revision: Revision): void {
    for (const subscription of this.#subscriptions) {
      if (subscription.overflown) continue;
      const from = subscription.options.fromRevision ?? 0;
      const prefix = subscription.options.prefix;
      const matching = events.filter((event) => event.key.startsWith(prefix) && event.revision >= from);
      if (matching.length === 0 && subscription.options.withProgress !== true) continue;
      subscription.batches.push({ events: matching, revision });
      subscription.buffered += matching.length + 1;
      if (subscription.buffered > MAX_BUFFERED_EVENTS) {
        subscription.overflown = true;
        subscription.batches = [];
      }
      notify(subscription);
    }
  }

  watch(options: WatchOptions, signal: AbortSignal): AsyncIterable<StoreEventBatch> {
    const subscription: Subscription = {
      options,
      floor: this.#source.revision(),
      batches: [],
      buffered: 0,
      overflown: false,
      error: this.#closed,
      ended: signal.aborted,
      wake: undefined,
    };
    if (!subscription.ended && subscription.error === undefined) this.#subscriptions.add(subscription);
    const onAbort = (): void => {
      subscription.ended = true;
      this.#subscriptions.delete(subscription);
      notify(subscription);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const from = options.fromRevision ?? subscription.floor + 1;
    return {
      [Symbol.asyncIterator]: () =>
        this.#iterate(subscription, from, () => signal.removeEventListener('abort', onAbort)),
    };
  }

  close(error: StoreError): void {
    this.#closed = error;
    for (const subscription of this.#subscriptions) {
      subscription.error = error;
      notify(subscription);
    }
    this.#subscriptions.clear();
  }

  async *#iterate(
    subscription: Subscription,
    from: Revision,
    unlink: () => void,
  ): AsyncGenerator<StoreEventBatch, void, undefined> {
    const { prefix, withPrevious = false, withProgress = false } = subscription.options;
    let next = from;
    try {
      if (!subscription.ended && from < this.#source.compactRevision()) throw compacted(from, this.#source);
      while (!subscription.ended) {
        while (next <= subscription.floor && subscription.error === undefined) {
          const batch = await this.#source.history({ prefix, from: next, to: subscription.floor, withPrevious });
          if (subscription.ended) return;
          next = batch.revision + 1;
          if (batch.events.length > 0 || withProgress) yield batch;
          if (subscription.ended) return;
        }
        while (!subscription.overflown) {
          const batch = await takeBatch(subscription);
          if (batch === undefined) break;
          if (batch.revision < next) continue;
          next = batch.revision + 1;
          yield batch;
        }
        if (subscription.overflown) {
          subscription.floor = this.#source.revision();
          subscription.buffered = 0;
          subscription.overflown = false;
        } else if (subscription.error !== undefined) {
          throw subscription.error;
        }
      }
    } finally {
      unlink();
      this.#subscriptions.delete(subscription);
      subscription.ended = true;
    }
  }
}

/** Waits for the next live batch; undefined: the watch ended, failed or fell behind. */
async function takeBatch(subscription: Subscription): Promise<StoreEventBatch | undefined> {
  for (;;) {
    if (subscription.ended || subscription.overflown) return undefined;
    const batch = subscription.batches.shift();
    if (batch !== undefined) {
      subscription.buffered -= batch.events.length + 1;
      return batch;
    }
    if (subscription.error !== undefined) return undefined;
    await new Promise<void>((resolve) => {
      subscription.wake = resolve;
    });
  }
}

function notify(subscription: Subscription): void {
  const wake = subscription.wake;
  subscription.wake = undefined;
  wake?.();
}

export function compacted(revision: Revision, source: Pick<HistorySource, 'compactRevision'>): StoreError {
  const compactRevision = source.compactRevision();
  return new StoreError('COMPACTED', `revision ${revision} has been compacted; the oldest is ${compactRevision}`, {
    compactRevision,
  });
}
