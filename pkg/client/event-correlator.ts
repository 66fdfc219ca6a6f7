import { LRUCache } from 'lru-cache';
import type { Event } from '../api/generated/types.ts';

/** The parts of an event that matter here; its name is that of the first of its kind. */
export interface Occurrence {
  readonly event: EventBody;
  /** The event exists already under this name, in this many occurrences. */
  readonly update: { readonly name: string } | undefined;
}

export type EventBody = Omit<Event, 'metadata'> & {
  metadata: { name: string; namespace: string; annotations?: Readonly<Record<string, string>> };
};

interface Similar {
  readonly messages: Set<string>;
  lastMs: number;
}

interface Seen {
  name: string;
  count: number;
  firstTimestamp: string;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

const CACHE_SIZE = 4096;
const MAX_SIMILAR = 10;
const SIMILAR_WINDOW_MS = 600_000;
const SPAM_BURST = 25;
const SPAM_REFILL_MS = 300_000;

/**
 * Decides for each event whether it is new, a repetition (count + 1), one of too many similar ones (same but for the
 * message: folded into one) or spam (more than 25 in a row about one object, one more every 5 minutes). Corresponds to
 * client-go's EventCorrelator with its defaults.
 */
export class EventCorrelator {
  readonly #similar = new LRUCache<string, Similar>({ max: CACHE_SIZE });
  readonly #seen = new LRUCache<string, Seen>({ max: CACHE_SIZE });
  readonly #buckets = new LRUCache<string, Bucket>({ max: CACHE_SIZE });

  /** undefined: the event is dropped as spam. `nowMs`: monotonic. */
  correlate(event: EventBody, nowMs: number): Occurrence | undefined {
    const { group, folded } = this.#aggregate(event, nowMs);
    const body = folded ? foldedBody(event) : event;
    const key = folded ? group : `${group}|${event.involvedObject.fieldPath ?? ''}|${event.message ?? ''}`;
    const seen = this.#seen.get(key);
    const count = (seen?.count ?? 0) + 1;
    const firstTimestamp = seen?.firstTimestamp ?? event.firstTimestamp ?? '';
    const name = seen?.name ?? event.metadata.name;
    this.#seen.set(key, { name, count, firstTimestamp });
    if (!this.#accept(event, nowMs)) return undefined;
    return {
      event: { ...body, metadata: { ...body.metadata, name }, firstTimestamp, count },
      update: seen === undefined ? undefined : { name },
    };
  }

  /** The stored event is gone: the next occurrence begins anew under this name. */
  renamed(event: EventBody, name: string): void {
    for (const entry of this.#seen.values()) if (entry.name === event.metadata.name) entry.name = name;
  }

  #aggregate(event: EventBody, nowMs: number): { group: string; folded: boolean } {
    const { involvedObject: about, source } = event;
    const group = [
      source?.component,
      source?.host,
      about.kind,
      about.namespace,
      about.name,
      about.uid,
      about.apiVersion,
      event.type,
      event.reason,
      event.reportingComponent,
      event.reportingInstance,
    ].join('|');
    let similar = this.#similar.get(group);
    if (similar === undefined || nowMs - similar.lastMs > SIMILAR_WINDOW_MS) {
      similar = { messages: new Set(), lastMs: nowMs };
      this.#similar.set(group, similar);
    }
    similar.lastMs = nowMs;
    similar.messages.add(event.message ?? '');
    if (similar.messages.size < MAX_SIMILAR) return { group, folded: false };
    const [oldest] = similar.messages;
    if (oldest !== undefined) similar.messages.delete(oldest);
    return { group, folded: true };
  }

  #accept(event: EventBody, nowMs: number): boolean {
    const { involvedObject: about, source } = event;
    const key = [source?.component, source?.host, about.kind, about.namespace, about.name, about.uid].join('|');
    const bucket = this.#buckets.get(key) ?? { tokens: SPAM_BURST, atMs: nowMs };
    bucket.tokens = Math.min(SPAM_BURST, bucket.tokens + (nowMs - bucket.atMs) / SPAM_REFILL_MS);
    bucket.atMs = nowMs;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}

/** What upstream keeps of an event that stands for similar ones: not who reports it beside its source, nor an action. */
function foldedBody(event: EventBody): EventBody {
  const { annotations: _annotations, ...metadata } = event.metadata;
  const { action: _action, related: _related, ...rest } = event;
  return {
    ...rest,
    metadata,
    message: `(combined from similar events): ${event.message ?? ''}`,
    reportingComponent: '',
    reportingInstance: '',
  };
}
