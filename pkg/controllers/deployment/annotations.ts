import { type ReadDeployment, type ReadReplicaSet, replicasOf, rollingLimits } from './replica-counts.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
const HISTORY_LENGTH = 2000;

/** Not handed down from the Deployment to its ReplicaSets. */
const OWN = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);

type Annotations = Readonly<Record<string, string>>;

const INT64_MAX = 2n ** 63n - 1n;

/** The revision in an annotation, an int64; 0n where there is none or it is no number of 64 bits (such sets are passed over). */
export function revisionOf(object: { readonly metadata: { readonly annotations?: Annotations } }): bigint {
  const text = object.metadata.annotations?.[REVISION] ?? '';
  const revision = /^\d+$/.test(text) ? BigInt(text) : 0n;
  return revision > INT64_MAX ? 0n : revision;
}

/** The highest revision of the sets; 0n for none. */
export function maxRevision(sets: readonly ReadReplicaSet[]): bigint {
  let max = 0n;
  for (const revision of sets.map(revisionOf)) if (revision > max) max = revision;
  return max;
}

/** How many pods the Deployment wants and may have at most, as noted on its ReplicaSets. */
export function sizeAnnotations(deployment: ReadDeployment): Annotations {
  const replicas = replicasOf(deployment);
  return {
    [DESIRED_REPLICAS]: String(replicas),
    [MAX_REPLICAS]: String(replicas + rollingLimits(deployment).maxSurge),
  };
}

/** The annotations of the newest ReplicaSet: the Deployment's, its revision and the revisions it had before. */
export function newestAnnotations(deployment: ReadDeployment, present: Annotations, revision: bigint): Annotations {
  const result: Record<string, string> = { ...present };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!OWN.has(key)) result[key] = value;
  }
  const old = present[REVISION];
  if (revisionOf({ metadata: { annotations: present } }) >= revision) return result;
  result[REVISION] = String(revision);
  if (old === undefined) return result;
  const history = [...(present[REVISION_HISTORY]?.split(',') ?? []), old];
  while (history.join(',').length > HISTORY_LENGTH) history.shift();
  result[REVISION_HISTORY] = history.join(',');
  return result;
}
