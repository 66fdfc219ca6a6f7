import type { Informer } from '../client/client.ts';

/** What is to be reconciled; for most controllers the key of one object. */
export interface Request {
  readonly namespace: string;
  readonly name: string;
}

export type ReconcileResult = undefined | { readonly requeueAfterMs: number };

/**
 * Brings the world of one object to what its spec says. Level-based: reads listers, writes through the client, never relies
 * on an event's payload. Throw: retried with back-off. `TerminalError`: not retried. `{ requeueAfterMs }`: again later.
 */
export interface Reconciler {
  reconcile(request: Request, signal: AbortSignal): Promise<ReconcileResult>;
}

/** Retrying cannot help; the queue forgets the request until something changes. */
export class TerminalError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'TerminalError';
  }
}

/** Feeds a controller: watches something and enqueues the requests that it concerns. */
export interface Source {
  /**
   * Starts delivering; returns when the first state has been enqueued. Stops when `signal` aborts. A request with a delay is
   * handed out then, or earlier when it is enqueued again without one.
   */
  start(enqueue: (request: Request, delayMs?: number) => void, signal: AbortSignal): Promise<void>;
}

/** Names the requests that a changed object concerns (its own key, its owner's, those of whoever refers to it). */
export type Mapper<T> = (
  object: Parameters<NonNullable<Parameters<Informer<T>['addHandler']>[0]['onAdd']>>[0],
) => readonly Request[];

/** A queue of distinct requests: one that is being worked on is not handed out twice; re-adds are kept. */
export interface WorkQueue {
  add(request: Request): void;
  addAfter(request: Request, delayMs: number): void;
  /** Adds after the back-off of this request. */
  addRateLimited(request: Request): void;
  forget(request: Request): void;
  /** Waits for work; undefined when the queue has been shut down. */
  next(signal: AbortSignal): Promise<Request | undefined>;
  done(request: Request): void;
  readonly size: number;
}
