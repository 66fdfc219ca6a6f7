/** The resize subresource: CPU and memory of a pod and its containers, within the pod's QoS class. */
import { cloneJSON, type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Container, Pod, PodSpec, PodStatus } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { mirrorAnnotation } from './pod-annotations.ts';
import { podQOS } from './pod-qos.ts';

type FieldError = field.FieldError;
type View = DeepReadonly<Pod>;
type Resources = DeepReadonly<Container>['resources'];

/**
 * Takes resources and resize policies from the request and everything else from `old`. False: containers were added,
 * removed, renamed or moved, which is left in place for validation to refuse.
 */
export function prepareResize(pod: Pod, old: View): boolean {
  const wanted = pod.spec;
  const names = (spec: DeepReadonly<PodSpec> | undefined, list: 'containers' | 'initContainers'): string[] =>
    (spec?.[list] ?? []).map(({ name }) => name);
  for (const list of ['containers', 'initContainers'] as const) {
    if (!equalJSON(names(wanted, list), names(old.spec, list))) return false;
  }
  pod.spec = cloneJSON(old.spec) as PodSpec;
  pod.status = cloneJSON(old.status) as PodStatus;
  if (wanted.resources) pod.spec.resources = wanted.resources;
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [i, container] of (pod.spec[list] ?? []).entries()) {
      const next = wanted[list]?.[i];
      if (next?.resources) container.resources = next.resources;
      if (next?.resizePolicy) container.resizePolicy = next.resizePolicy;
      else delete container.resizePolicy;
    }
  }
  return true;
}

/** `errors` are those of the pod by itself. */
export function validateResize(pod: View, old: View, errors: readonly FieldError[]): FieldError[] {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    return [field.forbidden('[]', 'static pods cannot be resized')];
  }
  if (old.spec.os?.name === 'windows') return [field.forbidden('[]', 'windows pods cannot be resized')];
  const found = [...errors];
  if (podQOS(pod.spec) !== (old.status?.qosClass ?? podQOS(old.spec))) {
    const detail = 'Pod QOS Class may not change as a result of resizing';
    found.push(field.invalid('spec', pod.status?.qosClass ?? '', detail));
  }
  found.push(...validateRemoved(pod.spec.resources, old.spec.resources, 'spec.resources'));
  for (const list of ['initContainers', 'containers'] as const) {
    if ((pod.spec[list]?.length ?? 0) !== (old.spec[list]?.length ?? 0)) {
      found.push(field.forbidden(`spec.${list}`, 'pod updates may not add or remove containers'));
      continue;
    }
    for (const [i, before] of (old.spec[list] ?? []).entries()) {
      const now = pod.spec[list]?.[i];
      if (now) found.push(...validateContainer(now, before, list, `spec.${list}[${i}].resources`));
    }
  }
  return found;
}

function validateContainer(
  now: DeepReadonly<Container>,
  before: DeepReadonly<Container>,
  list: 'containers' | 'initContainers',
  path: string,
): FieldError[] {
  if (list === 'initContainers' && before.restartPolicy !== 'Always') {
    if (equalJSON(now, before)) return [];
    return [field.forbidden('spec', 'resources for non-sidecar init containers are immutable')];
  }
  const errors = validateRemoved(now.resources, before.resources, path);
  if (equalJSON(withoutComputing(now), withoutComputing(before))) return errors;
  const what = list === 'containers' ? 'resources' : 'resources for sidecar containers';
  return [...errors, field.forbidden('spec', `only cpu and memory ${what} are mutable`)];
}

/** A container without the amounts that a resize may change. */
function withoutComputing(container: DeepReadonly<Container>): object {
  const rest = (part: 'limits' | 'requests'): object => {
    const { cpu: _cpu, memory: _memory, ...others } = { ...container.resources?.[part] };
    return others;
  };
  const resources = { ...container.resources, limits: rest('limits'), requests: rest('requests') };
  return { ...container, resources };
}

function validateRemoved(now: Resources, before: Resources, path: string): FieldError[] {
  return (['requests', 'limits'] as const).flatMap((part) => {
    const removed = Object.keys(before?.[part] ?? {}).some((name) => now?.[part]?.[name] === undefined);
    return removed ? [field.forbidden(`${path}.${part}`, `resource ${part} cannot be removed`)] : [];
  });
}
