import { isStatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { Event, ObjectReference } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { formatTime } from '../api/time.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Client } from './client.ts';
import { type EventBody, EventCorrelator } from './event-correlator.ts';

/** What an event is about: an object, or a reference to (a part of) one. */
export type EventSubject = DeepReadonly<
  | {
      apiVersion: string;
      kind: string;
      metadata: { name: string; namespace?: string; uid: string; resourceVersion?: string };
    }
  | (ObjectReference & { metadata?: undefined })
>;

export interface EventExtras {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly action?: string;
  readonly related?: DeepReadonly<ObjectReference>;
}

/** Tells users what happened to an object. Never throws and never waits: events are best effort. */
export interface EventRecorder {
  event(subject: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string, extras?: EventExtras): void;
  /** Resolves when all events recorded so far have been sent or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  /** `deployment-controller`, `kubelet`. */
  readonly component: string;
  /** The node, for what runs on one. */
  readonly host?: string;
}

export interface EventRecorderDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MAX_QUEUED = 1000;
const MAX_TRIES = 12;
const RETRY_MS = 10_000;

/** Records core/v1 Events with upstream's correlation; sent in order by one writer. */
export function createEventRecorder(options: EventRecorderOptions, deps: EventRecorderDeps): EventRecorder {
  const { component, host } = options;
  const correlator = new EventCorrelator();
  const names = new EventNames(component, deps.clock);
  const queue = new SendQueue<EventBody>(deps, (event) =>
    send(deps.client, correlator, event, names, deps.clock.now()),
  );
  return {
    event(subject, type, reason, message, extras = {}) {
      const reference = referenceTo(subject);
      const now = formatTime(deps.clock.now());
      queue.push({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: {
          name: names.next(reference.name ?? ''),
          namespace: reference.namespace || 'default',
          ...(extras.annotations === undefined ? {} : { annotations: extras.annotations }),
        },
        involvedObject: reference,
        reason,
        message,
        source: { component, ...(host === undefined ? {} : { host }) },
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
        type,
        ...(extras.action === undefined ? {} : { action: extras.action }),
        ...(extras.related === undefined ? {} : { related: extras.related }),
        reportingComponent: component,
        reportingInstance: host ?? '',
      });
    },
    flush: () => queue.flush(),
  };
}

async function send(
  client: Client,
  correlator: EventCorrelator,
  recorded: EventBody,
  names: EventNames,
  nowMs: number,
): Promise<void> {
  const occurrence = correlator.correlate(recorded, nowMs);
  if (occurrence === undefined) return;
  const { event, update } = occurrence;
  if (update !== undefined) {
    try {
      const { count, message, firstTimestamp, lastTimestamp } = event;
      const patch = { count, message, firstTimestamp, lastTimestamp };
      await client.patch(resources.events, event.metadata, 'strategic', patch);
      return;
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      // It has lived its time: write it again under a name of its own.
      const name = names.next(event.involvedObject.name ?? '');
      correlator.renamed(event, name);
      event.metadata.name = name;
    }
  }
  await client.create(resources.events, event as unknown as Event);
}

const NANOS_PER_MS = 1_000_000n;

/**
 * `<object>.<hex of the time in nanoseconds>`, never the same twice. Our clock has milliseconds: what is below them tells the
 * components apart, which may speak of one object at the same time.
 */
export class EventNames {
  readonly #clock: Clock;
  readonly #offset: bigint;
  #last = 0n;

  constructor(component: string, clock: Clock) {
    this.#clock = clock;
    let hash = 0n;
    for (const byte of Buffer.from(component)) hash = (hash * 31n + BigInt(byte)) % NANOS_PER_MS;
    this.#offset = hash;
  }

  next(object: string): string {
    const now = BigInt(Math.trunc(this.#clock.now())) * NANOS_PER_MS + this.#offset;
    this.#last = now > this.#last ? now : this.#last + 1n;
    return `${object}.${this.#last.toString(16)}`;
  }
}

/** Sends one item after the other; what the server refuses is dropped, network failures are tried again. */
export class SendQueue<T> {
  readonly #deps: EventRecorderDeps;
  readonly #send: (item: T) => Promise<void>;
  readonly #items: T[] = [];
  #running: Promise<void> | undefined;

  constructor(deps: EventRecorderDeps, send: (item: T) => Promise<void>) {
    this.#deps = deps;
    this.#send = send;
  }

  push(item: T): void {
    if (this.#items.length >= MAX_QUEUED) return;
    this.#items.push(item);
    this.#running ??= this.#drain();
  }

  async flush(): Promise<void> {
    await this.#running;
  }

  async #drain(): Promise<void> {
    // Begins in a later turn than `push`, which has to know it as running before it can end.
    await undefined;
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) await this.#deliver(item);
    // In the same turn as the last look: an item that is pushed from now on starts anew.
    this.#running = undefined;
  }

  async #deliver(item: T): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#send(item);
        return;
      } catch (error) {
        const refused = isStatusError(error);
        if (refused || tries >= MAX_TRIES) {
          const namespaceGone = isStatusError(error, 'Forbidden') || isStatusError(error, 'NotFound');
          this.#deps.logger[namespaceGone ? 'debug' : 'warn']({ err: error }, 'event was not recorded');
          return;
        }
        await new Promise<void>((resolve) => this.#deps.clock.after(RETRY_MS, resolve));
      }
    }
  }
}

/** An ObjectReference as events carry it. */
export function referenceTo(subject: EventSubject): ObjectReference {
  if (subject.metadata === undefined) return { ...subject } as ObjectReference;
  const { name, namespace, uid, resourceVersion } = subject.metadata;
  return {
    kind: subject.kind,
    ...(namespace ? { namespace } : {}),
    name,
    uid,
    apiVersion: subject.apiVersion,
    ...(resourceVersion ? { resourceVersion } : {}),
  };
}
