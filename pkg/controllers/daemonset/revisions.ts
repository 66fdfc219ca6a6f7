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
  POD_REVISION_LABEL,
  type ReadRevision,
  renumberRevision,
  revisionData,
  sameRevisionData,
} from '../revision-history.ts';
import type { ReadDaemonSet } from './placement.ts';

export interface DaemonRevisions {
  readonly current: ReadRevision;
  readonly old: readonly ReadRevision[];
}

export function hashOf(revision: ReadRevision): string {
  return revision.metadata.labels?.[POD_REVISION_LABEL] ?? '';
}

/**
 * The revision of the present template, created when there is none, and all others. Undefined: its name was taken; the
 * collision is counted in the status and the next pass tries again. Upstream: constructHistory.
 */
export async function daemonRevisions(
  set: ReadDaemonSet,
  revisions: readonly ReadRevision[],
  pods: readonly ReadPod[],
  deps: PodControlDeps,
): Promise<DaemonRevisions | undefined> {
  const { client } = deps;
  const data = revisionData(set.spec.template);
  const matching = revisions.filter((revision) => sameRevisionData(revision, data)).toSorted(byRevision);
  const old = revisions.filter((revision) => !matching.includes(revision));
  const number = nextRevision(old);
  const newest = matching.at(-1);
  if (newest === undefined) {
    const created = await createRevision(
      {
        type: resources.daemonsets,
        owner: set,
        template: set.spec.template,
        revision: number,
        hashLabel: POD_REVISION_LABEL,
        collisionCount: set.status?.collisionCount ?? 0,
      },
      deps,
    );
    return 'revision' in created ? { current: created.revision, old } : undefined;
  }
  for (const duplicate of matching.slice(0, -1)) await replaceDuplicate(duplicate, newest, pods, client);
  const current = newest.revision < number ? await renumberRevision(newest, number, client) : newest;
  return { current, old };
}

/** Moves the pods of a revision over to an equal one and deletes it. */
async function replaceDuplicate(
  duplicate: ReadRevision,
  kept: ReadRevision,
  pods: readonly ReadPod[],
  client: Client,
): Promise<void> {
  for (const { metadata } of pods) {
    if (metadata.labels?.[POD_REVISION_LABEL] !== hashOf(duplicate) || hashOf(kept) === hashOf(duplicate)) continue;
    const patch = { metadata: { labels: { [POD_REVISION_LABEL]: hashOf(kept) } } };
    await ignoreNotFound(client.patch(resources.pods, metadata, 'strategic', patch));
  }
  await ignoreNotFound(client.delete(resources.controllerrevisions, duplicate.metadata));
}

/** Deletes the oldest revisions beyond the history limit that no pod runs. */
export async function cleanUpHistory(
  set: ReadDaemonSet,
  old: readonly ReadRevision[],
  pods: readonly ReadPod[],
  client: Client,
): Promise<void> {
  const running = new Set(pods.map((pod) => pod.metadata.labels?.[POD_REVISION_LABEL]));
  const limit = set.spec.revisionHistoryLimit ?? 10;
  for (const { metadata } of excessRevisions(old, limit, (revision) => running.has(hashOf(revision)))) {
    await ignoreNotFound(client.delete(resources.controllerrevisions, metadata));
  }
}
