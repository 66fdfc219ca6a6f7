import type { DeepReadonly } from '../../base/json.ts';
import { cloneJSON, equalJSON } from '../../base/json.ts';
import type { Container, Pod, PodSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { rangeText } from '../validation/names.ts';
import { podQOS } from './pod-qos.ts';

type FieldError = field.FieldError;
type Spec = DeepReadonly<PodSpec>;

const maxInt32 = 2_147_483_647;
const mirrorAnnotation = 'kubernetes.io/config.mirror';
const updatable =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** What an update of a pod may not change. */
export function validatePodUpdate(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): FieldError[] {
  const errors = validateMirrorAnnotation(pod, old);
  for (const list of ['containers', 'initContainers'] as const) {
    if ((pod.spec[list]?.length ?? 0) !== (old.spec[list]?.length ?? 0)) {
      return [...errors, field.forbidden(`spec.${list}`, 'pod updates may not add or remove containers')];
    }
  }
  const deadline = validateDeadline(pod.spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds);
  if (deadline.length > 0) return [...errors, ...deadline];
  errors.push(...validateTolerationUpdate(pod.spec, old.spec), ...validateGateUpdate(pod.spec, old.spec));
  const spec = cloneJSON(pod.spec) as PodSpec;
  const before = cloneJSON(old.spec) as PodSpec;
  copyUpdatable(spec, before);
  if ((old.spec.schedulingGates?.length ?? 0) > 0) errors.push(...allowGatedChanges(spec, before));
  if (!equalJSON(spec, before)) {
    errors.push(field.forbidden('spec', `${updatable}\n${changedFields(spec, before)}`));
  }
  return errors;
}

/** Makes the fields that may change equal. */
function copyUpdatable(spec: PodSpec, before: PodSpec): void {
  for (const list of ['containers', 'initContainers'] as const) {
    for (let i = 0; i < (spec[list]?.length ?? 0); i++) {
      const container = spec[list]?.[i];
      const image = before[list]?.[i]?.image;
      if (container && image !== undefined) container.image = image;
    }
  }
  for (const name of ['activeDeadlineSeconds', 'tolerations', 'schedulingGates']) copyField(spec, before, name);
  if ((before.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1) {
    copyField(spec, before, 'terminationGracePeriodSeconds');
  }
}

function copyField(to: object, from: object, name: string): void {
  const target = to as Record<string, unknown>;
  const value = (from as Record<string, unknown>)[name];
  if (value === undefined) delete target[name];
  else target[name] = value;
}

function changedFields(spec: PodSpec, before: PodSpec): string {
  const now = spec as unknown as Record<string, unknown>;
  const then = before as unknown as Record<string, unknown>;
  const names = [...new Set([...Object.keys(now), ...Object.keys(then)])].sort();
  return names
    .filter((name) => !equalJSON(now[name], then[name]))
    .map(
      (name) =>
        `- ${name}: ${JSON.stringify(then[name]) ?? 'null'}\n+ ${name}: ${JSON.stringify(now[name]) ?? 'null'}\n`,
    )
    .join('');
}

function validateMirrorAnnotation(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): FieldError[] {
  const now = pod.metadata.annotations?.[mirrorAnnotation];
  const before = old.metadata.annotations?.[mirrorAnnotation];
  if (now === before) return [];
  const detail =
    before === undefined ? 'may not add mirror pod annotation' : 'may not remove or update mirror pod annotation';
  return [field.forbidden(`metadata.annotations[${mirrorAnnotation}]`, detail)];
}

function validateDeadline(deadline: number | undefined, old: number | undefined): FieldError[] {
  const path = 'spec.activeDeadlineSeconds';
  if (typeof deadline !== 'number') {
    if (typeof old !== 'number') return [];
    return [field.invalid(path, null, 'must not update from a positive integer to nil value')];
  }
  if (deadline < 0 || deadline > maxInt32) return [field.invalid(path, deadline, rangeText(0, maxInt32))];
  if (typeof old === 'number' && old < deadline) {
    return [field.invalid(path, deadline, 'must be less than or equal to previous value')];
  }
  return [];
}

function validateTolerationUpdate(spec: Spec, before: Spec): FieldError[] {
  const withoutSeconds = (toleration: object): object => ({ ...toleration, tolerationSeconds: undefined });
  const now = (spec.tolerations ?? []).map(withoutSeconds);
  const kept = (before.tolerations ?? []).every((old) => now.some((one) => equalJSON(one, withoutSeconds(old))));
  if (kept) return [];
  return [field.forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')];
}

function validateGateUpdate(spec: Spec, before: Spec): FieldError[] {
  const old = new Set((before.schedulingGates ?? []).map((gate) => gate.name));
  return (spec.schedulingGates ?? []).flatMap((gate, i) => {
    if (old.has(gate.name)) return [];
    const detail = `only deletion is allowed, but found new scheduling gate '${gate.name}'`;
    return [field.forbidden(`spec.schedulingGates[${i}].name`, detail)];
  });
}

/** A gated pod may still narrow where it can go; what is allowed is made equal in `spec`. */
function allowGatedChanges(spec: PodSpec, before: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  const selector = spec.nodeSelector ?? {};
  const oldSelector = before.nodeSelector ?? {};
  for (const key in oldSelector) {
    if (selector[key] === oldSelector[key]) continue;
    const detail = 'only additions are allowed to nodeSelector (no mutations or deletions)';
    errors.push(field.invalid('spec.nodeSelector', selector, detail));
    break;
  }
  copyField(spec, before, 'nodeSelector');
  const affinity = spec.affinity?.nodeAffinity;
  const oldAffinity = before.affinity?.nodeAffinity;
  const oldTerms = oldAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (oldTerms) {
    const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
    const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
    if (terms.length !== oldTerms.length) {
      const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
      errors.push(field.invalid(path, terms, detail));
    } else {
      for (let i = 0; i < terms.length; i++) {
        for (const part of ['matchExpressions', 'matchFields'] as const) {
          const now = terms[i]?.[part] ?? [];
          const old = oldTerms[i]?.[part] ?? [];
          if (old.every((one) => now.some((other) => equalJSON(one, other)))) continue;
          errors.push(
            field.invalid(`${path}[${i}]`, terms[i], 'only additions are allowed (no mutations or deletions)'),
          );
        }
      }
    }
  }
  if (affinity || oldAffinity) {
    const rest = { ...spec.affinity };
    delete rest.nodeAffinity;
    if (oldAffinity) rest.nodeAffinity = oldAffinity;
    if (before.affinity === undefined && Object.keys(rest).length === 0) delete spec.affinity;
    else spec.affinity = rest;
  }
  return errors;
}

/** Updates of `status`. */
export function validatePodStatusUpdate(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): FieldError[] {
  const errors: FieldError[] = [];
  if (pod.spec?.nodeName !== old.spec.nodeName) {
    errors.push(field.forbidden('status.nodeName', 'may not be changed directly'));
  }
  if (old.status?.qosClass && pod.status?.qosClass && pod.status.qosClass !== old.status.qosClass) {
    errors.push(field.invalid('status.qosClass', pod.status.qosClass, 'field is immutable'));
  }
  const always = old.spec.restartPolicy === 'Always';
  for (const list of ['containerStatuses', 'initContainerStatuses'] as const) {
    const statuses = pod.status?.[list] ?? [];
    for (const before of old.status?.[list] ?? []) {
      const terminated = before.state?.terminated;
      if (always || !terminated) continue;
      if (list === 'initContainerStatuses' && isRestartable(old.spec.initContainers, before.name)) continue;
      if (terminated.exitCode !== 0 && old.spec.restartPolicy === 'OnFailure') continue;
      const i = statuses.findIndex((status) => status.name === before.name);
      if (i < 0 || statuses[i]?.state?.terminated || hasRestartRules(old.spec, before.name)) continue;
      const detail = 'may not be transitioned to non-terminated state';
      errors.push(field.forbidden(`status.${list}[${i}].state`, detail));
    }
  }
  return errors;
}

function isRestartable(containers: readonly DeepReadonly<Container>[] | undefined, name: string): boolean {
  return (containers ?? []).some((container) => container.name === name && container.restartPolicy === 'Always');
}

function hasRestartRules(spec: Spec, name: string): boolean {
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].some(
    (container) =>
      container.name === name &&
      (container.restartPolicy !== undefined || (container.restartPolicyRules?.length ?? 0) > 0),
  );
}

/** The ephemeralcontainers subresource: containers can be added, not changed or removed. */
export function validateEphemeralUpdate(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): FieldError[] {
  const path = 'spec.ephemeralContainers';
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    return [field.forbidden('', 'static pods do not support ephemeral containers')];
  }
  const now = new Map((pod.spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  return (old.spec.ephemeralContainers ?? []).flatMap((before) => {
    const container = now.get(before.name);
    if (!container) {
      return [field.forbidden(path, `existing ephemeral containers "${before.name}" may not be removed\n`)];
    }
    if (equalJSON(container, before)) return [];
    return [field.forbidden(path, `existing ephemeral containers "${before.name}" may not be changed\n`)];
  });
}

/** The resize subresource: CPU and memory of containers, within the pod's QoS class. */
export function validateResize(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): FieldError[] {
  const errors: FieldError[] = [];
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    return [field.forbidden('', 'static pods cannot be resized')];
  }
  if (podQOS(pod.spec) !== podQOS(old.spec)) {
    const detail = 'Pod QOS Class may not change as a result of resizing';
    errors.push(field.invalid('spec', podQOS(pod.spec), detail));
  }
  for (const list of ['containers', 'initContainers'] as const) {
    const containers = pod.spec[list] ?? [];
    for (let i = 0; i < containers.length; i++) {
      errors.push(...validateContainerResize(containers[i], old.spec[list]?.[i], `spec.${list}[${i}].resources`));
    }
  }
  return errors;
}

function validateContainerResize(
  container: DeepReadonly<Container> | undefined,
  old: DeepReadonly<Container> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const part of ['requests', 'limits'] as const) {
    const now = container?.resources?.[part] ?? {};
    const before = old?.resources?.[part] ?? {};
    for (const name of new Set([...Object.keys(now), ...Object.keys(before)])) {
      if (now[name] === before[name]) continue;
      if (name !== 'cpu' && name !== 'memory') {
        errors.push(field.forbidden('spec', 'only cpu and memory resources are mutable'));
      } else if (now[name] === undefined) {
        errors.push(field.forbidden(`${path}.${part}`, `resource ${part} cannot be removed`));
      }
    }
  }
  return errors;
}
