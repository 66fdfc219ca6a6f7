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
const MAX_SENT_AT_ONCE = 16;
const MAX_TRIES = 12;
const RETRY_MS = 10_000;

/** Records core/v1 Events with upstream's correlation; those of one object are sent in order. */
export function createEventRecorder(options: EventRecorderOptions, deps: EventRecorderDeps): EventRecorder {
  const { component, host } = options;
  const correlator = new EventCorrelator();
  const names = new EventNames(component, deps.clock);
  const queue = new SendQueue<EventBody>(deps, (event) =>
    send(deps.client, correlator, event, names, deps.clock.monotonic()),
  );
  return {
    event(subject, type, reason, message, extras = {}) {
      const reference = referenceTo(subject);
      const now = formatTime(deps.clock.now());
      queue.push(reference, {
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

/**
 * Sends the items of one object one after the other, those of several objects side by side. What the server refuses is
 * dropped, network failures are tried again.
 */
export class SendQueue<T> {
  readonly #deps: EventRecorderDeps;
  readonly #send: (item: T) => Promise<void>;
  /** Items by object, the one that is being sent not among them. */
  readonly #lanes = new Map<string, T[]>();
  /** Objects whose items nobody sends yet. */
  readonly #waiting: string[] = [];
  #size = 0;
  #active = 0;
  #idle = Promise.withResolvers<void>();

  constructor(deps: EventRecorderDeps, send: (item: T) => Promise<void>) {
    this.#deps = deps;
    this.#send = send;
    this.#idle.resolve();
  }

  push(object: DeepReadonly<ObjectReference>, item: T): void {
    if (this.#size >= MAX_QUEUED) return;
    if (this.#size === 0) this.#idle = Promise.withResolvers<void>();
    this.#size++;
    const key = `${object.kind}/${object.namespace}/${object.name}/${object.uid}`;
    const lane = this.#lanes.get(key);
    if (lane !== undefined) {
      lane.push(item);
      return;
    }
    this.#lanes.set(key, [item]);
    this.#waiting.push(key);
    this.#start();
  }

  flush(): Promise<void> {
    return this.#idle.promise;
  }

  #start(): void {
    while (this.#active < MAX_SENT_AT_ONCE) {
      const key = this.#waiting.shift();
      if (key === undefined) return;
      this.#active++;
      void this.#drain(key);
    }
  }

  async #drain(key: string): Promise<void> {
    const lane = this.#lanes.get(key) ?? [];
    for (let item = lane.shift(); item !== undefined; item = lane.shift()) {
      await this.#deliver(item);
      this.#size--;
    }
    // In the same turn as the last look: an item that is pushed from now on starts anew.
    this.#lanes.delete(key);
    this.#active--;
    this.#start();
    if (this.#size === 0) this.#idle.resolve();
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
