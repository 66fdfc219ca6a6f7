import { isStatusError } from '../api/errors.ts';
import { aborted } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import { type Component, runTogether } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { NotServedError } from '../client/not-served.ts';
import { type Reconciler, type Request, type Source, TerminalError } from './controller.ts';
import type { ControllerMetrics, QueueSeries } from './controller-metrics.ts';
import { type RateLimit, RequestQueue, type WorkQueueDeps } from './work-queue.ts';

export interface ControllerOptions {
  readonly name: string;
  readonly sources: readonly Source[];
  readonly reconciler: Reconciler;
  /** How many requests are worked on at a time. Default 5. */
  readonly workers?: number;
  /** The first wait after a failure and the longest. */
  readonly rateLimit?: RateLimit;
  /** Called once with the queue's add functions, for reconcilers that wake themselves (timers, node events). */
  readonly onQueue?: (queue: Pick<RequestQueue, 'add' | 'addAfter'>) => void;
}

export interface ControllerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: ControllerMetrics;
}

/**
 * A reconciler with its sources, queue and workers. Ready when the sources have delivered the first state. A reconciler
 * that throws is logged and its request retried with back-off; it never takes the process down. Nor does a kind that is not
 * served: its controller says so and does nothing.
 */
export class Controller implements Component {
  readonly name: string;
  readonly #options: ControllerOptions;
  readonly #deps: ControllerDeps;
  readonly #logger: Logger;
  readonly #series: QueueSeries | undefined;

  constructor(options: ControllerOptions, deps: ControllerDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    this.#logger = deps.logger.child({ controller: options.name });
    this.#series = deps.metrics?.seriesOf(options.name);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const queue = new RequestQueue(this.#queueDeps(), this.#options.rateLimit);
    this.#deps.metrics?.observe(this.name, queue);
    this.#options.onQueue?.(queue);
    const enqueue = (request: Request, delayMs = 0): void => queue.addAfter(request, delayMs);
    try {
      await Promise.all(this.#options.sources.map((source) => source.start(enqueue, signal)));
      ready();
      const worker = (own: AbortSignal): Promise<void> => this.#work(queue, own);
      await runTogether(signal, new Array<typeof worker>(this.#options.workers ?? 5).fill(worker));
    } catch (error) {
      if (error instanceof NotServedError) {
        // Its kinds were turned off: that is no other controller's business.
        this.#logger.error({ err: error }, 'controller does not run');
        ready();
        await aborted(signal);
      } else if (!signal.aborted) throw error;
    } finally {
      queue.close();
    }
  }

  #queueDeps(): WorkQueueDeps {
    const { clock } = this.#deps;
    if (this.#series === undefined) return { clock };
    const { adds, waits } = this.#series;
    return { clock, observer: { added: () => adds.inc(), waited: (ms) => waits.observe(ms / 1000) } };
  }

  async #work(queue: RequestQueue, signal: AbortSignal): Promise<void> {
    for (let request = await queue.next(signal); request !== undefined; request = await queue.next(signal)) {
      const startMs = this.#deps.clock.monotonic();
      try {
        const result = await this.#options.reconciler.reconcile(request, signal);
        queue.forget(request);
        if (result !== undefined) queue.addAfter(request, result.requeueAfterMs);
      } catch (error) {
        if (!signal.aborted) this.#failed(queue, request, error);
      } finally {
        queue.done(request);
        this.#series?.duration.observe((this.#deps.clock.monotonic() - startMs) / 1000);
      }
    }
  }

  #failed(queue: RequestQueue, request: Request, error: unknown): void {
    if (error instanceof TerminalError) {
      queue.forget(request);
      this.#logger.error({ err: error, request }, 'reconciling failed for good');
      return;
    }
    // These only mean that our view was old.
    const level = isStatusError(error, 'Conflict') || isStatusError(error, 'NotFound') ? 'debug' : 'warn';
    this.#logger[level]({ err: error, request, failures: queue.failures(request) + 1 }, 'reconciling failed');
    this.#series?.retries.inc();
    queue.addRateLimited(request);
  }
}
