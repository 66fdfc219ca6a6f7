import { isStatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { ControllerRevision, PodTemplateSpec } from '../api/generated/types.ts';
import type { DeepReadonly, ResourceType } from '../api/object.ts';
import { narrowInteger, parseExact } from '../base/integers.ts';
import { canonicalJSON, equalJSON } from '../base/json.ts';
import type { Client } from '../client/client.ts';
import type { EventSubject } from '../client/event-recorder.ts';
import { jsonHash } from './json-hash.ts';
import { isControlledBy, newControllerRef } from './owner.ts';
import { isNamespaceTerminating, messageOf, type PodControlDeps } from './pod-control.ts';

export type ReadRevision = DeepReadonly<ControllerRevision>;

/** The label of pods that says from which revision they were made. */
export const POD_REVISION_LABEL = 'controller-revision-hash';

interface Owner {
  readonly metadata: DeepReadonly<{
    name: string;
    namespace: string;
    uid: string;
    annotations?: Record<string, string>;
  }>;
}

/**
 * What a ControllerRevision keeps of a workload: a patch that puts the template back. Clients make it again of the
 * workload and compare the bytes (kubectl rollout undo): so members are in order, and metadata of templates say that they
 * have no creationTimestamp, as Go's encoder does for the types of Kubernetes up to v1.33.
 */
export function revisionData(template: DeepReadonly<PodTemplateSpec>): DeepReadonly<Record<string, unknown>> {
  const patch = { spec: { template: { ...withZeroTimes(template), $patch: 'replace' } } };
  return parseExact(canonicalJSON(patch)) as DeepReadonly<Record<string, unknown>>;
}

/** The inverse of `revisionData`. */
export function templateOf(revision: ReadRevision): DeepReadonly<PodTemplateSpec> {
  const { spec } = (revision.data ?? {}) as { spec?: { template?: DeepReadonly<PodTemplateSpec> } };
  const { $patch: _, ...template } = (spec?.template ?? {}) as DeepReadonly<PodTemplateSpec> & { $patch?: string };
  return withoutNulls(template) as DeepReadonly<PodTemplateSpec>;
}

function withZeroTimes(template: DeepReadonly<PodTemplateSpec>): object {
  const volumes = template.spec?.volumes?.map((volume) => {
    const claim = volume.ephemeral?.volumeClaimTemplate;
    if (claim === undefined) return volume;
    const metadata = { creationTimestamp: null, ...claim.metadata };
    return { ...volume, ephemeral: { ...volume.ephemeral, volumeClaimTemplate: { ...claim, metadata } } };
  });
  return {
    ...template,
    metadata: { creationTimestamp: null, ...template.metadata },
    ...(volumes === undefined ? {} : { spec: { ...template.spec, volumes } }),
  };
}

export function sameRevisionData(revision: ReadRevision, data: DeepReadonly<Record<string, unknown>>): boolean {
  return equalJSON(withoutNulls(revision.data), withoutNulls(data));
}

/** Oldest first. */
export function byRevision(a: ReadRevision, b: ReadRevision): number {
  if (a.revision !== b.revision) return a.revision < b.revision ? -1 : 1;
  return (
    a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) ||
    a.metadata.name.localeCompare(b.metadata.name)
  );
}

/** The number of the next revision. Others may have made revisions with numbers beyond 2^53, which are bigints. */
export function nextRevision(revisions: readonly ReadRevision[]): number {
  let last = 0n;
  for (const { revision } of revisions) if (revision > last) last = BigInt(revision);
  return narrowInteger(last + 1n) as number;
}

export interface NewRevision {
  readonly type: ResourceType<unknown>;
  readonly owner: Owner;
  readonly template: DeepReadonly<PodTemplateSpec>;
  readonly revision: number;
  /** The label that carries the hash, beside the template's labels. */
  readonly hashLabel: string;
  readonly collisionCount: number;
}

export type CreatedRevision =
  | { readonly revision: ReadRevision }
  /** The name is taken by another template: try again with the next count. */
  | { readonly collision: true };

/**
 * Stores a revision; one of ours that is already there under the same name counts as created. A refusal is told in an event of
 * the owner, for without its revision nothing else happens: upstream leaves it to the log.
 */
export async function createRevision(
  draft: NewRevision,
  { client, recorder }: PodControlDeps,
): Promise<CreatedRevision> {
  const { owner, template, hashLabel } = draft;
  const hash = jsonHash(template, draft.collisionCount);
  const data = revisionData(template);
  const { name, namespace, annotations } = owner.metadata;
  const key = { namespace, name: `${name}-${hash}` };
  try {
    const revision = await client.create(resources.controllerrevisions, {
      metadata: {
        ...key,
        labels: { ...template.metadata?.labels, [hashLabel]: hash },
        ...(annotations === undefined ? {} : { annotations }),
        ownerReferences: [newControllerRef(draft.type, owner)],
      },
      data,
      revision: draft.revision,
    });
    return { revision };
  } catch (error) {
    if (!isStatusError(error, 'AlreadyExists')) {
      if (!isNamespaceTerminating(error)) {
        recorder.event(owner as EventSubject, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
      }
      throw error;
    }
    const present = await client.get(resources.controllerrevisions, key);
    if (isControlledBy(present, owner) && sameRevisionData(present, data)) return { revision: present };
    return { collision: true };
  }
}

/** Raises the number of a revision that has become the newest again. */
export async function renumberRevision(present: ReadRevision, revision: number, client: Client): Promise<ReadRevision> {
  if (present.revision === revision) return present;
  return client.update(resources.controllerrevisions, { ...present, revision });
}

/** The oldest revisions beyond the limit, those that pods still run excepted. */
export function excessRevisions(
  history: readonly ReadRevision[],
  limit: number,
  isLive: (revision: ReadRevision) => boolean = () => false,
): readonly ReadRevision[] {
  const idle = history.filter((revision) => !isLive(revision)).toSorted(byRevision);
  return idle.slice(0, Math.max(0, history.length - limit));
}

/** Templates may say `creationTimestamp: null`. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutNulls(member)]));
}
