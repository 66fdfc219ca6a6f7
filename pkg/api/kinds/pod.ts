import { cloneJSON, type DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Binding, EphemeralContainer, Pod, PodSpec, PodStatus } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import * as field from '../validation/field-error.ts';
import { oneOf } from '../validation/values.ts';
import { validateImageText } from './container-validation.ts';
import { dropFromPod } from './disabled-fields.ts';
import { validateAnnotationsUpdate, validatePodAnnotations, validateProfilesMatch } from './pod-annotations.ts';
import { initialPodStatus, mergeLabelKeys, takeAppArmorAnnotations } from './pod-create.ts';
import { defaultPodOnly, defaultPodSpec, dropInitAnnotations } from './pod-defaults.ts';
import { prepareResize, validateResize } from './pod-resize.ts';
import { preserveStatus, validatePodStatusUpdate } from './pod-status.ts';
import { defaultPodStatus } from './pod-status-defaults.ts';
import { validateEphemeralUpdate, validatePodUpdate } from './pod-update.ts';
import { validatePodSpec } from './pod-validation.ts';
import { podStatusWarnings, podWarnings } from './pod-warnings.ts';
import { childObject } from './shape.ts';

type View = DeepReadonly<Pod>;

export const podStrategy: Strategy = {
  dropDisabled: dropFromPod,
  default(object) {
    dropInitAnnotations(childObject(object, 'metadata'));
    const spec = childObject<PodSpec>(object, 'spec');
    defaultPodSpec(spec);
    defaultPodOnly(spec);
    defaultPodStatus(childObject<PodStatus>(object, 'status'));
  },
  prepareForCreate(object) {
    const pod = object as unknown as Pod;
    pod.status = initialPodStatus(pod.spec);
    mergeLabelKeys(pod);
    takeAppArmorAnnotations(pod);
  },
  prepareForUpdate(object, old, { subresource }) {
    const pod = object as unknown as Pod;
    const before = old as unknown as View;
    if (subresource === 'status') preserveStatus(pod, before);
    else if (subresource === 'ephemeralcontainers') {
      keepMetadata(object, old);
      prepareEphemeral(pod, before);
    } else if (subresource === 'resize' && prepareResize(pod, before)) keepMetadata(object, old);
  },
  validate(object) {
    const pod = object as unknown as View;
    const errors = validatePod(pod);
    if ((pod.spec?.ephemeralContainers?.length ?? 0) > 0) {
      errors.push(field.forbidden('spec.ephemeralContainers', 'cannot be set on create'));
    }
    if (pod.spec?.nodeName && (pod.spec.schedulingGates?.length ?? 0) > 0) {
      errors.push(field.forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
    }
    return [...errors, ...validateProfilesMatch(pod.metadata, pod.spec, 'spec')];
  },
  validateUpdate(object, old, { subresource }) {
    const pod = object as unknown as View;
    const before = old as unknown as View;
    const path = 'metadata.annotations';
    const annotations = validateAnnotationsUpdate(pod.metadata.annotations, before.metadata.annotations, path);
    if (subresource === 'status') {
      const own = validatePodAnnotations(pod.metadata.annotations, pod.spec, path);
      return [...annotations, ...own, ...validatePodStatusUpdate(pod, before)];
    }
    const errors = validatePod(pod);
    if (subresource === 'resize') return validateResize(pod, before, errors);
    errors.push(...annotations);
    if (subresource === 'ephemeralcontainers') return validateEphemeralUpdate(pod, before, errors);
    return [...errors, ...validatePodUpdate(pod, before)];
  },
  warnings: (object, old) => (old === undefined ? podWarnings(object as unknown as View) : []),
  statusWarnings: (object) => podStatusWarnings(object as unknown as View),
  gracefulDelete(object, requestedSeconds) {
    const { spec, status } = object as unknown as View;
    if (!spec?.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0;
    const seconds = requestedSeconds ?? spec.terminationGracePeriodSeconds ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
  selectableFields(object) {
    const { spec, status } = object as unknown as View;
    return {
      'spec.nodeName': spec?.nodeName ?? '',
      'spec.restartPolicy': spec?.restartPolicy ?? '',
      'spec.schedulerName': spec?.schedulerName ?? '',
      'spec.serviceAccountName': spec?.serviceAccountName ?? '',
      'spec.hostNetwork': String(spec?.hostNetwork ?? false),
      'status.phase': status?.phase ?? '',
      'status.podIP': status?.podIP ?? '',
      'status.nominatedNodeName': status?.nominatedNodeName ?? '',
      // Upstream allows it and gives it no value.
      'status.podIPs': '',
      // What spec.nodeName was once called.
      'spec.host': spec?.nodeName ?? '',
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

function validatePod(pod: View): field.FieldError[] {
  const errors = [
    ...validatePodAnnotations(pod.metadata.annotations, pod.spec, 'metadata.annotations'),
    ...validatePodSpec(pod.spec, 'spec', pod.metadata.name),
    ...validateTokenUse(pod),
  ];
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [i, container] of (pod.spec?.[list] ?? []).entries()) {
      errors.push(...validateImageText(container, `spec.${list}[${i}]`));
    }
  }
  return errors;
}

/** Tokens are those of the pod's account. */
function validateTokenUse(pod: View): field.FieldError[] {
  if (pod.spec?.serviceAccountName) return [];
  return (pod.spec?.volumes ?? []).flatMap(({ projected }, i) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }, j) => {
      if (!serviceAccountToken) return [];
      const path = `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`;
      return [field.forbidden(path, 'must not be specified when serviceAccountName is not set')];
    }),
  );
}

/** What writes of a part of a pod may not change. */
function keepMetadata({ metadata }: KubeObject, old: DeepReadonly<KubeObject>): void {
  const fields = metadata as unknown as Record<string, unknown>;
  for (const name of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) {
    const value = old.metadata[name];
    if (value === undefined) delete fields[name];
    else fields[name] = cloneJSON(value);
  }
}

function prepareEphemeral(pod: Pod, old: View): void {
  const containers: EphemeralContainer[] = pod.spec?.ephemeralContainers ?? [];
  pod.spec = cloneJSON(old.spec) as PodSpec;
  pod.status = cloneJSON(old.status) as PodStatus;
  if (containers.length > 0) pod.spec.ephemeralContainers = containers;
  else delete pod.spec.ephemeralContainers;
}
