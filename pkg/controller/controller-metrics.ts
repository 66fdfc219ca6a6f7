import { Counter, Gauge, Histogram, type Metrics } from '../base/metrics.ts';

/** The metrics of all controllers' queues, labelled by controller; names as upstream's work queues have them. */
export interface ControllerMetrics {
  readonly retries: Counter<'name'>;
  readonly adds: Counter<'name'>;
  readonly waits: Histogram<'name'>;
  readonly duration: Histogram<'name'>;
  /** Has the depth of a queue read at each scrape. */
  observeDepth(name: string, depth: () => number): void;
}

/** Registers the metrics once per process; pass the result to every controller. */
export function createControllerMetrics(metrics: Metrics): ControllerMetrics {
  const depths = new Map<string, () => number>();
  new Gauge({
    name: 'workqueue_depth',
    help: 'Requests waiting in the queue of a controller',
    labelNames: ['name'],
    registers: [metrics],
    collect() {
      for (const [name, depth] of depths) this.set({ name }, depth());
    },
  });
  return {
    retries: new Counter({
      name: 'workqueue_retries_total',
      help: 'Requests queued again after a failure',
      labelNames: ['name'],
      registers: [metrics],
    }),
    adds: new Counter({
      name: 'workqueue_adds_total',
      help: 'Requests put into the queue of a controller',
      labelNames: ['name'],
      registers: [metrics],
    }),
    waits: new Histogram({
      name: 'workqueue_queue_duration_seconds',
      help: 'How long requests wait in the queue of a controller',
      labelNames: ['name'],
      buckets: [0.0001, 0.001, 0.01, 0.1, 1, 10],
      registers: [metrics],
    }),
    duration: new Histogram({
      name: 'workqueue_work_duration_seconds',
      help: 'Time to reconcile one request',
      labelNames: ['name'],
      buckets: [0.0001, 0.001, 0.01, 0.1, 1, 10],
      registers: [metrics],
    }),
    observeDepth: (name, depth) => depths.set(name, depth),
  };
}
