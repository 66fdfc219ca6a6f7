import { countOf } from '../int-or-percent.ts';
import { availableInMs, isPodReady, type ReadPod } from '../pod-status.ts';
import { isUpdated, type Placement, placementOn, type ReadDaemonSet, type ReadNode } from './placement.ts';

/** The daemons of each node, by the node's name. */
export type PodsByNode = ReadonlyMap<string, readonly ReadPod[]>;

/** What is to be done to a DaemonSet's pods. */
export interface DaemonPlan {
  /** Names of nodes that need a pod. */
  readonly create: readonly string[];
  readonly remove: readonly ReadPod[];
}

export interface NodePlacement extends Placement {
  readonly name: string;
}

export interface ManagePlan extends DaemonPlan {
  /** Pods that have ended; those of phase Failed wait for their back-off before they are removed. */
  readonly ended: readonly { readonly pod: ReadPod; readonly node: string }[];
}

export function placements(set: ReadDaemonSet, nodes: Iterable<ReadNode>): NodePlacement[] {
  return Array.from(nodes, (node) => ({ name: node.metadata.name, ...placementOn(set, node) }));
}

export function allowsSurge(set: ReadDaemonSet): boolean {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  return type !== 'OnDelete' && countOf(rollingUpdate?.maxSurge, 100, 'up') > 0;
}

/** One pod on every node that is to have one, none elsewhere. Upstream: DaemonSetsController.manage. */
export function managePlan(
  set: ReadDaemonSet,
  nodes: readonly NodePlacement[],
  pods: PodsByNode,
  hash: string,
  nowMs: number,
): ManagePlan {
  const create: string[] = [];
  const remove: ReadPod[] = [];
  const ended: { pod: ReadPod; node: string }[] = [];
  const known = new Set<string>();
  for (const { name, shouldRun, mayStay } of nodes) {
    known.add(name);
    const present = pods.get(name) ?? [];
    if (present.length === 0) {
      if (shouldRun) create.push(name);
      continue;
    }
    const staying = present.filter((pod) => pod.metadata.deletionTimestamp === undefined);
    if (!mayStay) {
      remove.push(...staying);
      continue;
    }
    const running: ReadPod[] = [];
    for (const pod of staying) {
      const phase = pod.status?.phase;
      if (phase === 'Failed' || phase === 'Succeeded') ended.push({ pod, node: name });
      else running.push(pod);
    }
    remove.push(...superfluous(set, running, hash, nowMs));
  }
  for (const [node, orphans] of pods) {
    if (known.has(node)) continue;
    remove.push(...orphans.filter((pod) => pod.metadata.deletionTimestamp === undefined));
  }
  return { create, remove, ended };
}

/** Of the running pods of one node those beyond one (while surging: beyond one of the old and one of the new template). */
function superfluous(set: ReadDaemonSet, running: readonly ReadPod[], hash: string, nowMs: number): readonly ReadPod[] {
  if (running.length <= 1) return [];
  const sorted = running.toSorted(scheduledAndOldFirst);
  if (!allowsSurge(set)) return sorted.slice(1);
  const updated = sorted.find((pod) => hash !== '' && isUpdated(pod, set, hash));
  const old = sorted.find((pod) => !isUpdated(pod, set, hash));
  const extra = sorted.filter((pod) => pod !== updated && pod !== old);
  if (updated === undefined || old === undefined) return extra;
  const isReplaced = availableInMs(updated, set.spec.minReadySeconds ?? 0, nowMs) === 0;
  return !isPodReady(old) || isReplaced ? [...extra, old] : extra;
}

export function scheduledAndOldFirst(a: ReadPod, b: ReadPod): number {
  return (
    Number(Boolean(b.spec.nodeName)) - Number(Boolean(a.spec.nodeName)) ||
    a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) ||
    a.metadata.name.localeCompare(b.metadata.name)
  );
}

/** The next step of a rolling update. Upstream: DaemonSetsController.rollingUpdate. */
export function rollingPlan(
  set: ReadDaemonSet,
  nodes: readonly NodePlacement[],
  pods: PodsByNode,
  hash: string,
  nowMs: number,
): DaemonPlan {
  const { rollingUpdate } = set.spec.updateStrategy ?? {};
  const eligible = nodes.filter(({ shouldRun }) => shouldRun).map(({ name }) => name);
  const names = new Set([...eligible, ...pods.keys()]);
  const maxSurge = countOf(rollingUpdate?.maxSurge, eligible.length, 'up');
  const maxUnavailable = countOf(rollingUpdate?.maxUnavailable ?? 1, eligible.length, 'up');
  const daemons = [...names].map((node) => ({
    node,
    mayRun: eligible.includes(node),
    ...daemonsOf(set, pods.get(node) ?? [], hash),
  }));
  const isAvailable = (pod: ReadPod): boolean => availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs) === 0;
  return maxSurge === 0
    ? replacePlan(daemons, Math.max(1, maxUnavailable), isAvailable)
    : surgePlan(daemons, maxSurge, eligible.length, isAvailable);
}

interface NodeDaemons {
  readonly node: string;
  /** False: pods that are there may stay, but none would be put there now. */
  readonly mayRun: boolean;
  readonly updated: ReadPod | undefined;
  readonly old: ReadPod | undefined;
  /** There are several of a kind: the manage step tidies up first. */
  readonly isCrowded: boolean;
}

function daemonsOf(set: ReadDaemonSet, pods: readonly ReadPod[], hash: string): Omit<NodeDaemons, 'node' | 'mayRun'> {
  const present = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const updated = present.filter((pod) => isUpdated(pod, set, hash));
  const old = present.filter((pod) => !isUpdated(pod, set, hash));
  return { updated: updated[0], old: old[0], isCrowded: updated.length > 1 || old.length > 1 };
}

/** Old pods go, as many as may be missing; those that do not work anyway go at once. */
function replacePlan(
  daemons: readonly NodeDaemons[],
  maxUnavailable: number,
  isAvailable: (pod: ReadPod) => boolean,
): DaemonPlan {
  let unavailable = 0;
  const broken: ReadPod[] = [];
  const candidates: ReadPod[] = [];
  for (const { updated, old, isCrowded } of daemons) {
    if (isCrowded || (updated === undefined) === (old === undefined)) {
      unavailable++;
    } else if (updated !== undefined) {
      if (!isAvailable(updated)) unavailable++;
    } else if (old !== undefined) {
      if (isAvailable(old)) {
        candidates.push(old);
      } else {
        broken.push(old);
        unavailable++;
      }
    }
  }
  const rest = Math.max(0, maxUnavailable - unavailable);
  return { create: [], remove: [...broken, ...candidates.slice(0, rest)] };
}

/**
 * New pods come beside old ones; an old pod goes when the new one is available. Old pods where none would be put now go
 * when as many as are wanted are available without them.
 */
function surgePlan(
  daemons: readonly NodeDaemons[],
  maxSurge: number,
  wanted: number,
  isAvailable: (pod: ReadPod) => boolean,
): DaemonPlan {
  let surging = 0;
  let available = 0;
  const urgent: string[] = [];
  const candidates: string[] = [];
  const remove: ReadPod[] = [];
  const unwanted: ReadPod[] = [];
  for (const { node, mayRun, updated, old, isCrowded } of daemons) {
    if (isCrowded) {
      surging++;
      continue;
    }
    const counted = old ?? updated;
    if (counted !== undefined && isAvailable(counted)) available++;
    if (old === undefined) continue;
    if (updated !== undefined) {
      if (isAvailable(updated)) remove.push(old);
      else surging++;
    } else if (mayRun) {
      (isAvailable(old) ? candidates : urgent).push(node);
    } else {
      (isAvailable(old) ? unwanted : remove).push(old);
    }
  }
  remove.push(...unwanted.slice(0, Math.max(0, available - wanted)));
  const rest = Math.max(0, maxSurge - surging);
  return { create: [...urgent, ...candidates.slice(0, rest)], remove };
}
