import type { Deployment, ReplicaSet } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';

export type ReadDeployment = DeepReadonly<Deployment>;
export type ReadReplicaSet = DeepReadonly<ReplicaSet>;

export function replicasOf(object: { readonly spec: { readonly replicas?: number } }): number {
  return object.spec.replicas ?? 1;
}

export function desiredTotal(sets: readonly ReadReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + replicasOf(set), 0);
}

export function availableTotal(sets: readonly ReadReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
}

/** How far a rolling update may go above and below the wanted number of pods. Never both 0. */
export function rollingLimits(deployment: ReadDeployment): { maxSurge: number; maxUnavailable: number } {
  const replicas = replicasOf(deployment);
  const { type, rollingUpdate } = deployment.spec.strategy ?? {};
  if (type === 'Recreate' || replicas === 0) return { maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = scaled(rollingUpdate?.maxSurge ?? '25%', replicas, Math.ceil);
  const maxUnavailable = scaled(rollingUpdate?.maxUnavailable ?? '25%', replicas, Math.floor);
  if (maxSurge === 0 && maxUnavailable === 0) return { maxSurge, maxUnavailable: 1 };
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}

function scaled(value: number | string, total: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value;
  return round((Number.parseInt(value, 10) * total) / 100);
}

export function oldestFirst(a: ReadReplicaSet, b: ReadReplicaSet): number {
  const left = a.metadata.creationTimestamp;
  const right = b.metadata.creationTimestamp;
  if (left !== right) return left < right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/** Sets that have or want pods. */
export function activeSets(sets: readonly ReadReplicaSet[]): ReadReplicaSet[] {
  return sets.filter((set) => replicasOf(set) > 0);
}
