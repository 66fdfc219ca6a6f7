import { availableInMs, isPodReady, type ReadPod } from '../pod-status.ts';
import { isInRange, ordinalOf, type ReadStatefulSet, replicasOf, revisionOf, startOrdinal } from './identity.ts';

/** The names of the revisions that a set comes from and goes to. */
export interface RevisionNames {
  readonly current: string;
  readonly update: string;
}

export interface Step {
  readonly create: readonly { readonly ordinal: number; readonly revision: string }[];
  readonly remove: readonly ReadPod[];
  /** Pods of an old revision whose turn to be replaced has come. */
  readonly replace: readonly ReadPod[];
  /** Pods that stay: their labels and claims are kept right. */
  readonly keep: readonly { readonly pod: ReadPod; readonly ordinal: number }[];
}

export interface Members {
  /** By ordinal from the start ordinal on; undefined: not there. */
  readonly replicas: readonly (ReadPod | undefined)[];
  /** Beyond the wanted range, highest ordinal first. */
  readonly condemned: readonly ReadPod[];
}

export function membersOf(set: ReadStatefulSet, pods: readonly ReadPod[]): Members {
  const replicas = new Array<ReadPod | undefined>(replicasOf(set)).fill(undefined);
  const condemned: { pod: ReadPod; ordinal: number }[] = [];
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal === undefined) continue;
    if (isInRange(set, ordinal)) replicas[ordinal - startOrdinal(set)] = pod;
    else condemned.push({ pod, ordinal });
  }
  return { replicas, condemned: condemned.sort((a, b) => b.ordinal - a.ordinal).map(({ pod }) => pod) };
}

export function isRunningAndReady(pod: ReadPod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod);
}

function isTerminating(pod: ReadPod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

function isHealthy(pod: ReadPod | undefined): boolean {
  return pod !== undefined && isRunningAndReady(pod) && !isTerminating(pod);
}

function isAvailable(set: ReadStatefulSet, pod: ReadPod, nowMs: number): boolean {
  return isRunningAndReady(pod) && availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs) === 0;
}

/** The revision that a pod which is missing is made from: in a rolling update the current one below the partition. */
export function revisionFor(set: ReadStatefulSet, names: RevisionNames, index: number): string {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type === 'OnDelete') return names.update;
  const kept = rollingUpdate === undefined ? set.status?.currentReplicas : rollingUpdate.partition;
  return index < (kept ?? 0) ? names.current : names.update;
}

/**
 * What is to be done next. Ordered sets do one thing at a time: create upwards when all below are available, then delete
 * downwards, then replace old pods from the highest ordinal. Parallel sets create and delete all at once.
 */
export function nextStep(set: ReadStatefulSet, pods: readonly ReadPod[], names: RevisionNames, nowMs: number): Step {
  const members = membersOf(set, pods);
  const isOrdered = set.spec.podManagementPolicy !== 'Parallel';
  const { step, isSettled } = replicasStep(set, members, names, isOrdered, nowMs);
  if (!isSettled) return step;
  const shrink = condemnedStep(set, members, isOrdered, nowMs);
  if (shrink.remove.length > 0 || shrink.isBlocked) return { ...step, remove: [...step.remove, ...shrink.remove] };
  if (set.spec.updateStrategy?.type === 'OnDelete') return step;
  return { ...step, replace: updateStep(set, members.replicas, names, nowMs) };
}

function replicasStep(
  set: ReadStatefulSet,
  { replicas }: Members,
  names: RevisionNames,
  isOrdered: boolean,
  nowMs: number,
): { step: Step; isSettled: boolean } {
  const create: { ordinal: number; revision: string }[] = [];
  const remove: ReadPod[] = [];
  const keep: { pod: ReadPod; ordinal: number }[] = [];
  const step: Step = { create, remove, replace: [], keep };
  for (const [index, pod] of replicas.entries()) {
    const ordinal = index + startOrdinal(set);
    const phase = pod?.status?.phase;
    let isInTheWay = true;
    if (pod === undefined) {
      create.push({ ordinal, revision: revisionFor(set, names, index) });
    } else if (phase === 'Failed' || phase === 'Succeeded') {
      // Its successor is made when it has gone.
      if (!isTerminating(pod)) remove.push(pod);
    } else {
      isInTheWay = isTerminating(pod) || !isAvailable(set, pod, nowMs);
      if (!isTerminating(pod)) keep.push({ pod, ordinal });
    }
    if (isOrdered && isInTheWay) return { step, isSettled: false };
  }
  return { step, isSettled: true };
}

function condemnedStep(
  set: ReadStatefulSet,
  { replicas, condemned }: Members,
  isOrdered: boolean,
  nowMs: number,
): { remove: readonly ReadPod[]; isBlocked: boolean } {
  if (!isOrdered) return { remove: condemned.filter((pod) => !isTerminating(pod)), isBlocked: false };
  const [pod] = condemned;
  if (pod === undefined) return { remove: [], isBlocked: false };
  if (isTerminating(pod)) return { remove: [], isBlocked: true };
  const sick = [...replicas, ...condemned.toReversed()].find((member) => member !== undefined && !isHealthy(member));
  const mayGo = isAvailable(set, pod, nowMs) || sick === pod;
  return { remove: mayGo ? [pod] : [], isBlocked: true };
}

/** Old pods that go now, so that their successors are made from the new template. */
function updateStep(
  set: ReadStatefulSet,
  replicas: readonly (ReadPod | undefined)[],
  names: RevisionNames,
  nowMs: number,
): readonly ReadPod[] {
  const { rollingUpdate } = set.spec.updateStrategy ?? {};
  const partition = rollingUpdate?.partition ?? 0;
  const targets = [...replicas.entries()].filter(([index]) => index >= partition).reverse();
  for (const [, pod] of targets) {
    if (pod !== undefined && revisionOf(pod) !== names.update && !isTerminating(pod)) return [pod];
    if (pod === undefined || isTerminating(pod) || !isAvailable(set, pod, nowMs)) return [];
  }
  return [];
}
