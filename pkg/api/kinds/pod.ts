import { cloneJSON, type DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Binding, Container, EphemeralContainer, Pod, PodSpec, PodStatus } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { oneOf } from '../validation/values.ts';
import { defaultPodOnly, defaultPodSpec } from './pod-defaults.ts';
import { podQOS } from './pod-qos.ts';
import { defaultPodStatus } from './pod-status-defaults.ts';
import { validateEphemeralUpdate, validatePodStatusUpdate, validatePodUpdate, validateResize } from './pod-update.ts';
import { validatePodSpec } from './pod-validation.ts';
import { podWarnings } from './pod-warnings.ts';
import { childObject } from './shape.ts';

export const podStrategy: Strategy = {
  default(object) {
    const spec = childObject<PodSpec>(object, 'spec');
    defaultPodSpec(spec);
    defaultPodOnly(spec);
    defaultPodStatus(childObject<PodStatus>(object, 'status'));
  },
  prepareForCreate(object) {
    object.status = initialPodStatus(object as unknown as Pod);
  },
  prepareForUpdate(object, old, { subresource }) {
    const pod = object as unknown as Pod;
    const before = old as unknown as DeepReadonly<Pod>;
    if (subresource === 'status') prepareStatus(pod, before);
    else if (subresource === 'ephemeralcontainers') prepareEphemeral(pod, before);
    else if (subresource === 'resize') prepareResize(pod, before);
  },
  validate(object) {
    const pod = object as unknown as DeepReadonly<Pod>;
    const errors = validatePod(pod);
    if ((pod.spec?.ephemeralContainers?.length ?? 0) > 0) {
      errors.push(field.forbidden('spec.ephemeralContainers', 'cannot be set on create'));
    }
    if (pod.spec?.nodeName && (pod.spec.schedulingGates?.length ?? 0) > 0) {
      errors.push(field.forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
    }
    return errors;
  },
  validateUpdate(object, old, { subresource }) {
    const pod = object as unknown as DeepReadonly<Pod>;
    const before = old as unknown as DeepReadonly<Pod>;
    if (subresource === 'status') return validatePodStatusUpdate(pod, before);
    const errors = validatePod(pod);
    if (subresource === 'ephemeralcontainers') return [...errors, ...validateEphemeralUpdate(pod, before)];
    if (subresource === 'resize') return [...errors, ...validateResize(pod, before)];
    return [...errors, ...validatePodUpdate(pod, before)];
  },
  warnings: (object) => podWarnings((object as unknown as DeepReadonly<Pod>).spec, 'spec'),
  gracefulDelete(object, requestedSeconds) {
    const { spec, status } = object as unknown as DeepReadonly<Pod>;
    if (!spec?.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0;
    const seconds = requestedSeconds ?? spec.terminationGracePeriodSeconds ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
  selectableFields(object) {
    const { spec, status } = object as unknown as DeepReadonly<Pod>;
    return {
      'spec.nodeName': spec?.nodeName ?? '',
      'spec.restartPolicy': spec?.restartPolicy ?? '',
      'spec.schedulerName': spec?.schedulerName ?? '',
      'spec.serviceAccountName': spec?.serviceAccountName ?? '',
      'spec.hostNetwork': String(spec?.hostNetwork ?? false),
      'status.phase': status?.phase ?? '',
      'status.podIP': status?.podIP ?? '',
      'status.nominatedNodeName': status?.nominatedNodeName ?? '',
    };
  },
};

/** The body of pods/binding; `metadata` names the pod. */
export const bindingStrategy: Strategy = {
  validate(object) {
    const { target } = object as unknown as DeepReadonly<Binding>;
    const errors = target?.kind ? oneOf(target.kind, ['Node', '<empty>'], 'target.kind') : [];
    if (!target?.name) errors.push(field.required('target.name'));
    return errors;
  },
};

function validatePod(pod: DeepReadonly<Pod>): field.FieldError[] {
  const errors = validatePodSpec(pod.spec, 'spec');
  const mirror = pod.metadata?.annotations?.['kubernetes.io/config.mirror'];
  if (mirror !== undefined && !pod.spec?.nodeName) {
    const path = 'metadata.annotations[kubernetes.io/config.mirror]';
    errors.push(field.invalid(path, mirror, 'must set spec.nodeName if mirror pod annotation is set'));
  }
  const cost = pod.metadata?.annotations?.['controller.kubernetes.io/pod-deletion-cost'];
  if (cost !== undefined && !isInt32(cost)) {
    const path = 'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]';
    errors.push(field.invalid(path, cost, 'must be a 32bit integer'));
  }
  for (const list of ['containers', 'initContainers'] as const) {
    const containers = pod.spec?.[list] ?? [];
    for (let i = 0; i < containers.length; i++) {
      const image = containers[i]?.image ?? '';
      if (image === image.trim()) continue;
      errors.push(field.invalid(`spec.${list}[${i}].image`, image, 'must not have leading or trailing whitespace'));
    }
  }
  return errors;
}

function isInt32(text: string): boolean {
  return /^(0|-?[1-9]\d*)$/.test(text) && Math.abs(Number(text)) <= 2_147_483_648;
}

function initialPodStatus(pod: Pod): PodStatus {
  const status: PodStatus = { phase: 'Pending', qosClass: podQOS(pod.spec) };
  if ((pod.spec.schedulingGates?.length ?? 0) > 0) {
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

function prepareStatus(pod: Pod, old: DeepReadonly<Pod>): void {
  if (old.metadata.ownerReferences) pod.metadata.ownerReferences = cloneJSON(old.metadata.ownerReferences);
  else delete pod.metadata.ownerReferences;
  if (!pod.status.qosClass && old.status?.qosClass) pod.status.qosClass = old.status.qosClass;
}

function prepareEphemeral(pod: Pod, old: DeepReadonly<Pod>): void {
  const containers: EphemeralContainer[] = pod.spec?.ephemeralContainers ?? [];
  pod.spec = cloneJSON(old.spec) as PodSpec;
  pod.status = cloneJSON(old.status) as PodStatus;
  if (containers.length > 0) pod.spec.ephemeralContainers = containers;
  else delete pod.spec.ephemeralContainers;
}

function prepareResize(pod: Pod, old: DeepReadonly<Pod>): void {
  const wanted = pod.spec;
  pod.spec = cloneJSON(old.spec) as PodSpec;
  pod.status = cloneJSON(old.status) as PodStatus;
  if (wanted?.resources) pod.spec.resources = wanted.resources;
  for (const list of ['containers', 'initContainers'] as const) {
    const byName = new Map<string, Container>((wanted?.[list] ?? []).map((container) => [container.name, container]));
    for (const container of pod.spec[list] ?? []) {
      const next = byName.get(container.name);
      if (next?.resources) container.resources = next.resources;
      if (next?.resizePolicy) container.resizePolicy = next.resizePolicy;
    }
  }
}
