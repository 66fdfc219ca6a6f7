import type { PodTemplateSpec } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { deletionOrder } from '../deletion-order.ts';
import type { ReadPod } from '../pod-status.ts';
import type { Assessment } from './assessment.ts';
import { INDEX_KEY, indexOf, isIndexed } from './indexes.ts';
import { type ReadJob, TRACKING_FINALIZER, waitsForEnd } from './job-pods.ts';
import { failureAnnotations, retryInMs } from './per-index.ts';

type Template = DeepReadonly<PodTemplateSpec>;

/** At most so many pods are created or deleted in one go. */
const BURST = 500;
const MAX_GENERATE_NAME = 58;
const MAX_HOSTNAME = 63;

export interface ManagePlan {
  readonly remove: readonly ReadPod[];
  /** Pods to create: their indexes, or undefined for jobs without. */
  readonly create: readonly (number | undefined)[];
  /** When a pod may be created that has to wait now. */
  readonly waitMs: number | undefined;
}

/** Pods to create or (never both) to delete. `backoffMs`: how long the job as a whole must wait. Upstream: manageJob. */
export function managePlan(job: ReadJob, facts: Assessment, backoffMs: number, nowMs: number): ManagePlan {
  const { active } = facts;
  if (job.spec.suspend === true) return { remove: active.slice(0, BURST), create: [], waitMs: undefined };
  const wanted = wantedActive(job, facts);
  const remove = superfluous(job, active, Math.max(0, active.length - wanted), nowMs).slice(0, BURST);
  if (remove.length > 0) return { remove, create: [], waitMs: undefined };
  const ending = waitsForEnd(job) ? facts.terminating.length : 0;
  const missing = Math.min(BURST, wanted - active.length - ending);
  if (missing <= 0) return { remove, create: [], waitMs: undefined };
  if (backoffMs > 0) return { remove, create: [], waitMs: backoffMs };
  if (!isIndexed(job)) return { remove, create: new Array<undefined>(missing).fill(undefined), waitMs: undefined };
  return { remove, ...pendingIndexes(job, facts, missing, nowMs) };
}

function wantedActive(job: ReadJob, { active, succeeded, failedIndexes }: Assessment): number {
  const { completions, parallelism = 1 } = job.spec;
  // Of a work queue nothing more is started once a pod has succeeded.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(parallelism, completions - succeeded - failedIndexes.size));
}

/** Pods without a valid index and second pods of one first, then as for any workload. */
function superfluous(job: ReadJob, active: readonly ReadPod[], atLeast: number, nowMs: number): readonly ReadPod[] {
  const order = deletionOrder(nowMs);
  const sorted = active.map((pod) => ({ pod, rank: 0 })).sort(order);
  const remove: ReadPod[] = [];
  const left: ReadPod[] = [];
  const seen = new Set<number>();
  for (const { pod } of sorted.toReversed()) {
    const index = indexOf(job, pod);
    if (isIndexed(job) && (index === undefined || seen.has(index))) remove.push(pod);
    else left.push(pod);
    if (index !== undefined) seen.add(index);
  }
  return [...remove, ...left.reverse().slice(0, Math.max(0, atLeast - remove.length))];
}

function pendingIndexes(job: ReadJob, facts: Assessment, missing: number, nowMs: number): Omit<ManagePlan, 'remove'> {
  const { active, terminating, succeededIndexes, failedIndexes, replaceable } = facts;
  const busy = new Set([...active, ...(waitsForEnd(job) ? terminating : [])].map((pod) => indexOf(job, pod)));
  const create: number[] = [];
  let waitMs: number | undefined;
  for (let index = 0; index < (job.spec.completions ?? 0) && create.length < missing; index++) {
    if (busy.has(index) || succeededIndexes.has(index) || failedIndexes.has(index)) continue;
    const replaced = replaceable.get(index);
    const inMs = replaced === undefined ? 0 : retryInMs(replaced, nowMs);
    if (inMs === 0) create.push(index);
    else waitMs = Math.min(inMs, waitMs ?? inMs);
  }
  return { create, waitMs };
}

/** The template of a pod and, for an index, the prefix of its name. */
export function podTemplate(job: ReadJob, index: number | undefined, replaced: ReadPod | undefined) {
  const { template } = job.spec;
  const finalizers = [...(template.metadata?.finalizers ?? []), TRACKING_FINALIZER];
  const tracked: Template = { ...template, metadata: { ...template.metadata, finalizers } };
  if (index === undefined) return { template: tracked };
  const { name } = job.metadata;
  const suffix = `-${index}`;
  const own = { [INDEX_KEY]: String(index) };
  const failures = job.spec.backoffLimitPerIndex === undefined ? {} : failureAnnotations(job, replaced);
  const metadata = {
    ...tracked.metadata,
    labels: { ...template.metadata?.labels, ...own },
    annotations: { ...template.metadata?.annotations, ...own, ...failures },
  };
  const generateName = `${name.slice(0, MAX_GENERATE_NAME - suffix.length - 1)}${suffix}-`;
  if (template.spec === undefined) return { template: { ...tracked, metadata }, generateName };
  const { containers, initContainers } = template.spec;
  const spec = {
    ...template.spec,
    hostname: `${name.slice(0, MAX_HOSTNAME - suffix.length)}${suffix}`,
    containers: containers.map(withIndexEnv),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(withIndexEnv) }),
  };
  return { template: { ...tracked, metadata, spec }, generateName };
}

function withIndexEnv<C extends { readonly env?: readonly { readonly name: string }[] | undefined }>(container: C): C {
  const { env = [] } = container;
  if (env.some(({ name }) => name === 'JOB_COMPLETION_INDEX')) return container;
  const fieldPath = `metadata.labels['${INDEX_KEY}']`;
  return { ...container, env: [...env, { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath } } }] };
}
