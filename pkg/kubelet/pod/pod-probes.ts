import { containerSubject } from '../container/container-events.ts';
import type { KubeletDeps } from '../options.ts';
import { ContainerProbes, type ProbedRun } from '../probes/container-probes.ts';
import { runProbe } from '../probes/probe.ts';
import type { ProbeCounts } from '../probes/probe-counts.ts';
import type { PodRuntime } from '../runtime/pod-runtime.ts';
import { type Container, isSidecar, type Pod, type SpecContainer, specContainers } from '../types.ts';
import type { ContainerHealth } from './plan.ts';

export interface PodProbesDeps {
  readonly deps: KubeletDeps;
  readonly runtimeName: string;
  /** Every probe succeeds by itself. */
  readonly hollow: boolean;
  readonly counts: ProbeCounts;
  readonly podIP: () => string;
  readonly changed: () => void;
}

/** The probes of one pod's running containers. */
export class PodProbes {
  readonly #options: PodProbesDeps;
  readonly #probes = new Map<string, ContainerProbes>();
  /** Monotonic: when the pod was taken up. */
  readonly #followedAtMs: number;

  constructor(options: PodProbesDeps) {
    this.#options = options;
    this.#followedAtMs = options.deps.clock.monotonic();
  }

  health(containerID: string): ContainerHealth & { readonly ready: boolean } {
    const probes = this.#probes.get(containerID);
    if (probes === undefined) return { started: false, ready: false };
    const { started, ready, livenessFailed, startupFailed } = probes;
    return { started, ready, livenessFailed, startupFailed };
  }

  /** Every running container has its probes, nothing else has. */
  follow(pod: Pod, runtime: PodRuntime): void {
    const specs = new Map(specContainers(pod.spec).map((spec) => [spec.container.name, spec]));
    const running = new Set<string>();
    for (const { id, name, state, startedAtMs } of runtime.containers) {
      const spec = specs.get(name);
      if (state !== 'running' || spec === undefined) continue;
      running.add(id);
      if (!this.#probes.has(id)) this.#probes.set(id, this.#start(pod, spec, id, startedAtMs));
    }
    for (const [id, probes] of this.#probes) {
      if (running.has(id)) continue;
      probes.stop();
      this.#probes.delete(id);
    }
  }

  /** The pod ends: whether it lives no longer matters, whether it is ready does. */
  stopLiveness(): void {
    for (const probes of this.#probes.values()) probes.stopLiveness();
  }

  stop(): void {
    for (const probes of this.#probes.values()) probes.stop();
    this.#probes.clear();
  }

  #start(pod: Pod, spec: SpecContainer, containerID: string, startedAtMs: number): ContainerProbes {
    const { deps, counts, hollow, podIP, changed, runtimeName } = this.#options;
    const container = probedContainer(spec);
    const { name, namespace, uid } = pod.metadata;
    const labels = { container: container.name, namespace, pod: name, pod_uid: uid };
    const before = toldBefore(pod, `${runtimeName}://${containerID}`);
    const run = { startedAtMs, followedAtMs: this.#followedAtMs, ...(before === undefined ? {} : { before }) };
    return new ContainerProbes(container, run, {
      clock: deps.clock,
      run: async (probe) =>
        hollow
          ? { ok: true, output: '' }
          : runProbe(probe, { container, containerID, podIP: podIP() }, deps.cri.runtime),
      unhealthy: (message) => deps.recorder.event(containerSubject(pod, spec), 'Warning', 'Unhealthy', message),
      dubious: (message) => deps.recorder.event(containerSubject(pod, spec), 'Warning', 'ProbeWarning', message),
      counted: (kind, result) => counts.add({ ...labels, probe_type: TYPES[kind], result }),
      changed,
    });
  }
}

const TYPES = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' } as const;

/** Plain init containers and ephemeral ones have no probes. */
function probedContainer(spec: SpecContainer): Container {
  if (spec.kind === 'app' || (spec.kind === 'init' && isSidecar(spec.container))) return spec.container as Container;
  return { name: spec.container.name };
}

/**
 * What the API knows already of a run that this kubelet sees for the first time: an earlier one told it. A pod that was not
 * ready then is asked anew, as upstream does.
 */
function toldBefore({ status }: Pod, id: string): ProbedRun['before'] {
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const told = statuses.find(({ containerID }) => containerID === id);
  if (told === undefined) return undefined;
  const podReady = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
  return { started: told.started === true, ready: told.ready === true && podReady };
}
