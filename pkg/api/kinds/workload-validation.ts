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
  const errors = validateLabelSelector(selector, path);
  if (isEmptySelector(selector)) errors.push(field.invalid(path, selector, `empty selector is invalid for ${what}`));
  return errors;
}

/** The labels of a template must satisfy the selector; an absent selector matches nothing. */
export function validateTemplateLabels(
  selector: DeepReadonly<LabelSelector> | undefined,
  template: Template,
  path: string,
): FieldError[] {
  const labels = template?.metadata?.labels;
  if (matchesLabelSelector(selector, labels)) return [];
  return [field.invalid(`${path}.metadata.labels`, labels ?? null, selectorMismatch)];
}

/** The template of something that restarts its pods for ever. `what` is the kind in upstream's text. */
export function validateRunningTemplate(template: Template, what: string, path: string): FieldError[] {
  const errors = validatePodTemplate(template, path);
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

/** Counters of a status: none negative, none above `replicas`. */
export function validateReplicaStatus(
  status: Readonly<Record<string, unknown>> | undefined,
  counters: readonly string[],
  path = 'status',
): FieldError[] {
  const errors: FieldError[] = [];
  const number = (name: string): number => (typeof status?.[name] === 'number' ? status[name] : 0);
  for (const name of ['replicas', ...counters, 'observedGeneration']) {
    errors.push(...nonNegative(number(name), `${path}.${name}`));
  }
  for (const name of counters) {
    if (number(name) <= number('replicas')) continue;
    errors.push(field.invalid(`${path}.${name}`, number(name), 'cannot be greater than status.replicas'));
  }
  if (counters.includes('readyReplicas') && counters.includes('availableReplicas')) {
    if (number('availableReplicas') > number('readyReplicas')) {
      const detail = 'cannot be greater than readyReplicas';
      errors.push(field.invalid(`${path}.availableReplicas`, number('availableReplicas'), detail));
    }
  }
  return errors;
}
