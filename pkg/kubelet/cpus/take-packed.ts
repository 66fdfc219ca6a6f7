import { ascending, type CPUSet } from './cpu-set.ts';
import type { CPUTopology, Level } from './cpu-topology.ts';

export interface TakeOptions {
  /** As few last-level caches as can be. */
  readonly preferUncoreCache: boolean;
}

/**
 * Picks `count` of the available CPUs as close together as can be, by upstream's rule: whole sockets and NUMA nodes (the larger
 * of both first), whole caches if wanted, whole cores, and last single CPUs; of equals those come first whose unit has the
 * fewest free ones. Throws an Error when there are too few. Pure.
 */
export function takePacked(topology: CPUTopology, available: CPUSet, count: number, options: TakeOptions): CPUSet {
  const picking = new Picking(topology, available, count);
  if (picking.needed < 1) return picking.taken;
  if (count > available.size) throw notEnough(count, available);
  picking.takeFull(picking.outer, picking.sortedOuter());
  picking.takeFull(picking.inner, picking.sortedInner());
  if (options.preferUncoreCache) picking.takeCaches();
  picking.takeFull('core', picking.sortedCores());
  picking.takeSingle();
  return picking.taken;
}

export function notEnough(count: number, available: CPUSet): Error {
  return new Error(`not enough cpus available to satisfy request: requested=${count}, available=${available.size}`);
}

/** CPUs that are taken one unit after the other. */
export class Picking {
  readonly outer: Level;
  readonly inner: Level;
  taken: CPUSet = new Set();
  free: CPUSet;
  needed: number;
  readonly #topology: CPUTopology;

  constructor(topology: CPUTopology, available: CPUSet, count: number) {
    this.#topology = topology;
    this.free = available;
    this.needed = count;
    const numaFirst = topology.count('socket') >= topology.count('numaNode');
    this.outer = numaFirst ? 'numaNode' : 'socket';
    this.inner = numaFirst ? 'socket' : 'numaNode';
  }

  take(cpus: CPUSet): void {
    this.taken = this.taken.union(cpus);
    this.free = this.free.difference(cpus);
    this.needed -= cpus.size;
  }

  /** The free CPUs of a unit. */
  freeIn(level: Level, ...units: readonly number[]): CPUSet {
    return this.#topology.within(this.free, level, ...units);
  }

  sortedOuter(): number[] {
    return this.#sorted(this.free, this.outer);
  }

  sortedInner(): number[] {
    return this.sortedOuter().flatMap((unit) => this.#sorted(this.freeIn(this.outer, unit), this.inner));
  }

  sortedCores(): number[] {
    return this.sortedInner().flatMap((unit) => this.#sorted(this.freeIn(this.inner, unit), 'core'));
  }

  sortedNUMANodes(): number[] {
    return this.outer === 'numaNode' ? this.sortedOuter() : this.sortedInner();
  }

  /** Those of the units that are wholly free, as long as a whole one is needed. */
  takeFull(level: Level, units: readonly number[]): void {
    const full = units.filter((unit) => this.freeIn(level, unit).size === this.#size(level, unit));
    for (const unit of full) {
      const cpus = this.freeIn(level, unit);
      if (cpus.size > 0 && this.needed >= cpus.size) this.take(cpus);
    }
  }

  /** Whole caches, and then the first one that what is left fits in. */
  takeCaches(): void {
    for (const cache of this.#sortedCaches()) {
      if (this.needed >= this.#topology.per('uncoreCache')) this.takeFull('uncoreCache', this.#sortedCaches());
      if (this.needed < 1) return;
      this.#takePartOfCache(cache);
      if (this.needed < 1) return;
    }
  }

  takeSingle(): void {
    for (const core of this.sortedCores()) {
      for (const cpu of ascending(this.freeIn('core', core))) {
        if (this.needed < 1) return;
        this.take(new Set([cpu]));
      }
    }
  }

  #takePartOfCache(cache: number): void {
    const perCore = this.#topology.per('core');
    const cores = ascending(this.#topology.units(this.freeIn('uncoreCache', cache), 'core'));
    let cpus = ascending(this.freeIn('core', ...cores.slice(0, Math.ceil(this.needed / perCore))));
    // The last core is needed in part only.
    if (perCore > 1 && this.needed % 2 === 1 && cpus.length > this.needed) cpus = cpus.slice(0, -1);
    if (cpus.length === this.needed) this.take(new Set(cpus));
  }

  #sortedCaches(): number[] {
    return this.sortedNUMANodes().flatMap((node) => this.#sorted(this.freeIn('numaNode', node), 'uncoreCache'));
  }

  /** How many CPUs a unit has when all are free: sockets and cores are taken to be alike, as upstream does. */
  #size(level: Level, unit: number): number {
    if (level === 'socket' || level === 'core') return this.#topology.per(level);
    return this.#topology.within(this.#topology.all, level, unit).size;
  }

  /** The units of these CPUs: the ones with the fewest free CPUs first. */
  #sorted(cpus: CPUSet, level: Level): number[] {
    const units = [...this.#topology.units(cpus, level)].map((unit) => ({ unit, free: this.freeIn(level, unit).size }));
    return units.sort((a, b) => a.free - b.free || a.unit - b.unit).map(({ unit }) => unit);
  }
}
