import { Gauge, type Metrics } from '../base/metrics.ts';
import { type CounterSeries, type HistogramSeries, TallyCounter, TallyHistogram } from '../base/tallies.ts';

/** What is counted of one controller's queue. */
export interface QueueSeries {
  readonly retries: CounterSeries;
  readonly adds: CounterSeries;
  readonly waits: HistogramSeries;
  readonly duration: HistogramSeries;
}

/** What is read of a queue at each scrape. */
export interface ObservedQueue {
  /** Requests that wait for a worker. */
  readonly size: number;
  /** How long each request that is being worked on has been so, in milliseconds. */
  underWayMs(): Iterable<number>;
}

/** The metrics of all controllers' queues, labelled by controller; names as upstream's work queues have them. */
export interface ControllerMetrics {
  seriesOf(name: string): QueueSeries;
  /** Has a queue read at each scrape. */
  observe(name: string, queue: ObservedQueue): void;
}

const BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 1, 10];

/** Registers the metrics once per process; pass the result to every controller. */
export function createControllerMetrics(metrics: Metrics): ControllerMetrics {
  const queues = new Map<string, ObservedQueue>();
  const labelNames = ['name'] as const;
  const gauge = (name: string, help: string, read: (queue: ObservedQueue) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [metrics],
      collect() {
        for (const [controller, queue] of queues) this.set({ name: controller }, read(queue));
      },
    });
  };
  gauge('workqueue_depth', 'Requests waiting in the queue of a controller', ({ size }) => size);
  gauge('workqueue_unfinished_work_seconds', 'How long all requests under way have been so, together', (queue) => {
    let sum = 0;
    for (const ms of queue.underWayMs()) sum += ms;
    return sum / 1000;
  });
  gauge('workqueue_longest_running_processor_seconds', 'How long the oldest request under way has been so', (queue) => {
    let longest = 0;
    for (const ms of queue.underWayMs()) longest = Math.max(longest, ms);
    return longest / 1000;
  });
  const counter = (name: string, help: string): TallyCounter<'name'> =>
    new TallyCounter({ name, help, labelNames }, metrics);
  const histogram = (name: string, help: string): TallyHistogram<'name'> =>
    new TallyHistogram({ name, help, labelNames, buckets: BUCKETS }, metrics);
  const retries = counter('workqueue_retries_total', 'Requests queued again after a failure');
  const adds = counter('workqueue_adds_total', 'Requests put into the queue of a controller');
  const waits = histogram('workqueue_queue_duration_seconds', 'How long requests wait in the queue of a controller');
  const duration = histogram('workqueue_work_duration_seconds', 'Time to reconcile one request');
  return {
    seriesOf: (name) => ({
      retries: retries.labels({ name }),
      adds: adds.labels({ name }),
      waits: waits.labels({ name }),
      duration: duration.labels({ name }),
    }),
    observe: (name, queue) => queues.set(name, queue),
  };
}
