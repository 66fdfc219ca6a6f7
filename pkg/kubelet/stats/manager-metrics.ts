import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Upstream's, in milliseconds. */
const ADMISSION_BUCKETS = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6, 819.2];

export type PodResourcesCall = 'list' | 'get' | 'get_allocatable';

/** What a kubelet tells of those who give CPUs, memory and devices to pods alone, with upstream's names. */
export class ManagerMetrics {
  readonly #cpuRequests: Counter;
  readonly #cpuErrors: Counter;
  readonly #sharedCPUs: Gauge;
  readonly #exclusiveCPUs: Gauge;
  readonly #exclusiveByNode: Gauge<'numa_node'>;
  readonly #memoryRequests: Counter;
  readonly #memoryErrors: Counter;
  readonly #admissions: Counter;
  readonly #admissionErrors: Counter;
  readonly #admissionTime: Histogram;
  readonly #aligned: Counter<'scope' | 'boundary'>;
  readonly #notAligned: Counter<'scope' | 'boundary'>;
  readonly #podResources: Counter<'server_api_version'>;
  readonly #podResourcesCalls: Readonly<Record<PodResourcesCall, Counter<'server_api_version'>>>;
  readonly #podResourcesErrors: Readonly<Record<PodResourcesCall, Counter<'server_api_version'>>>;

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Counter<T> =>
      new Counter({ name: `kubelet_${name}`, help, labelNames: [...labelNames], registers });
    const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Gauge<T> =>
      new Gauge({ name: `kubelet_${name}`, help, labelNames: [...labelNames], registers });
    this.#cpuRequests = counter('cpu_manager_pinning_requests_total', 'Containers that asked for CPUs of their own.');
    this.#cpuErrors = counter('cpu_manager_pinning_errors_total', 'Those of them that did not get them.');
    const shared = 'Size of the shared CPUs that can still be given away, in thousandths of a core.';
    this.#sharedCPUs = gauge('cpu_manager_shared_pool_size_millicores', shared);
    this.#exclusiveCPUs = gauge('cpu_manager_exclusive_cpu_allocation_count', 'CPUs that a container has to itself.');
    this.#exclusiveByNode = gauge('cpu_manager_allocation_per_numa', 'Those of them by NUMA node.', ['numa_node']);
    const memory = 'Containers that asked for memory of certain NUMA nodes.';
    this.#memoryRequests = counter('memory_manager_pinning_requests_total', memory);
    this.#memoryErrors = counter('memory_manager_pinning_errors_total', 'Those of them that did not get it.');
    const admissions = 'Pods whose resources were to be near each other.';
    this.#admissions = counter('topology_manager_admission_requests_total', admissions);
    this.#admissionErrors = counter('topology_manager_admission_errors_total', 'Those of them that could not be.');
    this.#admissionTime = new Histogram({
      name: 'kubelet_topology_manager_admission_duration_ms',
      help: 'Duration of their admission, in milliseconds.',
      buckets: ADMISSION_BUCKETS,
      registers,
    });
    const where = ['scope', 'boundary'] as const;
    this.#aligned = counter('container_aligned_compute_resources_count', 'Containers with aligned resources.', where);
    const notAligned = 'Containers whose resources could not be aligned.';
    this.#notAligned = counter('container_aligned_compute_resources_failure_count', notAligned, where);
    const version = ['server_api_version'] as const;
    const endpoint = (name: string, help: string): Counter<'server_api_version'> =>
      counter(`pod_resources_endpoint_${name}`, help, version);
    this.#podResources = endpoint('requests_total', 'Questions about resources of pods.');
    this.#podResourcesCalls = {
      list: endpoint('requests_list', 'Questions about all pods.'),
      get: endpoint('requests_get', 'Questions about one pod.'),
      get_allocatable: endpoint('requests_get_allocatable', 'Questions about what can be given away.'),
    };
    this.#podResourcesErrors = {
      list: endpoint('errors_list', 'Those about all pods that failed.'),
      get: endpoint('errors_get', 'Those about one pod that failed.'),
      get_allocatable: endpoint('errors_get_allocatable', 'Those about what can be given away that failed.'),
    };
  }

  cpuPinning(failed: boolean): void {
    this.#cpuRequests.inc();
    if (failed) this.#cpuErrors.inc();
  }

  coreAlignment(failed: boolean): void {
    (failed ? this.#notAligned : this.#aligned).inc({ scope: 'container', boundary: 'physical_cpu' });
  }

  nodeAlignment(scope: 'container' | 'pod', failed: boolean): void {
    (failed ? this.#notAligned : this.#aligned).inc({ scope, boundary: 'numa_node' });
  }

  cpuPool(sharedMilliCPU: number, exclusive: number, byNode: ReadonlyMap<number, number>): void {
    this.#sharedCPUs.set(sharedMilliCPU);
    this.#exclusiveCPUs.set(exclusive);
    for (const [node, count] of byNode) this.#exclusiveByNode.set({ numa_node: String(node) }, count);
  }

  memoryPinning(failed: boolean): void {
    this.#memoryRequests.inc();
    if (failed) this.#memoryErrors.inc();
  }

  topologyAdmission(seconds: number, failed: boolean): void {
    this.#admissions.inc();
    this.#admissionTime.observe(seconds * 1000);
    if (failed) this.#admissionErrors.inc();
  }

  podResources(version: string, call: PodResourcesCall, failed: boolean): void {
    const labels = { server_api_version: version };
    this.#podResources.inc(labels);
    this.#podResourcesCalls[call].inc(labels);
    if (failed) this.#podResourcesErrors[call].inc(labels);
  }
}
