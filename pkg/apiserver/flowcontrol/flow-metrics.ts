import { Counter, Gauge, Histogram, type Metrics } from '../../base/metrics.ts';
import type { FlowRequest, PriorityLevel, RefusalReason } from './priority-level.ts';

type FlowLabels = { readonly priority_level: string; readonly flow_schema: string };

/** Upstream's apiserver_flowcontrol_* metrics. Gauges are read from the levels when they are scraped. */
export class FlowMetrics {
  readonly #dispatched: Counter;
  readonly #dispatchedOf = new Map<string, Counter.Internal>();
  readonly #rejected: Counter;
  readonly #wait: Histogram;

  constructor(metrics: Metrics, levels: ReadonlyMap<string, PriorityLevel>) {
    const registers = [metrics];
    const labelNames = ['priority_level', 'flow_schema'];
    this.#dispatched = new Counter({
      name: 'apiserver_flowcontrol_dispatched_requests_total',
      help: 'Requests that got a seat.',
      labelNames,
      registers,
    });
    this.#rejected = new Counter({
      name: 'apiserver_flowcontrol_rejected_requests_total',
      help: 'Requests that were refused a seat.',
      labelNames: [...labelNames, 'reason'],
      registers,
    });
    this.#wait = new Histogram({
      name: 'apiserver_flowcontrol_request_wait_duration_seconds',
      help: 'How long requests that did not get a seat at once waited in a queue.',
      labelNames: [...labelNames, 'execute'],
      buckets: [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15],
      registers,
    });
    const gauges: readonly [string, string, (level: PriorityLevel) => number][] = [
      ['current_inqueue_requests', 'Requests waiting in queues.', (level) => level.waiting],
      ['current_executing_requests', 'Requests under way.', (level) => level.executing],
      ['current_executing_seats', 'Seats taken.', (level) => level.seatsInUse],
      ['nominal_limit_seats', 'Seats by shares.', ({ limits }) => limits.nominal],
      ['lower_limit_seats', 'Seats that are never lent.', ({ limits }) => limits.nominal - limits.lendable],
      ['upper_limit_seats', 'Seats with all that may be borrowed.', ({ limits }) => limits.nominal + limits.borrowable],
      ['current_limit_seats', 'Seats now.', (level) => Math.max(level.limits.nominal, level.seatsInUse)],
    ];
    for (const [name, help, read] of gauges) {
      new Gauge({
        name: `apiserver_flowcontrol_${name}`,
        help,
        labelNames: ['priority_level'],
        registers,
        collect() {
          this.reset();
          for (const level of levels.values()) this.set({ priority_level: level.limits.name }, read(level));
        },
      });
    }
  }

  dispatched(level: PriorityLevel, request: FlowRequest): void {
    const key = `${level.limits.name}/${request.schema}`;
    let counter = this.#dispatchedOf.get(key);
    if (counter === undefined) {
      counter = this.#dispatched.labels(labelsOf(level, request));
      this.#dispatchedOf.set(key, counter);
    }
    counter.inc();
  }

  rejected(level: PriorityLevel, request: FlowRequest, reason: RefusalReason): void {
    this.#rejected.inc({ ...labelsOf(level, request), reason });
  }

  waited(level: PriorityLevel, request: FlowRequest, execute: boolean, waitMs: number): void {
    this.#wait.observe({ ...labelsOf(level, request), execute: String(execute) }, waitMs / 1000);
  }
}

function labelsOf(level: PriorityLevel, request: FlowRequest): FlowLabels {
  return { priority_level: level.limits.name, flow_schema: request.schema };
}
