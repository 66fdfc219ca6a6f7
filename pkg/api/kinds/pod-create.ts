/** What the server adds to a new pod. */
import type { LabelSelector, Pod, PodAffinityTerm, PodSpec, PodStatus } from '../generated/types.ts';
import { appArmorOf, appArmorPrefix } from './pod-annotations.ts';
import { podQOS } from './pod-qos.ts';
import { defaultPodStatus } from './pod-status-defaults.ts';
import { childObject } from './shape.ts';

export function initialPodStatus(spec: PodSpec): PodStatus {
  const status: PodStatus = { phase: 'Pending', qosClass: podQOS(spec) };
  if ((spec.schedulingGates?.length ?? 0) > 0) {
    status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ];
  }
  defaultPodStatus(status);
  return status;
}

/** Adds the pod's own values of matchLabelKeys and mismatchLabelKeys to the selectors that they belong to. */
export function mergeLabelKeys(pod: Pod): void {
  const labels = pod.metadata.labels ?? {};
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    const affinity = pod.spec?.affinity?.[kind];
    const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const { podAffinityTerm } of preferred) if (podAffinityTerm) mergeTerm(podAffinityTerm, labels);
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) mergeTerm(term, labels);
  }
  for (const { labelSelector, matchLabelKeys } of pod.spec?.topologySpreadConstraints ?? []) {
    addValues(labelSelector, matchLabelKeys, 'In', labels);
  }
}

type Labels = Readonly<Record<string, string>>;

function mergeTerm(term: PodAffinityTerm, labels: Labels): void {
  addValues(term.labelSelector, term.matchLabelKeys, 'In', labels);
  addValues(term.labelSelector, term.mismatchLabelKeys, 'NotIn', labels);
}

/** A selector that is absent matches nothing, whatever is added. */
function addValues(
  selector: LabelSelector | undefined,
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: Labels,
): void {
  if (!selector) return;
  for (const key of keys ?? []) {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (value === undefined) continue;
    selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, values: [value] }];
  }
}

/** The older annotations for AppArmor become fields, where a container has none and the pod's is another one. */
export function takeAppArmorAnnotations(pod: Pod): void {
  if (pod.spec?.os?.name === 'windows') return;
  const own = pod.spec?.securityContext?.appArmorProfile;
  for (const list of ['initContainers', 'containers'] as const) {
    for (const container of pod.spec?.[list] ?? []) {
      const text = pod.metadata.annotations?.[`${appArmorPrefix}${container.name}`];
      const profile = text === undefined ? undefined : appArmorOf(text);
      if (profile === undefined || container.securityContext?.appArmorProfile) continue;
      if (own?.type === profile.type && own.localhostProfile === profile.localhostProfile) continue;
      childObject<Record<string, unknown>>(container, 'securityContext').appArmorProfile = profile;
    }
  }
}
