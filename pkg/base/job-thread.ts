import type { MessagePort, Worker } from 'node:worker_threads';
import type { Clock } from './clock.ts';

export interface JobThreadOptions {
  /** A job that takes longer ends with its thread. */
  readonly limitMs: number;
  /** A thread without work ends after this long. */
  readonly idleMs: number;
  /** As many jobs may wait behind the one under way. */
  readonly maxWaiting: number;
}

export interface JobThreadDeps {
  /** Starts a thread that runs `serveJobs`. */
  readonly spawn: () => Worker;
  readonly clock: Clock;
}

/** BUSY: too many wait. LIMIT: the job took too long or too much memory. FAILED: the thread failed; the cause says why. */
export type JobErrorCode = 'BUSY' | 'LIMIT' | 'FAILED';

export class JobError extends Error {
  override readonly name = 'JobError';
  readonly code: JobErrorCode;

  constructor(code: JobErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

interface Job<In, Out> {
  readonly input: In;
  readonly resolve: (output: Out) => void;
  readonly reject: (error: JobError) => void;
}

/**
 * Work that would hold up the event loop, done in a thread of its own: one job after another, what goes in and comes out is
 * copied. The thread starts with the first job, and a job that must be stopped takes its thread with it.
 */
export class JobThread<In, Out> {
  readonly #options: JobThreadOptions;
  readonly #deps: JobThreadDeps;
  readonly #waiting: Job<In, Out>[] = [];
  #current: Job<In, Out> | undefined;
  #worker: Worker | undefined;
  #cancelTimer: () => void = () => {};

  constructor(options: JobThreadOptions, deps: JobThreadDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Rejects with a JobError. */
  run(input: In): Promise<Out> {
    if (this.#waiting.length >= this.#options.maxWaiting) {
      return Promise.reject(new JobError('BUSY', `${this.#waiting.length} jobs are waiting`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ input, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const { clock } = this.#deps;
    this.#cancelTimer();
    this.#current = this.#waiting.shift();
    if (this.#current === undefined) {
      // Node holds the process again for a thread that has answered; one without work must not keep it from ending.
      this.#worker?.unref();
      this.#cancelTimer = clock.after(this.#options.idleMs, () => this.#drop());
      return;
    }
    this.#cancelTimer = clock.after(this.#options.limitMs, () =>
      this.#fail(new JobError('LIMIT', `the job took more than ${this.#options.limitMs} ms`)),
    );
    this.#worker ??= this.#start();
    this.#worker.postMessage(this.#current.input);
  }

  #start(): Worker {
    const worker = this.#deps.spawn();
    worker.unref();
    // A thread that was dropped has nothing to say any more.
    const ifCurrent = (act: () => void): void => {
      if (this.#worker === worker) act();
    };
    worker.on('message', (output: Out) =>
      ifCurrent(() => {
        const job = this.#current;
        this.#current = undefined;
        job?.resolve(output);
        this.#next();
      }),
    );
    worker.on('error', (cause: Error & { code?: unknown }) => {
      const code = cause.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'LIMIT' : 'FAILED';
      ifCurrent(() => this.#fail(new JobError(code, `the thread failed: ${cause.message}`, { cause })));
    });
    worker.on('exit', (code) =>
      ifCurrent(() => this.#fail(new JobError('FAILED', `the thread ended with exit code ${code}`))),
    );
    return worker;
  }

  #fail(error: JobError): void {
    this.#drop();
    const job = this.#current;
    this.#current = undefined;
    job?.reject(error);
    this.#next();
  }

  #drop(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    // It never rejects.
    void worker?.terminate();
  }
}

/** The other side: answers each message of `port` with what `work` makes of it. What `work` throws ends the thread. */
export function serveJobs<In, Out>(port: MessagePort, work: (input: In) => Out | Promise<Out>): void {
  port.on('message', (input: In) => {
    void Promise.resolve(input)
      .then(work)
      .then((output) => port.postMessage(output));
  });
}
