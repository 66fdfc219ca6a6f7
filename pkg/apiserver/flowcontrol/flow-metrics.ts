import { Counter, Gauge, Histogram, type Metrics } from '../../base/metrics.ts';
import type { FlowCounts, FlowRequest, PriorityLevel, RefusalReason } from './priority-level.ts';

type FlowLabels = { readonly priority_level: string; readonly flow_schema: string };

/** Upstream's apiserver_flowcontrol_* metrics. Gauges are read from the levels when they are scraped. */
export class FlowMetrics {
  /** By level and schema: every request is counted, so that counting must cost next to nothing. */
  readonly #dispatched = new Map<string, Map<string, number>>();
  readonly #rejected: Counter;
  readonly #wait: Histogram;

  constructor(metrics: Metrics, levels: ReadonlyMap<string, PriorityLevel>) {
    const registers = [metrics];
    const labelNames = ['priority_level', 'flow_schema'];
    const dispatched = this.#dispatched;
    new Counter({
      name: 'apiserver_flowcontrol_dispatched_requests_total',
      help: 'Requests that got a seat.',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [priority_level, counts] of dispatched)
          for (const [flow_schema, count] of counts) this.inc({ priority_level, flow_schema }, count);
      },
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
      ['nominal_limit_seats', 'Seats by shares.', ({ limits }) => limits.nominal],
      ['lower_limit_seats', 'Seats that are never lent.', ({ limits }) => limits.nominal - limits.lendable],
      ['upper_limit_seats', 'Seats with all that may be borrowed.', ({ limits }) => limits.nominal + limits.borrowable],
      ['current_limit_seats', 'Seats now.', (level) => Math.max(level.limits.nominal, level.seatsInUse)],
    ];
    const ofFlows: readonly [string, string, (flow: FlowCounts) => number][] = [
      ['current_inqueue_requests', 'Requests waiting in queues.', (flow) => flow.waiting],
      ['current_inqueue_seats', 'Seats that requests in queues want.', (flow) => flow.waitingSeats],
      ['current_executing_requests', 'Requests under way.', (flow) => flow.executing],
      ['current_executing_seats', 'Seats taken.', (flow) => flow.seats],
    ];
    for (const [name, help, read] of ofFlows) {
      new Gauge({
        name: `apiserver_flowcontrol_${name}`,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const { limits, flows } of levels.values())
            for (const [flow_schema, flow] of flows) this.set({ priority_level: limits.name, flow_schema }, read(flow));
        },
      });
    }
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

  dispatched({ limits }: PriorityLevel, { schema }: FlowRequest): void {
    let counts = this.#dispatched.get(limits.name);
    if (counts === undefined) {
      counts = new Map();
      this.#dispatched.set(limits.name, counts);
    }
    counts.set(schema, (counts.get(schema) ?? 0) + 1);
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
