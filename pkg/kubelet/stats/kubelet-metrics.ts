import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { ManagerMetrics } from './manager-metrics.ts';
import { ServerMetrics } from './server-metrics.ts';
import { type VolumeCounts, VolumeMetrics } from './volume-metrics.ts';

const DEFAULT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const POD_START_BUCKETS = [
  0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600,
];

const REJECTIONS: ReadonlySet<string> = new Set([
  'AppArmor',
  'Evicted',
  'NodeShutdown',
  'OutOfcpu',
  'OutOfephemeral-storage',
  'OutOfmemory',
  'OutOfpods',
  'PodOSNotSupported',
  'PodOSSelectorNodeLabelDoesNotMatch',
  'SupplementalGroupsPolicyNotSupported',
  'SysctlForbidden',
  'TopologyAffinityError',
  'UnexpectedAdmissionError',
]);

export type ContainerType = 'container' | 'init_container' | 'ephemeral_container';
export type ContainerState = 'created' | 'running' | 'exited' | 'unknown';

/** What is counted when it is asked for. */
export interface KubeletGauges {
  readonly pods: number;
  readonly containers: ReadonlyMap<ContainerState, number>;
  readonly volumes: VolumeCounts;
}

/** One kubelet's own metrics, with upstream's names; several kubelets of one process do not share them. */
export class KubeletMetrics {
  readonly registry = new Registry();
  /** Of those who give CPUs, memory and devices to pods alone. */
  readonly managers: ManagerMetrics;
  readonly server: ServerMetrics;
  readonly volumes: VolumeMetrics;
  readonly #operations: Counter<'operation_type'>;
  readonly #operationErrors: Counter<'operation_type'>;
  readonly #operationSeconds: Histogram<'operation_type'>;
  readonly #podStart: Histogram;
  readonly #podWorker: Histogram<'operation_type'>;
  readonly #relist: Histogram;
  readonly #relistInterval: Histogram;
  readonly #lastSeen: Gauge;
  readonly #startedPods: Counter;
  readonly #startedPodErrors: Counter;
  readonly #sandboxSeconds: Histogram<'runtime_handler'>;
  readonly #sandboxErrors: Counter<'runtime_handler'>;
  readonly #startedContainers: Counter<'container_type'>;
  readonly #startedContainerErrors: Counter<'container_type' | 'code'>;
  readonly #rejections: Counter<'reason'>;
  readonly #collectedImages: Counter<'reason'>;
  readonly #evictions: Counter<'eviction_signal'>;
  readonly #preemptions: Counter<'preemption_signal'>;
  readonly #hookFallbacks: Counter;
  readonly #pods: Gauge;
  readonly #containers: Gauge<'container_state'>;

  constructor(nodeName: string) {
    const registers = [this.registry];
    const counter = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Counter<T> =>
      new Counter({ name, help, labelNames: [...labelNames], registers });
    const histogram = <T extends string>(
      name: string,
      help: string,
      labelNames: readonly T[] = [],
      buckets = DEFAULT_BUCKETS,
    ): Histogram<T> => new Histogram({ name, help, labelNames: [...labelNames], buckets, registers });
    const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Gauge<T> =>
      new Gauge({ name, help, labelNames: [...labelNames], registers });
    gauge('kubelet_node_name', "The node's name. The count is always 1.", ['node']).set({ node: nodeName }, 1);
    const operation = ['operation_type'] as const;
    this.#operations = counter(
      'kubelet_runtime_operations_total',
      'Calls of the container runtime by kind.',
      operation,
    );
    this.#operationErrors = counter(
      'kubelet_runtime_operations_errors_total',
      'Failed calls of the runtime.',
      operation,
    );
    const operationSeconds = 'kubelet_runtime_operations_duration_seconds';
    this.#operationSeconds = histogram(operationSeconds, 'Duration of calls of the runtime.', operation);
    const podStart = 'From the first sight of a pod until it runs.';
    this.#podStart = histogram('kubelet_pod_start_duration_seconds', podStart, [], POD_START_BUCKETS);
    this.#podWorker = histogram('kubelet_pod_worker_duration_seconds', "Duration of a pod worker's turns.", operation);
    this.#relist = histogram('kubelet_pleg_relist_duration_seconds', 'Duration of listings of the whole runtime.');
    this.#relistInterval = histogram('kubelet_pleg_relist_interval_seconds', 'Time between listings of the runtime.');
    this.#lastSeen = gauge('kubelet_pleg_last_seen_seconds', 'When the runtime was last listed, since 1970.');
    this.#startedPods = counter('kubelet_started_pods_total', 'Sandboxes of pods that were to be started.');
    this.#startedPodErrors = counter('kubelet_started_pods_errors_total', 'Those of them that could not be.');
    const handler = ['runtime_handler'] as const;
    const sandboxes = 'Duration of the making of sandboxes.';
    this.#sandboxSeconds = histogram('kubelet_run_podsandbox_duration_seconds', sandboxes, handler);
    this.#sandboxErrors = counter('kubelet_run_podsandbox_errors_total', 'Those of them that failed.', handler);
    this.#startedContainers = counter('kubelet_started_containers_total', 'Containers that were to be started.', [
      'container_type',
    ]);
    const containerErrors = 'Those of them that could not be, by the reason why they wait.';
    this.#startedContainerErrors = counter('kubelet_started_containers_errors_total', containerErrors, [
      'container_type',
      'code',
    ]);
    const rejections = 'Pods that the node did not take.';
    this.#rejections = counter('kubelet_admission_rejections_total', rejections, ['reason']);
    const collected = 'Images that were removed because nothing used them.';
    this.#collectedImages = counter('kubelet_image_garbage_collected_total', collected, ['reason']);
    this.#evictions = counter('kubelet_evictions', 'Evicted pods by the signal.', ['eviction_signal']);
    const preemptions = 'Pods that had to make room for a critical one, by the resource that it lacked.';
    this.#preemptions = counter('kubelet_preemptions', preemptions, ['preemption_signal']);
    const fallbacks = 'Hooks over HTTPS that were carried out without TLS.';
    this.#hookFallbacks = counter('kubelet_lifecycle_handler_http_fallbacks_total', fallbacks);
    this.#pods = gauge('kubelet_running_pods', 'Pods with a running sandbox.');
    this.#containers = gauge('kubelet_running_containers', 'Containers by their state.', ['container_state']);
    this.managers = new ManagerMetrics(this.registry);
    this.server = new ServerMetrics(this.registry);
    this.volumes = new VolumeMetrics(this.registry);
  }

  runtimeOperation(type: string, seconds: number, failed: boolean): void {
    const labels = { operation_type: type };
    this.#operations.inc(labels);
    this.#operationSeconds.observe(labels, seconds);
    if (failed) this.#operationErrors.inc(labels);
  }

  podRuns(seconds: number): void {
    this.#podStart.observe(seconds);
  }

  workerTurn(kind: 'create' | 'sync', seconds: number): void {
    this.#podWorker.observe({ operation_type: kind }, seconds);
  }

  relisted(seconds: number, intervalSeconds: number | undefined): void {
    this.#relist.observe(seconds);
    if (intervalSeconds !== undefined) this.#relistInterval.observe(intervalSeconds);
  }

  /** The runtime is followed at this time. */
  runtimeSeen(nowMs: number): void {
    this.#lastSeen.set(nowMs / 1000);
  }

  sandboxStarted(handler: string, seconds: number, failed: boolean): void {
    const labels = { runtime_handler: handler };
    this.#startedPods.inc();
    this.#sandboxSeconds.observe(labels, seconds);
    if (!failed) return;
    this.#startedPodErrors.inc();
    this.#sandboxErrors.inc(labels);
  }

  containerStarted(type: ContainerType): void {
    this.#startedContainers.inc({ container_type: type });
  }

  /** `reason`: why it waits. */
  containerFailed(type: ContainerType, reason: string): void {
    this.#startedContainerErrors.inc({ container_type: type, code: reason });
  }

  /** Reasons that upstream does not tell apart are counted together: of extended resources there may be any number. */
  rejected(reason: string): void {
    const others = reason.startsWith('OutOf') ? 'OutOfExtendedResources' : 'Other';
    this.#rejections.inc({ reason: REJECTIONS.has(reason) ? reason : others });
  }

  imageCollected(reason: 'space' | 'age'): void {
    this.#collectedImages.inc({ reason });
  }

  hookFellBack(): void {
    this.#hookFallbacks.inc();
  }

  evicted(signal: string): void {
    this.#evictions.inc({ eviction_signal: signal });
  }

  /** `resource`: the first that the critical pod lacked. */
  preempted(resource: string): void {
    this.#preemptions.inc({ preemption_signal: resource });
  }

  /** The text of all of them, with the gauges as they are now. */
  text({ pods, containers, volumes }: KubeletGauges): Promise<string> {
    this.#pods.set(pods);
    this.#containers.reset();
    for (const [state, count] of containers) this.#containers.set({ container_state: state }, count);
    this.volumes.count(volumes);
    return this.registry.metrics();
  }
}
