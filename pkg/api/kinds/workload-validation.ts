import type { DeepReadonly } from '../../base/json.ts';
import type { LabelSelector, PodTemplateSpec } from '../generated/types.ts';
import { isEmptySelector, matchesLabelSelector } from '../selector.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { intOrPercent, intOrPercentValue, nonNegative, notMoreThan100Percent } from '../validation/values.ts';
import { validatePodTemplate } from './pod-validation.ts';

type FieldError = field.FieldError;
type Template = DeepReadonly<PodTemplateSpec> | undefined;

export const selectorMismatch = '`selector` does not match template `labels`';

/** The selector of a workload: required, and not empty. `what` is the kind in upstream's text. */
export function validateWorkloadSelector(
  selector: DeepReadonly<LabelSelector> | undefined,
  what: string,
  path: string,
): FieldError[] {
  if (!selector) return [field.required(path)];
  return [...validateLabelSelector(selector, path), ...emptySelector(selector, what, path)];
}

/** A selector that selects everything is refused; an absent one is none. */
export function emptySelector(
  selector: DeepReadonly<LabelSelector> | undefined | null,
  what: string,
  path: string,
): FieldError[] {
  if (!selector || !isEmptySelector(selector)) return [];
  return [field.invalid(path, selector, `empty selector is invalid for ${what}`)];
}

/** The labels of a template must satisfy the selector. An absent selector matches nothing; a malformed one is not compared. */
export function validateTemplateLabels(
  selector: DeepReadonly<LabelSelector> | undefined,
  template: Template,
  path: string,
): FieldError[] {
  const labels = template?.metadata?.labels;
  if (matchesLabelSelector(selector, labels) || !isSelector(selector)) return [];
  return [field.invalid(`${path}.metadata.labels`, labels ?? null, selectorMismatch)];
}

/** Whether the selector is well-formed. */
export function isSelector(selector: DeepReadonly<LabelSelector> | undefined): boolean {
  return validateLabelSelector(selector, '').length === 0;
}

/** Selector and template of a Deployment or a ReplicaSet; the template is looked at when the selector is well-formed. */
export function validateReplicatedTemplate(
  spec: DeepReadonly<{ selector?: LabelSelector; template?: PodTemplateSpec }>,
): FieldError[] {
  const { selector, template } = spec;
  const errors = validateWorkloadSelector(selector, 'deployment', 'spec.selector');
  if (!isSelector(selector)) return [...errors, field.invalid('spec.selector', selector, 'invalid label selector')];
  return [
    ...errors,
    ...validateTemplateLabels(selector, template, 'spec.template'),
    ...validateRunningTemplate(template, 'ReplicaSet', 'spec.template'),
  ];
}

/** The template of something that restarts its pods for ever. `what` is the kind in upstream's text. */
export function validateRunningTemplate(template: Template, what: string, path: string): FieldError[] {
  return [...validatePodTemplate(template, path), ...validateRestarts(template, what, path)];
}

/** Pods of such a template start again and have no deadline. */
export function validateRestarts(template: Template, what: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const policy = template?.spec?.restartPolicy ?? '';
  if (policy !== 'Always') errors.push(field.notSupported(`${path}.spec.restartPolicy`, policy, ['Always']));
  if (typeof template?.spec?.activeDeadlineSeconds === 'number') {
    const detail = `activeDeadlineSeconds in ${what} is not Supported`;
    errors.push(field.forbidden(`${path}.spec.activeDeadlineSeconds`, detail));
  }
  return errors;
}

/** maxUnavailable and maxSurge of a Deployment; not both may be 0. */
export function validateRolling(
  rolling: { readonly maxUnavailable?: number | string; readonly maxSurge?: number | string },
  path: string,
): FieldError[] {
  const { maxUnavailable, maxSurge } = rolling;
  const errors = [
    ...intOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...intOrPercent(maxSurge, `${path}.maxSurge`),
  ];
  if (intOrPercentValue(maxUnavailable) === 0 && intOrPercentValue(maxSurge) === 0) {
    errors.push(field.invalid(`${path}.maxUnavailable`, maxUnavailable ?? null, 'may not be 0 when `maxSurge` is 0'));
  }
  errors.push(...notMoreThan100Percent(maxUnavailable, `${path}.maxUnavailable`));
  return errors;
}

type Status = Readonly<Record<string, unknown>> | undefined;

/** These counters of a status must not be negative; absent ones count as 0. */
export function nonNegativeCounters(status: Status, names: readonly string[], path = 'status'): FieldError[] {
  return names.flatMap((name) => nonNegative(counter(status, name), `${path}.${name}`));
}

/**
 * No counter may exceed `replicas`, and no more pods may be available than are ready. `ready` is how the text calls the ready
 * ones.
 */
export function countersWithinReplicas(status: Status, names: readonly string[], ready: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of names) {
    const value = counter(status, name);
    if (value <= counter(status, 'replicas')) continue;
    errors.push(field.invalid(`status.${name}`, value, 'cannot be greater than status.replicas'));
  }
  const available = counter(status, 'availableReplicas');
  if (available > counter(status, 'readyReplicas')) {
    errors.push(field.invalid('status.availableReplicas', available, `cannot be greater than ${ready}`));
  }
  return errors;
}

/** The count of hash collisions only grows. */
export function collisionCountKept(status: Status, old: Status): FieldError[] {
  const before = old?.collisionCount;
  if (typeof before !== 'number') return [];
  const value = counter(status, 'collisionCount');
  const dropped = typeof status?.collisionCount !== 'number' || value < before;
  return dropped ? [field.invalid('status.collisionCount', value, 'cannot be decremented')] : [];
}

function counter(status: Status, name: string): number {
  const value = status?.[name];
  return typeof value === 'number' ? value : 0;
}
