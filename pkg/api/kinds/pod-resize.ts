/** The resize subresource: CPU and memory of a pod and its containers, within the pod's QoS class. */
import { cloneJSON, type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Container, Pod, PodSpec, PodStatus } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { mirrorAnnotation } from './pod-annotations.ts';
import { podQOS } from './pod-qos.ts';

type FieldError = field.FieldError;
type View = DeepReadonly<Pod>;
type Resources = DeepReadonly<Container>['resources'];

const lists = ['containers', 'initContainers'] as const;

/**
 * Takes resources and resize policies from the request and everything else from `old`. Containers that were renamed or
 * moved are left in place for validation to refuse; so is the whole pod (false) when some were added or removed.
 */
export function prepareResize(pod: Pod, old: View): boolean {
  const wanted = pod.spec;
  if (lists.some((list) => (wanted[list]?.length ?? 0) !== (old.spec[list]?.length ?? 0))) return false;
  pod.spec = cloneJSON(old.spec) as PodSpec;
  pod.status = cloneJSON(old.status) as PodStatus;
  if (wanted.resources) pod.spec.resources = wanted.resources;
  for (const list of lists) {
    const next = wanted[list] ?? [];
    const merged = pod.spec[list] ?? [];
    if (next.some(({ name }, i) => name !== merged[i]?.name)) pod.spec[list] = next;
    else for (const [i, container] of merged.entries()) takeResources(container, next[i]);
  }
  return true;
}

function takeResources(container: Container, wanted: Container | undefined): void {
  if (wanted?.resources) container.resources = wanted.resources;
  if (wanted?.resizePolicy) container.resizePolicy = wanted.resizePolicy;
  else delete container.resizePolicy;
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
  // Its node does not know of resizes when it does not tell what a running container has got.
  const running = old.status?.containerStatuses?.find(({ state }) => state?.running !== undefined);
  if (running !== undefined && running.resources === undefined)
    found.push(field.forbidden('spec', 'Pod running on node without support for resize'));
  const order = validateOrder(pod, old);
  if (order.length > 0) return [...found, ...order];
  found.push(...validateRemoved(pod.spec.resources, old.spec.resources, 'spec.resources'));
  for (const [i, before] of (old.spec.initContainers ?? []).entries()) {
    const now = pod.spec.initContainers?.[i]?.resources;
    found.push(...validateRemoved(now, before.resources, `spec.initContainers[${i}].resources`));
  }
  for (const [i, before] of old.spec.containers.entries()) {
    const now = pod.spec.containers[i]?.resources;
    found.push(...validateRemoved(now, before.resources, `spec.containers[${i}].resources`));
  }
  for (const list of lists) {
    for (const [i, before] of (old.spec[list] ?? []).entries()) {
      const now = pod.spec[list]?.[i];
      if (now) found.push(...(list === 'containers' ? validateRest(now, before) : validateInit(now, before, i)));
    }
  }
  return found;
}

/** What follows takes the containers to be in the same order. */
function validateOrder(pod: View, old: View): FieldError[] {
  return lists.flatMap((list) => {
    const [now, before] = [pod.spec[list] ?? [], old.spec[list] ?? []];
    if (now.length !== before.length)
      return [field.forbidden(`spec.${list}`, `${list} may not be added or removed on resize`)];
    return before.flatMap(({ name }, i) => {
      if (now[i]?.name === name) return [];
      return [field.forbidden(`spec.${list}[${i}].name`, `${list} may not be renamed or reordered on resize`)];
    });
  });
}

function validateRest(now: DeepReadonly<Container>, before: DeepReadonly<Container>): FieldError[] {
  if (equalJSON(asResized(now), withoutComputing(before))) return [];
  return [field.forbidden('spec', 'only cpu and memory resources are mutable')];
}

function validateInit(now: DeepReadonly<Container>, before: DeepReadonly<Container>, index: number): FieldError[] {
  const path = `spec.initContainers[${index}]`;
  const found: FieldError[] = [];
  if (!equalJSON(asResized(now), withoutComputing(before)))
    found.push(field.forbidden(path, 'only cpu and memory resources for init or sidecar containers are mutable'));
  if (before.restartPolicy === 'Always' || equalJSON(now, before)) return found;
  const restarts = now.resizePolicy?.filter(({ restartPolicy }) => restartPolicy === 'RestartContainer') ?? [];
  const detail = 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized';
  return [...found, ...restarts.map(() => field.forbidden(path, detail))];
}

/** What upstream compares with the old container: it leaves out the claims, so that containers with claims keep their size. */
function asResized(container: DeepReadonly<Container>): object {
  const { claims: _claims, ...resources } = { ...container.resources };
  return withoutComputing({ ...container, resources });
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
