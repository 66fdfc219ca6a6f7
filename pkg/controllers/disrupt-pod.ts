import { resources } from '../api/generated/resources.ts';
import { podConditionPatch } from '../api/pod-condition.ts';
import { formatTime } from '../api/time.ts';
import type { Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import { ignoreNotFound } from '../client/retry.ts';
import { isPodTerminal, type ReadPod } from './pod-status.ts';

/** Deletes a pod for a reason that its condition DisruptionTarget tells first, where it has not ended already. */
export async function disruptPod(
  pod: ReadPod,
  why: { readonly reason: string; readonly message: string },
  { client, clock }: { readonly client: Client; readonly clock: Clock },
): Promise<void> {
  if (!isPodTerminal(pod)) {
    const lastTransitionTime = formatTime(clock.now());
    const patch = podConditionPatch(pod, { type: 'DisruptionTarget', status: 'True', lastTransitionTime, ...why });
    await ignoreNotFound(client.patch(resources.pods, pod.metadata, 'strategic', patch, { subresource: 'status' }));
  }
  await ignoreNotFound(client.delete(resources.pods, pod.metadata, { preconditions: { uid: pod.metadata.uid } }));
}
