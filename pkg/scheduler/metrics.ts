import { Counter, Gauge, Histogram, type Metrics } from '../base/metrics.ts';

export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';
export type QueueName = 'active' | 'backoff' | 'unschedulable' | 'gated';

/** Upstream's metric names. */
export interface SchedulerMetrics {
  attempt(result: AttemptResult, profile: string, seconds: number): void;
  /** A pod got its node; since it was first queued, after so many attempts. */
  podScheduled(attempts: number, seconds: number): void;
  queued(event: string, queue: QueueName): void;
  extensionPoint(point: string, profile: string, seconds: number): void;
  /** A decision was made, without what follows from it. */
  algorithm(seconds: number): void;
  preemptionAttempt(): void;
  preempted(victims: number): void;
}

/** What gauges ask when they are read. */
export interface SchedulerSizes {
  readonly pending: () => Readonly<Record<QueueName, number>>;
  /** Unschedulable pods by the plugins that refused them. */
  readonly refused: () => readonly { readonly plugin: string; readonly profile: string; readonly count: number }[];
  readonly cache: () => { readonly nodes: number; readonly pods: number; readonly assumed_pods: number };
}

const ATTEMPT_SECONDS = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);
const SLI_SECONDS = Array.from({ length: 20 }, (_, i) => 0.01 * 2 ** i);
const POINT_SECONDS = Array.from({ length: 12 }, (_, i) => 0.0001 * 2 ** i);
const COUNTS = [1, 2, 4, 8, 16];
const VICTIMS = [1, 2, 4, 8, 16, 32, 64];

export function createSchedulerMetrics(registry: Metrics, sizes: SchedulerSizes): SchedulerMetrics {
  const registers = [registry];
  const attempts = new Counter({
    name: 'scheduler_schedule_attempts_total',
    help: 'Attempts to schedule pods, by result.',
    labelNames: ['result', 'profile'],
    registers,
  });
  const attemptSeconds = new Histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Time of one scheduling attempt (algorithm and binding).',
    labelNames: ['result', 'profile'],
    buckets: ATTEMPT_SECONDS,
    registers,
  });
  const sliSeconds = new Histogram({
    name: 'scheduler_pod_scheduling_sli_duration_seconds',
    help: 'Time from a pod entering the queue to its binding.',
    labelNames: ['attempts'],
    buckets: SLI_SECONDS,
    registers,
  });
  const podAttempts = new Histogram({
    name: 'scheduler_pod_scheduling_attempts',
    help: 'Attempts until a pod was scheduled.',
    buckets: COUNTS,
    registers,
  });
  const incoming = new Counter({
    name: 'scheduler_queue_incoming_pods_total',
    help: 'Pods added to scheduling queues, by event and queue.',
    labelNames: ['event', 'queue'],
    registers,
  });
  const pointSeconds = new Histogram({
    name: 'scheduler_framework_extension_point_duration_seconds',
    help: 'Time of running all plugins of an extension point.',
    labelNames: ['extension_point', 'status', 'profile'],
    buckets: POINT_SECONDS,
    registers,
  });
  const algorithmSeconds = new Histogram({
    name: 'scheduler_scheduling_algorithm_duration_seconds',
    help: 'Time of finding a node.',
    buckets: ATTEMPT_SECONDS,
    registers,
  });
  const preemptionAttempts = new Counter({
    name: 'scheduler_preemption_attempts_total',
    help: 'Attempts to make room by preemption.',
    registers,
  });
  const victims = new Histogram({
    name: 'scheduler_preemption_victims',
    help: 'Victims of one preemption.',
    buckets: VICTIMS,
    registers,
  });
  registerSizes(registry, sizes);
  return {
    attempt(result, profile, seconds) {
      attempts.inc({ result, profile });
      attemptSeconds.observe({ result, profile }, seconds);
    },
    podScheduled(count, seconds) {
      podAttempts.observe(count);
      sliSeconds.observe({ attempts: count > 15 ? '16+' : String(count) }, seconds);
    },
    queued: (event, queue) => incoming.inc({ event, queue }),
    extensionPoint: (point, profile, seconds) =>
      pointSeconds.observe({ extension_point: point, status: 'Success', profile }, seconds),
    algorithm: (seconds) => algorithmSeconds.observe(seconds),
    preemptionAttempt: () => preemptionAttempts.inc(),
    preempted: (count) => victims.observe(count),
  };
}

function registerSizes(registry: Metrics, sizes: SchedulerSizes): void {
  new Gauge({
    name: 'scheduler_pending_pods',
    help: 'Pods that wait, by queue.',
    labelNames: ['queue'],
    registers: [registry],
    collect() {
      for (const [queue, count] of Object.entries(sizes.pending())) this.set({ queue }, count);
    },
  });
  new Gauge({
    name: 'scheduler_unschedulable_pods',
    help: 'Unschedulable pods, by the plugins that refused them.',
    labelNames: ['plugin', 'profile'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { plugin, profile, count } of sizes.refused()) this.set({ plugin, profile }, count);
    },
  });
  new Gauge({
    name: 'scheduler_cache_size',
    help: 'Nodes and pods in the cache of the scheduler.',
    labelNames: ['type'],
    registers: [registry],
    collect() {
      for (const [type, count] of Object.entries(sizes.cache())) this.set({ type }, count);
    },
  });
}
