import type { EventSubject } from '../../client/index.ts';
import { isMirrorPod } from '../labels.ts';
import type { Pod, SpecContainer } from '../types.ts';

/** An event's subject: the pod, or one of its containers. */
export function podSubject(pod: Pod, fieldPath?: string): EventSubject {
  const { namespace, name, uid, resourceVersion } = pod.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    namespace,
    name,
    uid,
    ...(resourceVersion && !isMirrorPod(pod) ? { resourceVersion } : {}),
    ...(fieldPath === undefined ? {} : { fieldPath }),
  };
}

export function containerSubject(pod: Pod, spec: Pick<SpecContainer, 'fieldPath'>): EventSubject {
  return podSubject(pod, spec.fieldPath);
}
