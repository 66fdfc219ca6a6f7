import type { CPUSet } from './cpu-set.ts';

/** Where one logical CPU sits. A core is called by the lowest id of its CPUs. */
export interface LogicalCPU {
  readonly id: number;
  readonly core: number;
  readonly socket: number;
  readonly numaNode: number;
  /** The last cache that several cores but not the whole NUMA node share; without such a one: the socket. */
  readonly uncoreCache: number;
}

export type Level = 'core' | 'socket' | 'numaNode' | 'uncoreCache';

/** How the CPUs of the machine are arranged; it does not change while it runs. */
export class CPUTopology {
  readonly all: CPUSet;
  readonly #cpus: ReadonlyMap<number, LogicalCPU>;

  constructor(cpus: readonly LogicalCPU[]) {
    this.#cpus = new Map(cpus.map((cpu) => [cpu.id, cpu]));
    this.all = new Set(this.#cpus.keys());
  }

  /** How many units of a level there are. */
  count(level: Level): number {
    return this.units(this.all, level).size;
  }

  /** CPUs per unit, taking all to be alike. */
  per(level: Level): number {
    return Math.floor(this.all.size / Math.max(1, this.count(level)));
  }

  unitOf(cpu: number, level: Level): number | undefined {
    return this.#cpus.get(cpu)?.[level];
  }

  /** The units that these CPUs are in. */
  units(cpus: CPUSet, level: Level): Set<number> {
    const units = new Set<number>();
    for (const id of cpus) {
      const cpu = this.#cpus.get(id);
      if (cpu !== undefined) units.add(cpu[level]);
    }
    return units;
  }

  /** Those of `cpus` that are in one of the units. */
  within(cpus: CPUSet, level: Level, ...units: readonly number[]): Set<number> {
    const found = new Set<number>();
    for (const id of cpus) {
      const cpu = this.#cpus.get(id);
      if (cpu !== undefined && units.includes(cpu[level])) found.add(id);
    }
    return found;
  }
}
