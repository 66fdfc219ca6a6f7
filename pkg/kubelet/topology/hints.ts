import type { Container, Pod } from '../types.ts';
import { combinations } from './combinations.ts';

/** NUMA nodes, bit N for node N. */
export type NUMAMask = number;

/** The highest node id that fits a mask. */
export const MAX_NUMA_NODE = 30;

/** NUMA nodes that something can be taken from; without `nodes`: from any. Preferred: from no fewer nodes could it be. */
export interface Hint {
  readonly nodes?: NUMAMask;
  readonly preferred: boolean;
}

/** By resource; undefined: it does not matter where that is taken from; empty: it cannot be had anywhere. */
export type Hints = ReadonlyMap<string, readonly Hint[] | undefined>;

export const ANYWHERE: Hint = { preferred: true };
export const NO_HINTS: Hints = new Map();

/** A pod cannot be given what it asks for; becomes the reason and message of the failed pod. */
export class AllocationError extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.name = 'AllocationError';
    this.reason = reason;
  }
}

/** One who gives away a part of the machine: CPUs, memory, devices. */
export interface HintProvider {
  /** Where all that a container asks for could come from; what it has already counts as the only place. */
  containerHints(pod: Pod, container: Container): Hints;
  /** The same for all containers of the pod together. */
  podHints(pod: Pod): Hints;
  /** Gives the container what it asks for, from these nodes if that can be. Throws AllocationError, or any other Error. */
  allocate(pod: Pod, container: Container, hint: Hint): Promise<void> | void;
  /** Takes back what pods that are gone had, and what this pod had that was refused. */
  reclaim(refused?: string): void;
  /** Resolves when what was given is noted, over restarts. */
  saved(): Promise<void>;
}

export function maskOf(nodes: Iterable<number>): NUMAMask {
  let mask = 0;
  for (const node of nodes) mask |= 1 << node;
  return mask;
}

export function nodesOf(mask: NUMAMask): number[] {
  return Array.from({ length: MAX_NUMA_NODE + 1 }, (_, node) => node).filter((node) => (mask & (1 << node)) !== 0);
}

export function nodeCount(mask: NUMAMask): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Every set of the nodes but the empty one: the small ones first. */
export function* masksOf(nodes: readonly number[]): Iterable<NUMAMask> {
  for (let size = 1; size <= nodes.length; size++) {
    for (const chosen of combinations(nodes, size)) yield maskOf(chosen);
  }
}

/** Fewer nodes, or as many with lower numbers. */
export function isNarrower(a: NUMAMask, b: NUMAMask): boolean {
  return nodeCount(a) - nodeCount(b) < 0 || (nodeCount(a) === nodeCount(b) && a < b);
}
