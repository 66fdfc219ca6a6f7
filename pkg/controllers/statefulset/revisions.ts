import { resources } from '../../api/generated/resources.ts';
import type { Client } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { PodControlDeps } from '../pod-control.ts';
import type { ReadPod } from '../pod-status.ts';
import {
  byRevision,
  createRevision,
  excessRevisions,
  nextRevision,
  type ReadRevision,
  renumberRevision,
  revisionData,
  sameRevisionData,
} from '../revision-history.ts';
import { type ReadStatefulSet, revisionOf } from './identity.ts';

export const HASH_LABEL = 'controller.kubernetes.io/hash';
const MAX_COLLISIONS = 20;

export interface SetRevisions {
  readonly current: ReadRevision;
  readonly update: ReadRevision;
  readonly collisionCount: number;
}

/**
 * The revision that the status calls current and that of the present template, created when it is new; undefined: the set is
 * being deleted and has left its revisions to somebody else.
 */
export async function setRevisions(
  set: ReadStatefulSet,
  revisions: readonly ReadRevision[],
  deps: PodControlDeps,
): Promise<SetRevisions | undefined> {
  const { client } = deps;
  const sorted = revisions.toSorted(byRevision);
  const data = revisionData(set.spec.template);
  const number = nextRevision(sorted);
  const equal = sorted.filter((revision) => sameRevisionData(revision, data)).at(-1);
  let collisionCount = set.status?.collisionCount ?? 0;
  let update: ReadRevision | undefined;
  if (equal !== undefined) {
    update = equal === sorted.at(-1) ? equal : await renumberRevision(equal, number, client);
  }
  if (update === undefined && set.metadata.deletionTimestamp !== undefined) return undefined;
  for (let tries = 0; update === undefined; tries++) {
    const created = await createRevision(
      {
        type: resources.statefulsets,
        owner: set,
        template: set.spec.template,
        revision: number,
        hashLabel: HASH_LABEL,
        collisionCount,
      },
      deps,
    );
    if ('revision' in created) update = created.revision;
    else if (tries < MAX_COLLISIONS) collisionCount++;
    else throw new Error(`no free name for a revision of StatefulSet ${set.metadata.name}`);
  }
  const named = sorted.find(({ metadata }) => metadata.name === set.status?.currentRevision);
  return { current: named ?? update, update, collisionCount };
}

/** Deletes the oldest revisions beyond the history limit that neither the set nor a pod uses. */
export async function truncateHistory(
  set: ReadStatefulSet,
  pods: readonly ReadPod[],
  revisions: readonly ReadRevision[],
  used: SetRevisions,
  client: Client,
): Promise<void> {
  const live = new Set([used.current.metadata.name, used.update.metadata.name, ...pods.map(revisionOf)]);
  const idle = revisions.filter(({ metadata }) => !live.has(metadata.name));
  for (const { metadata } of excessRevisions(idle, set.spec.revisionHistoryLimit ?? 10)) {
    await ignoreNotFound(client.delete(resources.controllerrevisions, metadata));
  }
}
