import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Pod as ApiPod } from '../../api/generated/types.ts';
import type { Draft } from '../../api/object.ts';
import type { Client } from '../../client/client.ts';
import { CONFIG_HASH, CONFIG_MIRROR } from '../labels.ts';
import type { Node, Pod } from '../types.ts';

/** What to do about a static pod's mirror in the API. */
export type MirrorAction = 'none' | 'create' | 'delete';

/** A mirror of another version of the pod, or one that is being deleted, goes; a missing one is made. Pure. */
export function mirrorAction(pod: Pod | undefined, mirror: Pod | undefined): MirrorAction {
  if (mirror === undefined) return pod === undefined ? 'none' : 'create';
  if (pod === undefined || mirror.metadata.deletionTimestamp !== undefined) return 'delete';
  return mirror.metadata.annotations?.[CONFIG_MIRROR] === pod.metadata.annotations?.[CONFIG_HASH] ? 'none' : 'delete';
}

export async function createMirror(
  pod: Pod,
  node: Node | undefined,
  client: Client,
  signal?: AbortSignal,
): Promise<void> {
  const { uid: _, ...metadata } = pod.metadata;
  const owner =
    node === undefined
      ? []
      : [{ apiVersion: 'v1', kind: 'Node', name: node.metadata.name, uid: node.metadata.uid, controller: true }];
  const mirror = {
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, [CONFIG_MIRROR]: pod.metadata.annotations?.[CONFIG_HASH] ?? '' },
      ownerReferences: owner,
    },
    spec: pod.spec,
  };
  try {
    await client.create(resources.pods, mirror as Draft<ApiPod>, {}, signal);
  } catch (error) {
    if (!isStatusError(error, 'AlreadyExists')) throw error;
  }
}

export async function deleteMirror(mirror: Pod, client: Client, signal?: AbortSignal): Promise<void> {
  const { uid } = mirror.metadata;
  try {
    await client.delete(resources.pods, mirror.metadata, { gracePeriodSeconds: 0, preconditions: { uid } }, signal);
  } catch (error) {
    if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) throw error;
  }
}
