import type { UserInfo } from '../../api/user.ts';
import type { Clock } from '../../base/clock.ts';
import type { RequestInfo } from '../contract.ts';
import type { Query } from '../request/query.ts';
import type { LevelLimits } from './configuration.ts';
import { dealHand } from './hand.ts';
import type { WorkEstimate } from './work-estimate.ts';

export type RefusalReason = 'concurrency-limit' | 'queue-full' | 'time-out' | 'cancelled';

/** One request on its way through a level; also what the debug dumps show. */
export interface FlowRequest {
  readonly schema: string;
  readonly distinguisher: string;
  readonly work: WorkEstimate;
  readonly arrival: Arrival;
}

/** What a request needs to be told apart. */
export interface Arrival {
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly query: Query;
  /** Aborts when the client is gone. Only asked for when the request has to wait. */
  readonly signal: AbortSignal;
}

export interface Waiting {
  readonly request: FlowRequest;
  readonly queue: Queue;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  settle(outcome: 'run' | RefusalReason): void;
}

/** Requests of the flows that share it, first come first served. */
export interface Queue {
  readonly index: number;
  readonly waiting: Waiting[];
  executing: number;
  seatsInUse: number;
  /** Where the next request starts in the level's virtual time, in seat-milliseconds. */
  nextStart: number;
}

/** What the requests of one FlowSchema do in a level now. */
export interface FlowCounts {
  executing: number;
  seats: number;
  waiting: number;
  waitingSeats: number;
}

/** A seat holder's way to give it back; calling it again does nothing. */
export type Release = () => void;

export interface PriorityLevelDeps {
  readonly clock: Clock;
  /** How many seats others leave unused that this level could borrow now. */
  spareSeats(level: PriorityLevel): number;
  /** Called when seats have become free: somebody else may want to borrow them. */
  freed(): void;
}

/** What a request is taken to cost before it has run, per seat. */
const GUESSED_MS = 3;

/**
 * The seats of one priority level and the queues for them. Queues take turns by start-time fair queuing: each request starts
 * where its queue's last one ended in virtual time, the smallest start runs next, and what a request really took is charged to
 * its queue when it ends. So each busy queue gets an equal part of the seats, whatever its requests cost. Upstream's queue sets.
 */
export class PriorityLevel {
  limits: LevelLimits;
  readonly counts = { dispatched: 0, rejected: 0, timedOut: 0, cancelled: 0 };
  readonly #deps: PriorityLevelDeps;
  /** Queues with requests in them or under way. */
  readonly #queues = new Map<number, Queue>();
  readonly #hands = new Map<string, readonly number[]>();
  readonly #flows = new Map<string, FlowCounts>();
  #seatsInUse = 0;
  #executing = 0;
  #waiting = 0;
  #virtualNow = 0;

  constructor(limits: LevelLimits, deps: PriorityLevelDeps) {
    this.limits = limits;
    this.#deps = deps;
  }

  get seatsInUse(): number {
    return this.#seatsInUse;
  }

  get executing(): number {
    return this.#executing;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** By FlowSchema. */
  get flows(): ReadonlyMap<string, Readonly<FlowCounts>> {
    return this.#flows;
  }

  get queues(): Iterable<Queue> {
    return this.#queues.values();
  }

  /** New limits apply to what comes; what waits keeps its place. */
  configure(limits: LevelLimits): void {
    const { queues, handSize } = this.limits.queuing ?? {};
    if (queues !== limits.queuing?.queues || handSize !== limits.queuing?.handSize) this.#hands.clear();
    this.limits = limits;
    this.dispatch();
  }

  /** A seat at once, a promise of one or of a refusal, or a refusal. */
  enter(request: FlowRequest): Release | RefusalReason | Promise<Release | RefusalReason> {
    if (this.limits.exempt) return this.#take(request, undefined);
    const { queuing } = this.limits;
    if (this.#waiting === 0 && this.#hasRoom(request.work.seats)) {
      return this.#take(request, queuing === undefined ? undefined : this.#chooseQueue(request));
    }
    if (queuing === undefined) return this.#refuse('concurrency-limit');
    const queue = this.#chooseQueue(request);
    if (queue.waiting.length >= queuing.lengthLimit) return this.#refuse('queue-full');
    return this.#wait(request, queue);
  }

  /** Lets what waits run as far as there are seats. */
  dispatch(): void {
    while (this.#waiting > 0) {
      const next = this.#nextWaiting();
      if (next === undefined || !this.#hasRoom(next.request.work.seats)) return;
      next.settle('run');
    }
  }

  #wait(request: FlowRequest, queue: Queue): Promise<Release | RefusalReason> {
    const { signal } = request.arrival;
    const flow = this.#flowOf(request);
    return new Promise((resolve) => {
      const onAbort = (): void => waiting.settle('cancelled');
      const cancelTimer = this.#deps.clock.after(QUEUE_WAIT_MS, () => waiting.settle('time-out'));
      const waiting: Waiting = {
        request,
        queue,
        sinceMs: this.#deps.clock.now(),
        settle: (outcome) => {
          const at = queue.waiting.indexOf(waiting);
          if (at < 0) return;
          queue.waiting.splice(at, 1);
          this.#waiting--;
          flow.waiting--;
          flow.waitingSeats -= request.work.seats;
          cancelTimer();
          signal.removeEventListener('abort', onAbort);
          resolve(outcome === 'run' ? this.#take(request, queue) : this.#refuse(outcome));
          if (outcome !== 'run') this.#forgetIdle(queue);
        },
      };
      queue.waiting.push(waiting);
      this.#waiting++;
      flow.waiting++;
      flow.waitingSeats += request.work.seats;
      signal.addEventListener('abort', onAbort, { once: true });
      // Another level may have seats to lend that this one did not have when it was last asked.
      this.dispatch();
    });
  }

  #take(request: FlowRequest, queue: Queue | undefined): Release {
    const { seats, finalSeats, finalMs } = request.work;
    const { clock } = this.#deps;
    this.counts.dispatched++;
    this.#seatsInUse += seats;
    this.#executing++;
    const flow = this.#flowOf(request);
    flow.executing++;
    flow.seats += seats;
    const guessed = seats * GUESSED_MS;
    const startedMs = clock.monotonic();
    if (queue !== undefined) {
      queue.executing++;
      queue.seatsInUse += seats;
      this.#virtualNow = Math.max(this.#virtualNow, queue.nextStart);
      queue.nextStart = this.#virtualNow + guessed;
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#executing--;
      flow.executing--;
      flow.seats -= seats;
      if (queue !== undefined) {
        queue.executing--;
        queue.seatsInUse -= seats;
        queue.nextStart += seats * (clock.monotonic() - startedMs) - guessed + finalSeats * finalMs;
        this.#forgetIdle(queue);
      }
      this.#seatsInUse += finalSeats - seats;
      if (finalSeats > 0) {
        clock.after(finalMs, () => {
          this.#seatsInUse -= finalSeats;
          this.#deps.freed();
        });
      }
      this.#deps.freed();
    };
  }

  #flowOf({ schema }: FlowRequest): FlowCounts {
    let flow = this.#flows.get(schema);
    if (flow === undefined) {
      flow = { executing: 0, seats: 0, waiting: 0, waitingSeats: 0 };
      this.#flows.set(schema, flow);
    }
    return flow;
  }

  #refuse(reason: RefusalReason): RefusalReason {
    if (reason === 'time-out') this.counts.timedOut++;
    else if (reason === 'cancelled') this.counts.cancelled++;
    else this.counts.rejected++;
    return reason;
  }

  #hasRoom(seats: number): boolean {
    const { nominal, borrowable } = this.limits;
    const wanted = this.#seatsInUse + seats;
    // What is wider than the level runs when nothing else does.
    if (wanted <= nominal || this.#seatsInUse === 0) return true;
    return (
      wanted <= nominal + borrowable && this.#deps.spareSeats(this) >= wanted - Math.max(nominal, this.#seatsInUse)
    );
  }

  /** Of the flow's hand the queue with the least work. */
  #chooseQueue(request: FlowRequest): Queue {
    const flow = `${request.schema}/${request.distinguisher}`;
    let hand = this.#hands.get(flow);
    if (hand === undefined) {
      const { queues = 1, handSize = 1 } = this.limits.queuing ?? {};
      if (this.#hands.size >= HANDS_REMEMBERED) this.#hands.clear();
      hand = dealHand(flow, queues, handSize);
      this.#hands.set(flow, hand);
    }
    let best = this.#queue(hand[0] ?? 0);
    for (const index of hand) {
      if (best.waiting.length === 0 && best.executing === 0) break;
      const queue = this.#queue(index);
      if (workOf(queue) < workOf(best)) best = queue;
    }
    this.#queues.set(best.index, best);
    return best;
  }

  #queue(index: number): Queue {
    return this.#queues.get(index) ?? { index, waiting: [], executing: 0, seatsInUse: 0, nextStart: this.#virtualNow };
  }

  #nextWaiting(): Waiting | undefined {
    let best: Queue | undefined;
    for (const queue of this.#queues.values()) {
      if (queue.waiting.length > 0 && (best === undefined || queue.nextStart < best.nextStart)) best = queue;
    }
    return best?.waiting[0];
  }

  #forgetIdle(queue: Queue): void {
    if (queue.executing > 0 || queue.waiting.length > 0 || queue.nextStart > this.#virtualNow) return;
    this.#queues.delete(queue.index);
  }
}

/** Upstream: a quarter of the request timeout, which is a minute. */
const QUEUE_WAIT_MS = 15_000;
const HANDS_REMEMBERED = 1000;

function workOf(queue: Queue): number {
  return queue.waiting.reduce((sum, { request }) => sum + request.work.seats, queue.seatsInUse);
}
