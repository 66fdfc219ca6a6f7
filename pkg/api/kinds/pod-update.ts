import type { DeepReadonly } from '../../base/json.ts';
import { cloneJSON, equalJSON } from '../../base/json.ts';
import type { NodeAffinity, NodeSelectorTerm, Pod, PodSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { rangeText } from '../validation/names.ts';
import { mirrorAnnotation } from './pod-annotations.ts';

type FieldError = field.FieldError;
type Spec = DeepReadonly<PodSpec>;

const maxInt32 = 2_147_483_647;
const updatable =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** What an update of a pod may not change. */
export function validatePodUpdate(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): FieldError[] {
  const errors: FieldError[] = [];
  for (const list of ['containers', 'initContainers'] as const) {
    if ((pod.spec[list]?.length ?? 0) !== (old.spec[list]?.length ?? 0)) {
      return [...errors, field.forbidden(`spec.${list}`, 'pod updates may not add or remove containers')];
    }
  }
  const deadline = validateDeadline(pod.spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds);
  errors.push(...deadline);
  if (deadline.length > 0 && typeof pod.spec.activeDeadlineSeconds === 'number') return errors;
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

function validateDeadline(deadline: number | undefined, old: number | undefined): FieldError[] {
  const path = 'spec.activeDeadlineSeconds';
  if (typeof deadline !== 'number') {
    if (typeof old !== 'number') return [];
    return [field.invalid(path, 'null', 'must not update from a positive integer to nil value')];
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
  if (Object.keys(oldSelector).some((key) => selector[key] !== oldSelector[key])) {
    const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
    errors.push(field.invalid('spec.nodeSelector', selector, detail));
  }
  copyField(spec, before, 'nodeSelector');
  const affinity = spec.affinity?.nodeAffinity;
  const oldAffinity = before.affinity?.nodeAffinity;
  if (equalJSON(affinity, oldAffinity)) return errors;
  errors.push(...validateAffinityMutation(affinity, oldAffinity));
  const rest = { ...spec.affinity };
  delete rest.nodeAffinity;
  if (oldAffinity) rest.nodeAffinity = oldAffinity;
  if (before.affinity === undefined && Object.keys(rest).length === 0) delete spec.affinity;
  else spec.affinity = rest;
  return errors;
}

/** Requirements may be added to the terms that there are; a pod without any may get terms. */
function validateAffinityMutation(now: NodeAffinity | undefined, old: NodeAffinity | undefined): FieldError[] {
  const oldTerms = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const terms = now?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (oldTerms.length === 0) return [];
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  if (terms.length !== oldTerms.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    return [field.invalid(path, terms, detail)];
  }
  return terms.flatMap((term, i) => {
    if (hasOnlyAdditions(term, oldTerms[i] ?? {})) return [];
    return [field.invalid(`${path}[${i}]`, term, 'only additions are allowed (no mutations or deletions)')];
  });
}

/** A term without requirements matches nothing: it stays that way. */
function hasOnlyAdditions(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const parts = ['matchExpressions', 'matchFields'] as const;
  const count = (one: NodeSelectorTerm): number => parts.reduce((sum, part) => sum + (one[part]?.length ?? 0), 0);
  if (count(old) === 0) return count(term) === 0;
  return parts.every((part) => {
    const before = old[part] ?? [];
    return equalJSON((term[part] ?? []).slice(0, before.length), before);
  });
}

/** The ephemeralcontainers subresource: containers can be added, not changed or removed. `errors` are those of the pod by itself. */
export function validateEphemeralUpdate(
  pod: DeepReadonly<Pod>,
  old: DeepReadonly<Pod>,
  errors: readonly FieldError[],
): FieldError[] {
  const path = 'spec.ephemeralContainers';
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    return [field.forbidden('[]', 'static pods do not support ephemeral containers')];
  }
  const found = [...errors];
  const now = new Map((pod.spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  for (const before of old.spec.ephemeralContainers ?? []) {
    const container = now.get(before.name);
    if (container && equalJSON(container, before)) continue;
    const change = container ? 'changed' : 'removed';
    found.push(field.forbidden(path, `existing ephemeral containers "${before.name}" may not be ${change}\n`));
  }
  return found;
}
