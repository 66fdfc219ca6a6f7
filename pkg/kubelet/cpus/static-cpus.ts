import type { CheckpointFile } from '../checkpoints/checkpoint-file.ts';
import { exclusiveCPUs, isRegularInit, podNeed } from '../topology/exclusive-request.ts';
import { AllocationError, type Hint, type HintProvider, type Hints, NO_HINTS, nodesOf } from '../topology/hints.ts';
import type { Container, Pod } from '../types.ts';
import { cpuHints } from './cpu-hints.ts';
import { type CPUSet, formatCPUSet, NO_CPUS, sameCPUs } from './cpu-set.ts';
import { type CPUAssignments, type CPUState, cpuStateText } from './cpu-state.ts';
import type { CPUTopology } from './cpu-topology.ts';
import { takeDistributed } from './take-distributed.ts';
import { takePacked } from './take-packed.ts';

/** Upstream's policy options. */
export interface StaticCPUOptions {
  /** Whole cores only (`full-pcpus-only`). */
  readonly fullCores: boolean;
  /** Evenly over NUMA nodes, when one is not enough (`distribute-cpus-across-numa`). */
  readonly distribute: boolean;
  /** Reserved CPUs are nobody's (`strict-cpu-reservation`). */
  readonly strictReservation: boolean;
  /** `prefer-align-cpus-by-uncorecache`. */
  readonly preferUncoreCache: boolean;
}

export interface StaticCPUDeps {
  readonly file: CheckpointFile;
  /** Whether the pod with this uid runs here, or will. */
  readonly hasPod: (uid: string) => boolean;
  /** Other CPUs than before are everybody's. */
  readonly sharedChanged: () => void;
  readonly measure: {
    cpuPinning(failed: boolean): void;
    coreAlignment(failed: boolean): void;
    cpuPool(sharedMilliCPU: number, exclusive: number, byNode: ReadonlyMap<number, number>): void;
  };
}

/**
 * Gives containers of Guaranteed pods that ask for a whole number of CPUs these for themselves; all others share what is left.
 * Upstream's static policy of the CPU manager.
 */
export class StaticCPUs implements HintProvider {
  readonly #topology: CPUTopology;
  readonly #reserved: CPUSet;
  readonly #options: StaticCPUOptions;
  readonly #deps: StaticCPUDeps;
  #shared: CPUSet = NO_CPUS;
  #assignments = new Map<string, Map<string, CPUSet>>();
  /** What init containers of the pod that is being admitted had. */
  #reusable: { readonly uid: string; readonly cpus: CPUSet } | undefined;
  /** As they were last told of and noted. */
  #told: CPUSet = NO_CPUS;
  #noted = '';

  constructor(topology: CPUTopology, reserved: CPUSet, options: StaticCPUOptions, deps: StaticCPUDeps) {
    this.#topology = topology;
    this.#reserved = reserved;
    this.#options = options;
    this.#deps = deps;
  }

  /** Takes over what was given before. Throws an Error when that does not fit this machine and its reserves. */
  restore(state: CPUState): void {
    const all = this.#options.strictReservation ? this.#topology.all.difference(this.#reserved) : this.#topology.all;
    if (state.shared.size > 0 || state.assignments.size > 0) this.#check(state, all);
    this.#shared = state.shared.size === 0 ? all : state.shared;
    this.#assignments = new Map([...state.assignments].map(([uid, containers]) => [uid, new Map(containers)]));
    this.#told = this.#shared;
    this.#measure();
  }

  /** The CPUs that can be given away. */
  get allocatable(): CPUSet {
    return this.#topology.all.difference(this.#reserved);
  }

  /** Undefined: the container shares those of everybody. */
  exclusive(uid: string, container: string): CPUSet | undefined {
    return this.#assignments.get(uid)?.get(container);
  }

  /** Where a container is to run. */
  cpusOf(uid: string, container: string): CPUSet {
    return this.exclusive(uid, container) ?? this.#shared;
  }

  containerHints(pod: Pod, container: Container): Hints {
    const count = exclusiveCPUs(pod, container);
    if (count === 0) return NO_HINTS;
    const allocated = this.exclusive(pod.metadata.uid, container.name);
    if (allocated === undefined) return this.#hints(this.#available(), this.#reusableOf(pod), count);
    return allocated.size === count ? this.#hints(allocated, NO_CPUS, count) : new Map([['cpu', []]]);
  }

  podHints(pod: Pod): Hints {
    const count = podNeed(pod, (container) => exclusiveCPUs(pod, container));
    if (count === 0) return NO_HINTS;
    let assigned = NO_CPUS;
    for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
      const cpus = this.exclusive(pod.metadata.uid, container.name);
      if (cpus !== undefined && cpus.size !== exclusiveCPUs(pod, container)) return new Map([['cpu', []]]);
      assigned = assigned.union(cpus ?? NO_CPUS);
    }
    if (assigned.size === count) return this.#hints(assigned, NO_CPUS, count);
    return this.#hints(this.#available(), this.#reusableOf(pod).union(assigned), count);
  }

  allocate(pod: Pod, container: Container, hint: Hint): void {
    const count = exclusiveCPUs(pod, container);
    if (count === 0) return;
    const { fullCores } = this.#options;
    let failed = true;
    try {
      const had = this.exclusive(pod.metadata.uid, container.name);
      if (had === undefined && fullCores) this.#checkCores(count);
      this.#assign(pod, container, had ?? this.#take(count, hint, this.#reusableOf(pod)));
      failed = false;
    } finally {
      this.#deps.measure.cpuPinning(failed);
      if (fullCores) this.#deps.measure.coreAlignment(failed);
    }
  }

  reclaim(refused?: string): void {
    for (const [uid, containers] of this.#assignments) {
      if (uid !== refused && this.#deps.hasPod(uid)) continue;
      this.#assignments.delete(uid);
      for (const cpus of containers.values()) this.#shared = this.#shared.union(cpus);
    }
  }

  async saved(): Promise<void> {
    if (!sameCPUs(this.#told, this.#shared)) {
      this.#told = this.#shared;
      this.#measure();
      this.#deps.sharedChanged();
    }
    const text = cpuStateText('static', { shared: this.#shared, assignments: this.#assignments });
    if (text === this.#noted) return;
    await this.#deps.file.write(() => text);
    this.#noted = text;
  }

  #available(): CPUSet {
    return this.#shared.difference(this.#reserved);
  }

  #reusableOf({ metadata: { uid } }: Pod): CPUSet {
    return this.#reusable?.uid === uid ? this.#reusable.cpus : NO_CPUS;
  }

  #hints(available: CPUSet, reusable: CPUSet, count: number): Hints {
    return new Map([['cpu', cpuHints({ topology: this.#topology, available, reusable, count })]]);
  }

  /** Those of the nodes that are hinted at first. */
  #take(count: number, hint: Hint, reusable: CPUSet): CPUSet {
    const available = this.#available().union(reusable);
    const aligned =
      hint.nodes === undefined ? NO_CPUS : this.#topology.within(available, 'numaNode', ...nodesOf(hint.nodes));
    const first = takeCPUs(this.#topology, aligned, Math.min(count, aligned.size), this.#options);
    const rest = takeCPUs(this.#topology, available.difference(first), count - first.size, this.#options);
    return first.union(rest);
  }

  #assign(pod: Pod, container: Container, cpus: CPUSet): void {
    const { uid } = pod.metadata;
    const reusable = this.#reusableOf(pod);
    this.#reusable = { uid, cpus: isRegularInit(pod, container) ? reusable.union(cpus) : reusable.difference(cpus) };
    this.#shared = this.#shared.difference(cpus);
    const containers = this.#assignments.get(uid) ?? new Map<string, CPUSet>();
    this.#assignments.set(uid, containers.set(container.name, cpus));
  }

  /** Cores of which a CPU is reserved are not there to be had as a whole. */
  #checkCores(count: number): void {
    const perCore = this.#topology.per('core');
    const text = (what: string): AllocationError =>
      new AllocationError('SMTAlignmentError', `SMT Alignment Error: ${what}`);
    if (count % perCore !== 0) throw text(`requested ${count} cpus not multiple cpus per core = ${perCore}`);
    const cores = this.#topology.units(this.#reserved, 'core');
    const free = this.#shared.difference(this.#topology.within(this.#topology.all, 'core', ...cores)).size;
    if (count <= free) return;
    const amounts = `available physical CPUs = ${free}, requested CPUs = ${count}, CPUs per core = ${perCore}`;
    throw text(`not enough free physical CPUs: ${amounts}`);
  }

  #check({ shared, assignments }: CPUState, all: CPUSet): void {
    const advice = 'please drain node and remove policy state file';
    const fail = (what: string): Error => new Error(`static CPU manager policy: ${what}, ${advice}`);
    if (shared.size === 0) throw fail('default cpuset cannot be empty');
    const reserved = this.#reserved.intersection(shared);
    const text = formatCPUSet(shared);
    if (this.#options.strictReservation && reserved.size > 0) {
      const some = formatCPUSet(reserved);
      throw fail(`some of strictly reserved cpus: "${some}" are present in defaultCpuSet: "${text}"`);
    }
    if (!this.#options.strictReservation && reserved.size < this.#reserved.size) {
      throw fail(`not all reserved cpus: "${formatCPUSet(this.#reserved)}" are present in defaultCpuSet: "${text}"`);
    }
    let known = shared;
    for (const [uid, name, cpus] of each(assignments)) {
      if (!shared.isDisjointFrom(cpus)) {
        throw fail(
          `pod: ${uid}, container: ${name} cpuset: "${formatCPUSet(cpus)}" overlaps with default cpuset "${text}"`,
        );
      }
      known = known.union(cpus);
    }
    if (!sameCPUs(known, all)) {
      const now = formatCPUSet(all);
      throw fail(`current set of available CPUs "${now}" doesn't match with CPUs in state "${formatCPUSet(known)}"`);
    }
  }

  #measure(): void {
    const exclusive = new Set([...each(this.#assignments)].flatMap(([, , cpus]) => [...cpus]));
    const byNode = new Map<number, number>();
    for (const node of this.#topology.units(this.#topology.all, 'numaNode')) {
      byNode.set(node, this.#topology.within(exclusive, 'numaNode', node).size);
    }
    this.#deps.measure.cpuPool(this.#available().size * 1000, exclusive.size, byNode);
  }
}

function* each(assignments: CPUAssignments): Iterable<[uid: string, container: string, cpus: CPUSet]> {
  for (const [uid, containers] of assignments) for (const [name, cpus] of containers) yield [uid, name, cpus];
}

/** Throws an Error when there are too few. */
export function takeCPUs(
  topology: CPUTopology,
  available: CPUSet,
  count: number,
  { distribute, fullCores, preferUncoreCache }: StaticCPUOptions,
): CPUSet {
  if (!distribute) return takePacked(topology, available, count, { preferUncoreCache });
  return takeDistributed(topology, available, count, fullCores ? topology.per('core') : 1);
}
