import type { ContainerStatus, PodStatus } from '../generated/types.ts';
import { childObject, defaultPointer } from './shape.ts';

/**
 * What a pod's status always writes: times of conditions, both states and the counters of container statuses. The single
 * address and the first of the list are one: the list is for clients that know it, and one that says otherwise goes.
 */
export function defaultPodStatus(status: PodStatus): void {
  if (status.podIP && status.podIPs?.[0]?.ip !== status.podIP) status.podIPs = [{ ip: status.podIP }];
  else if (status.podIPs?.[0]?.ip && !status.podIP) status.podIP = status.podIPs[0].ip;
  for (const condition of status.conditions ?? []) {
    if (condition.lastProbeTime === undefined) defaultPointer(condition, 'lastProbeTime', null);
    if (condition.lastTransitionTime === undefined) defaultPointer(condition, 'lastTransitionTime', null);
  }
  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    for (const container of status[list] ?? []) defaultContainerStatus(container);
  }
}

function defaultContainerStatus(status: ContainerStatus): void {
  childObject(status, 'lastState');
  defaultPointer(status, 'ready', false);
  defaultPointer(status, 'restartCount', 0);
  defaultPointer(status, 'image', '');
  defaultPointer(status, 'imageID', '');
  const states = [childObject<NonNullable<ContainerStatus['state']>>(status, 'state'), status.lastState];
  for (const state of states) {
    if (state?.running && state.running.startedAt === undefined) defaultPointer(state.running, 'startedAt', null);
    if (state?.terminated) {
      defaultPointer(state.terminated, 'exitCode', 0);
      if (state.terminated.startedAt === undefined) defaultPointer(state.terminated, 'startedAt', null);
      if (state.terminated.finishedAt === undefined) defaultPointer(state.terminated, 'finishedAt', null);
    }
  }
}
