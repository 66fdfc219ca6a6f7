import { quantityValue } from '../../api/quantity.ts';
import { equalJSON } from '../../base/json.ts';
import type { CheckpointFile } from '../checkpoints/checkpoint-file.ts';
import { ascending } from '../cpus/cpu-set.ts';
import { givesExclusively, isRegularInit, podNeed } from '../topology/exclusive-request.ts';
import {
  type Hint,
  type HintProvider,
  type Hints,
  isNarrower,
  maskOf,
  NO_HINTS,
  type NUMAMask,
  nodesOf,
} from '../topology/hints.ts';
import type { NUMANode } from '../topology/machine-layout.ts';
import type { Container, Pod } from '../types.ts';
import { hasFree, type MemoryRequest, memoryHints, mixesGroups } from './memory-hints.ts';
import { type MemoryBlock, type MemoryState, memoryStateText, sameMachineState } from './memory-state.ts';

/** By NUMA node and kind of memory: bytes that are never given away. */
export type ReservedMemory = ReadonlyMap<number, MemoryRequest>;

export interface StaticMemoryDeps {
  readonly file: CheckpointFile;
  /** Whether the pod with this uid runs here, or will. */
  readonly hasPod: (uid: string) => boolean;
  readonly measure: { memoryPinning(failed: boolean): void };
}

/**
 * Gives containers of Guaranteed pods their memory and huge pages from as few NUMA nodes as can be. Upstream's static policy of
 * the memory manager.
 */
export class StaticMemory implements HintProvider {
  readonly #nodes: readonly NUMANode[];
  readonly #reserved: ReservedMemory;
  readonly #deps: StaticMemoryDeps;
  #state: MemoryState = { machineState: {}, entries: {} };
  /** What init containers of the pod that is being admitted had, by nodes and kind. */
  #reusable: { readonly uid: string; readonly bytes: Map<string, number> } | undefined;
  #noted = '';

  constructor(nodes: readonly NUMANode[], reserved: ReservedMemory, deps: StaticMemoryDeps) {
    this.#nodes = nodes;
    this.#reserved = reserved;
    this.#deps = deps;
  }

  /** Takes over what was given before. Throws an Error when that does not fit this machine and its reserves. */
  restore(state: MemoryState): void {
    this.#state = { machineState: this.#idle(), entries: state.entries };
    const fail = (what: string): Error =>
      new Error(`[memorymanager] ${what}, please drain node and remove policy state file`);
    for (const [uid, containers] of Object.entries(state.entries)) {
      for (const [name, blocks] of Object.entries(containers)) {
        for (const { numaAffinity, type, size } of blocks) {
          const known = numaAffinity.every((node) => this.#state.machineState[node]?.memoryMap[type] !== undefined);
          if (!known) {
            throw fail(`(pod: ${uid}, container: ${name}) the memory assignment uses the NUMA that does not exist`);
          }
          this.#take(numaAffinity, type, size);
        }
      }
    }
    if (Object.keys(state.machineState).length === 0) {
      if (Object.keys(state.entries).length === 0) return;
      throw fail('machine state can not be empty when it has memory assignments');
    }
    if (!sameMachineState(state.machineState, this.#state.machineState)) {
      throw fail('the expected machine state is different from the real one');
    }
    this.#state.machineState = state.machineState;
  }

  /** What can be given away, by node. */
  get allocatable(): readonly MemoryBlock[] {
    return Object.entries(this.#state.machineState).flatMap(([node, { memoryMap }]) =>
      Object.entries(memoryMap)
        .filter(([, { allocatable }]) => allocatable > 0)
        .map(([type, { allocatable }]) => ({ numaAffinity: [Number(node)], type, size: allocatable })),
    );
  }

  blocksOf(uid: string, container: string): readonly MemoryBlock[] {
    return this.#state.entries[uid]?.[container] ?? [];
  }

  /** NUMA nodes that the container's memory is to come from; empty: any. */
  nodesOf(uid: string, container: string): readonly number[] {
    return ascending(new Set(this.blocksOf(uid, container).flatMap(({ numaAffinity }) => numaAffinity)));
  }

  containerHints(pod: Pod, container: Container): Hints {
    if (!givesExclusively(pod)) return NO_HINTS;
    const blocks = this.blocksOf(pod.metadata.uid, container.name);
    const request = memoryRequest(container);
    return blocks.length > 0 ? hintsOfBlocks(blocks, request) : this.#hints(pod, request);
  }

  podHints(pod: Pod): Hints {
    if (!givesExclusively(pod)) return NO_HINTS;
    const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    const types = new Set(pod.spec.containers.flatMap((container) => [...memoryRequest(container).keys()]));
    const need = (type: string): number => podNeed(pod, (container) => memoryRequest(container).get(type) ?? 0);
    const request = new Map([...types].map((type) => [type, need(type)]));
    const given = containers.map(({ name }) => this.blocksOf(pod.metadata.uid, name)).find(({ length }) => length > 0);
    return given === undefined ? this.#hints(pod, request) : hintsOfBlocks(given, request);
  }

  allocate(pod: Pod, container: Container, hint: Hint): void {
    if (!givesExclusively(pod)) return;
    let failed = true;
    try {
      const blocks = this.blocksOf(pod.metadata.uid, container.name);
      if (blocks.length > 0) this.#noteReuse(pod, container, blocks);
      else this.#give(pod, container, this.#chosen(pod, memoryRequest(container), hint));
      failed = false;
    } finally {
      this.#deps.measure.memoryPinning(failed);
    }
  }

  reclaim(refused?: string): void {
    for (const [uid, containers] of Object.entries(this.#state.entries)) {
      if (uid !== refused && this.#deps.hasPod(uid)) continue;
      delete this.#state.entries[uid];
      for (const block of Object.values(containers).flat()) this.#free(block);
    }
  }

  async saved(): Promise<void> {
    const text = memoryStateText('Static', this.#state);
    if (text === this.#noted) return;
    await this.#deps.file.write(() => text);
    this.#noted = text;
  }

  /** Nothing is given away. */
  #idle(): MemoryState['machineState'] {
    const table = (node: number, type: string, total: number, elsewhere = 0): object => {
      const systemReserved = this.#reserved.get(node)?.get(type) ?? 0;
      const allocatable = Math.max(0, total - systemReserved - elsewhere);
      return { [type]: { total, systemReserved, allocatable, reserved: 0, free: allocatable } };
    };
    return Object.fromEntries(
      this.#nodes.map(({ id, memoryBytes, hugepages }) => {
        const pages = [...hugepages].map(([size, bytes]) => table(id, `hugepages-${size}`, bytes));
        const inPages = [...hugepages.values()].reduce((sum, bytes) => sum + bytes, 0);
        const memoryMap = Object.assign({}, ...pages, table(id, 'memory', memoryBytes, inPages)) as object;
        return [id, { numberOfAssignments: 0, memoryMap, cells: [id] }];
      }),
    ) as MemoryState['machineState'];
  }

  #hints(pod: Pod, request: MemoryRequest): Hints {
    return memoryHints(this.#state.machineState, request, (mask, type) => this.#reusableOf(pod, mask, type));
  }

  /** The nodes of the hint, or more when these have too little. Throws an Error when there are none. */
  #chosen(pod: Pod, request: MemoryRequest, hint: Hint): NUMAMask {
    const candidates = (): readonly Hint[] => this.#hints(pod, request).get('memory') ?? [];
    let chosen = hint;
    if (chosen.nodes === undefined) {
      const found = bestOf(candidates());
      if (found === undefined) {
        throw new Error(
          '[memorymanager] failed to get the default NUMA affinity, no NUMA nodes with enough memory is available',
        );
      }
      if (!found.preferred && hint.preferred) {
        throw new Error('[memorymanager] failed to find the default preferred hint');
      }
      chosen = found;
    }
    const mask = chosen.nodes ?? 0;
    if (!hasFree(this.#state.machineState, mask, request)) {
      const found = bestOf(candidates().filter(({ nodes = 0 }) => (nodes & mask) === mask));
      if (found === undefined) {
        throw new Error('[memorymanager] failed to find NUMA nodes to extend the current topology hint');
      }
      if (!found.preferred && chosen.preferred) {
        throw new Error('[memorymanager] failed to find the extended preferred hint');
      }
      chosen = found;
    }
    if (mixesGroups(this.#state.machineState, chosen.nodes ?? 0)) {
      throw new Error('[memorymanager] preferred hint violates NUMA node allocation');
    }
    return chosen.nodes ?? 0;
  }

  #give(pod: Pod, container: Container, mask: NUMAMask): void {
    const numaAffinity = nodesOf(mask);
    const blocks = [...memoryRequest(container)].map(([type, size]) => ({ numaAffinity, type, size }));
    for (const { type, size } of blocks) {
      this.#take(numaAffinity, type, Math.max(0, size - this.#reusableOf(pod, mask, type)));
    }
    this.#noteReuse(pod, container, blocks);
    const { uid } = pod.metadata;
    this.#state.entries[uid] = { ...this.#state.entries[uid], [container.name]: blocks };
    for (const block of blocks) this.#shrinkInitBlocks(pod, container, block);
  }

  #take(nodes: readonly number[], type: string, size: number): void {
    let rest = size;
    for (const node of nodes) {
      const state = this.#state.machineState[node];
      const table = state?.memoryMap[type];
      if (state === undefined || table === undefined) continue;
      state.numberOfAssignments++;
      state.cells = [...nodes];
      const taken = Math.min(rest, table.free);
      table.reserved += taken;
      table.free -= taken;
      rest -= taken;
    }
  }

  #free({ numaAffinity, type, size }: MemoryBlock): void {
    let rest = size;
    for (const node of numaAffinity) {
      const state = this.#state.machineState[node];
      const table = state?.memoryMap[type];
      if (state === undefined || table === undefined) continue;
      state.numberOfAssignments--;
      if (state.numberOfAssignments === 0) state.cells = [node];
      const freed = Math.min(rest, table.reserved);
      table.free += freed;
      table.reserved -= freed;
      rest -= freed;
    }
  }

  #reusableOf({ metadata: { uid } }: Pod, mask: NUMAMask, type: string): number {
    return this.#reusable?.uid === uid ? (this.#reusable.bytes.get(`${mask}/${type}`) ?? 0) : 0;
  }

  /** What an init container has, those after it may have; what an app container has of that, no other may. */
  #noteReuse(pod: Pod, container: Container, blocks: readonly MemoryBlock[]): void {
    const { uid } = pod.metadata;
    if (this.#reusable?.uid !== uid) this.#reusable = { uid, bytes: new Map() };
    const { bytes } = this.#reusable;
    for (const { numaAffinity, type, size } of blocks) {
      const key = `${maskOf(numaAffinity)}/${type}`;
      const before = bytes.get(key) ?? 0;
      bytes.set(key, isRegularInit(pod, container) ? Math.max(before, size) : Math.max(0, before - size));
    }
  }

  /** What a container has again counts no more as its predecessors', so that the blocks of a pod add up to what it has. */
  #shrinkInitBlocks(pod: Pod, container: Container, { numaAffinity, type, size }: MemoryBlock): void {
    let rest = size;
    for (const init of pod.spec.initContainers ?? []) {
      if (init.name === container.name || rest === 0) return;
      if (!isRegularInit(pod, init)) continue;
      for (const block of this.#state.entries[pod.metadata.uid]?.[init.name] ?? []) {
        if (block.type !== type || !equalJSON(block.numaAffinity, numaAffinity)) continue;
        const reused = Math.min(rest, block.size);
        block.size -= reused;
        rest -= reused;
      }
    }
  }
}

/** Memory and huge pages of a container, in bytes. */
export function memoryRequest({ resources }: Container): MemoryRequest {
  return new Map(
    Object.entries(resources?.requests ?? {})
      .filter(([type]) => type === 'memory' || type.startsWith('hugepages-'))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, amount]) => [type, quantityValue(amount)]),
  );
}

/** Where the memory is already; without hints when that is not what is asked for. */
function hintsOfBlocks(blocks: readonly MemoryBlock[], request: MemoryRequest): Hints {
  const same = blocks.length === request.size && blocks.every(({ type, size }) => request.get(type) === size);
  if (!same) return NO_HINTS;
  return new Map(blocks.map(({ type, numaAffinity }) => [type, [{ nodes: maskOf(numaAffinity), preferred: true }]]));
}

function bestOf(hints: readonly Hint[]): Hint | undefined {
  let best: Hint | undefined;
  for (const hint of hints) {
    const better =
      best === undefined ||
      (hint.preferred && !best.preferred) ||
      (hint.preferred === best.preferred && isNarrower(hint.nodes ?? 0, best.nodes ?? 0));
    if (better) best = hint;
  }
  return best;
}
