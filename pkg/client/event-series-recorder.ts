import { LRUCache } from 'lru-cache';
import { isStatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { Event } from '../api/generated/types.ts';
import { formatMicroTime } from '../api/time.ts';
import { EventNames, type EventRecorder, type EventRecorderDeps, referenceTo, SendQueue } from './event-recorder.ts';

export interface EventSeriesRecorderOptions {
  /** `default-scheduler`. */
  readonly reportingController: string;
  /** `default-scheduler-HOST`. */
  readonly reportingInstance: string;
}

interface Series {
  readonly name: string;
  readonly namespace: string;
  count: number;
  /** Monotonic. */
  lastMs: number;
  /** When the server was last told; monotonic. */
  sentMs: number;
}

/** Without a repetition for so long a series is over. */
const SERIES_ENDS_MS = 6 * 60_000;
/** A series that goes on is written again this often. */
const REFRESH_MS = 30 * 60_000;

interface Item {
  readonly key: string;
  readonly event: Event;
  readonly observedTime: string;
  /** Monotonic. */
  readonly atMs: number;
}

/**
 * Records events as the events.k8s.io/v1 recorder does: with eventTime, action and reporting controller; a repetition
 * (same but for the note, about an object that has not changed) becomes a series that is written on its second occurrence and then every 30 minutes. Events
 * are sent in the core/v1 form, in which they are stored.
 */
export function createEventSeriesRecorder(options: EventSeriesRecorderOptions, deps: EventRecorderDeps): EventRecorder {
  const names = new EventNames(options.reportingController, deps.clock);
  const seen = new LRUCache<string, Series>({ max: 4096 });
  const queue = new SendQueue<Item>(deps, async ({ key, event, observedTime, atMs }) => {
    const series = seen.get(key);
    if (series !== undefined && atMs - series.lastMs < SERIES_ENDS_MS) {
      series.count++;
      series.lastMs = atMs;
      if (series.count > 2 && atMs - series.sentMs < REFRESH_MS) return;
      series.sentMs = atMs;
      try {
        const patch = { series: { count: series.count, lastObservedTime: observedTime } };
        await deps.client.patch(resources.events, series, 'strategic', patch);
        return;
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    }
    const { name, namespace } = event.metadata;
    await deps.client.create(resources.events, event);
    seen.set(key, { name, namespace, count: 1, lastMs: atMs, sentMs: atMs });
  });
  return {
    event(subject, type, reason, note, extras = {}) {
      const regarding = referenceTo(subject);
      const observedTime = formatMicroTime(deps.clock.now());
      const { action, related, annotations } = extras;
      const event = {
        metadata: {
          name: names.next(regarding.name ?? ''),
          namespace: regarding.namespace || 'default',
          ...(annotations === undefined ? {} : { annotations }),
        },
        involvedObject: regarding,
        reason,
        message: note,
        source: {},
        type,
        eventTime: observedTime,
        ...(action === undefined ? {} : { action }),
        ...(related === undefined ? {} : { related }),
        reportingComponent: options.reportingController,
        reportingInstance: options.reportingInstance,
      } as unknown as Event;
      const { kind, namespace, name, uid, resourceVersion } = regarding;
      const about = [kind, namespace, name, uid, resourceVersion];
      const key = [...about, type, reason, action, related?.kind, related?.name].join('|');
      queue.push(regarding, { key, event, observedTime, atMs: deps.clock.monotonic() });
    },
    flush: () => queue.flush(),
  };
}
