import { createHash } from 'node:crypto';
import type { Container, EphemeralContainer, Pod } from './types.ts';

/** Labels and annotations that upstream's kubelet puts on sandboxes and containers; with them a restart finds its pods. */
export const POD_NAME_LABEL = 'io.kubernetes.pod.name';
export const POD_NAMESPACE_LABEL = 'io.kubernetes.pod.namespace';
export const POD_UID_LABEL = 'io.kubernetes.pod.uid';
export const CONTAINER_NAME_LABEL = 'io.kubernetes.container.name';
/** Which kubelet of the machine owns a pod when several share one runtime. */
export const NODE_LABEL = 'io.kube-lite.node';

export const CONTAINER_HASH = 'io.kubernetes.container.hash';
export const RESTART_COUNT = 'io.kubernetes.container.restartCount';
export const TERMINATION_MESSAGE_PATH = 'io.kubernetes.container.terminationMessagePath';
export const TERMINATION_MESSAGE_POLICY = 'io.kubernetes.container.terminationMessagePolicy';
export const POD_GRACE_PERIOD = 'io.kubernetes.pod.terminationGracePeriod';
export const PRE_STOP_HANDLER = 'io.kubernetes.container.preStopHandler';

/** Annotations of static pods and their mirrors. */
export const CONFIG_SOURCE = 'kubernetes.io/config.source';
export const CONFIG_HASH = 'kubernetes.io/config.hash';
export const CONFIG_SEEN = 'kubernetes.io/config.seen';
export const CONFIG_MIRROR = 'kubernetes.io/config.mirror';

export function podLabels(pod: Pod, nodeName: string): Record<string, string> {
  return {
    ...pod.metadata.labels,
    [POD_NAME_LABEL]: pod.metadata.name,
    [POD_NAMESPACE_LABEL]: pod.metadata.namespace,
    [POD_UID_LABEL]: pod.metadata.uid,
    [NODE_LABEL]: nodeName,
  };
}

/** Only these changes restart a running container (v1.31 and later hash name and image). */
export function containerHash(container: Container | EphemeralContainer): string {
  return createHash('sha256')
    .update(JSON.stringify([container.name, container.image]))
    .digest('hex')
    .slice(0, 8);
}

/** A static pod: its truth is a file of this node, not the API server. */
export function isStaticPod(pod: Pod): boolean {
  const source = pod.metadata.annotations?.[CONFIG_SOURCE];
  return source !== undefined && source !== 'api';
}

export function isMirrorPod(pod: Pod): boolean {
  return pod.metadata.annotations?.[CONFIG_MIRROR] !== undefined;
}

/** The pod with where it comes from and since when this kubelet knows it, as upstream's kubelet notes it for its own use. */
export function withSource(pod: Pod, seenAt: string): Pod {
  const { annotations } = pod.metadata;
  if (annotations?.[CONFIG_SOURCE] !== undefined) return pod;
  const noted = { ...annotations, [CONFIG_SEEN]: seenAt, [CONFIG_SOURCE]: 'api' };
  return { ...pod, metadata: { ...pod.metadata, annotations: noted } };
}
