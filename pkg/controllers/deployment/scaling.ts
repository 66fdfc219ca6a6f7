import { DESIRED_REPLICAS, MAX_REPLICAS } from './annotations.ts';
import {
  activeSets,
  availableTotal,
  desiredTotal,
  oldestFirst,
  type ReadDeployment,
  type ReadReplicaSet,
  replicasOf,
  rollingLimits,
} from './replica-counts.ts';

/** A ReplicaSet and the size it is to have. */
export interface Scaling {
  readonly set: ReadReplicaSet;
  readonly replicas: number;
}

/** How many pods the newest ReplicaSet may have now, given what the others have. */
export function newestSize(deployment: ReadDeployment, sets: readonly ReadReplicaSet[], current: number): number {
  const wanted = replicasOf(deployment);
  if (deployment.spec.strategy?.type === 'Recreate') return wanted;
  const free = wanted + rollingLimits(deployment).maxSurge - desiredTotal(sets);
  if (free <= 0) return current;
  return current + Math.min(free, wanted - current);
}

/** What becomes of the newest ReplicaSet in a rolling update: its size, or undefined when it is right. */
export function scaleNewest(
  deployment: ReadDeployment,
  sets: readonly ReadReplicaSet[],
  newest: ReadReplicaSet,
): number | undefined {
  const current = replicasOf(newest);
  const wanted = replicasOf(deployment);
  if (current === wanted) return undefined;
  const size = current > wanted ? wanted : newestSize(deployment, sets, current);
  return size === current ? undefined : size;
}

/**
 * Which old ReplicaSets shrink in a rolling update: first pods that are not available (they are no loss), then as many
 * available ones as the minimum allows, oldest sets first.
 */
export function scaleOld(
  deployment: ReadDeployment,
  newest: ReadReplicaSet,
  old: readonly ReadReplicaSet[],
): Scaling[] {
  if (desiredTotal(old) === 0) return [];
  const minAvailable = replicasOf(deployment) - rollingLimits(deployment).maxUnavailable;
  const newUnavailable = replicasOf(newest) - (newest.status?.availableReplicas ?? 0);
  const maxDown = desiredTotal([newest, ...old]) - minAvailable - newUnavailable;
  if (maxDown <= 0) return [];
  const sizes = new Map(old.map((set) => [set, replicasOf(set)]));
  const ordered = old.toSorted(oldestFirst);
  let unhealthy = 0;
  for (const set of ordered) {
    if (unhealthy >= maxDown) break;
    const size = sizes.get(set) ?? 0;
    const available = set.status?.availableReplicas ?? 0;
    if (size === 0 || size === available) continue;
    // Its status is older than its size: what is available is known when it has caught up.
    if (available > size) return changes(ordered, sizes);
    const down = Math.min(maxDown - unhealthy, size - available);
    sizes.set(set, size - down);
    unhealthy += down;
  }
  let spare = availableTotal([newest, ...old]) - minAvailable;
  for (const set of ordered) {
    if (spare <= 0) break;
    const size = sizes.get(set) ?? 0;
    const down = Math.min(size, spare);
    sizes.set(set, size - down);
    spare -= down;
  }
  return changes(ordered, sizes);
}

function changes(sets: readonly ReadReplicaSet[], sizes: ReadonlyMap<ReadReplicaSet, number>): Scaling[] {
  return sets.flatMap((set) => {
    const replicas = sizes.get(set) ?? 0;
    return replicas === replicasOf(set) ? [] : [{ set, replicas }];
  });
}

/** The user has changed the Deployment's size since its ReplicaSets were last scaled. */
export function isScalingEvent(deployment: ReadDeployment, sets: readonly ReadReplicaSet[]): boolean {
  return activeSets(sets).some((set) => {
    const desired = set.metadata.annotations?.[DESIRED_REPLICAS];
    return desired !== undefined && Number(desired) !== replicasOf(deployment);
  });
}

/**
 * The sizes after a change of the Deployment's size: the one active ReplicaSet takes it all; in the middle of a rollout
 * the change is spread in proportion. Sets whose size stays are listed too (their annotations may be old).
 */
export function scaleAll(
  deployment: ReadDeployment,
  newest: ReadReplicaSet | undefined,
  old: readonly ReadReplicaSet[],
): Scaling[] {
  const wanted = replicasOf(deployment);
  const single = activeOrLatest(newest, old);
  if (single !== undefined) return replicasOf(single) === wanted ? [] : [{ set: single, replicas: wanted }];
  if (newest !== undefined && isSaturated(deployment, newest)) {
    return activeSets(old).map((set) => ({ set, replicas: 0 }));
  }
  if (deployment.spec.strategy?.type === 'Recreate') return [];
  const active = activeSets([...old, ...(newest === undefined ? [] : [newest])]);
  const allowed = wanted > 0 ? wanted + rollingLimits(deployment).maxSurge : 0;
  return proportional(deployment, active, allowed - desiredTotal(active));
}

function proportional(deployment: ReadDeployment, active: readonly ReadReplicaSet[], toAdd: number): Scaling[] {
  const ordered = active.toSorted(
    (a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? oldestFirst(b, a) : oldestFirst(a, b)),
  );
  let added = 0;
  const sizes = ordered.map((set) => {
    const share = toAdd === 0 ? 0 : shareOf(deployment, set, toAdd, added);
    added += share;
    return replicasOf(set) + share;
  });
  return ordered.map((set, i) => {
    const leftover = i === 0 ? toAdd - added : 0;
    return { set, replicas: Math.max(0, (sizes[i] ?? 0) + leftover) };
  });
}

function shareOf(deployment: ReadDeployment, set: ReadReplicaSet, toAdd: number, added: number): number {
  if (replicasOf(set) === 0 || toAdd === added) return 0;
  const share = fractionOf(deployment, set);
  const allowed = toAdd - added;
  return toAdd > 0 ? Math.min(share, allowed) : Math.max(share, allowed);
}

/** What the set gains or loses when it keeps its part of the whole. */
function fractionOf(deployment: ReadDeployment, set: ReadReplicaSet): number {
  const size = replicasOf(set);
  const wanted = replicasOf(deployment);
  if (wanted === 0) return -size;
  const before = Number(set.metadata.annotations?.[MAX_REPLICAS] ?? 0) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  const now = wanted + rollingLimits(deployment).maxSurge;
  return Math.round((size * now) / before) - size;
}

function activeOrLatest(
  newest: ReadReplicaSet | undefined,
  old: readonly ReadReplicaSet[],
): ReadReplicaSet | undefined {
  const active = activeSets([...old, ...(newest === undefined ? [] : [newest])]);
  if (active.length > 1) return undefined;
  return active[0] ?? newest ?? old.toSorted(oldestFirst).at(-1);
}

function isSaturated(deployment: ReadDeployment, set: ReadReplicaSet): boolean {
  const wanted = replicasOf(deployment);
  return (
    replicasOf(set) === wanted &&
    Number(set.metadata.annotations?.[DESIRED_REPLICAS]) === wanted &&
    (set.status?.availableReplicas ?? 0) === wanted
  );
}
