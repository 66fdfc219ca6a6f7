import type { DeepReadonly } from '../../base/json.ts';
import type { JobSpec } from '../generated/types.ts';
import { matchesLabelSelector } from '../selector.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { domainPrefixedPath, nonNegative } from '../validation/values.ts';
import { validatePodFailurePolicy, validateSuccessPolicy } from './job-policy-validation.ts';
import { validatePodTemplate } from './pod-validation.ts';
import { isSelector, selectorMismatch } from './workload-validation.ts';

type FieldError = field.FieldError;
type Spec = DeepReadonly<JobSpec>;

const maxParallelismForIndexedJob = 100_000;
const maxFailedIndexes = 100_000;
/** Above so many completions, jobs with a limit per index have to be smaller in other respects. */
const manyCompletions = 100_000;
const maxParallelismForManyCompletions = 10_000;
const maxFailedIndexesForManyCompletions = 10_000;
const maxManagedByBytes = 63;

/** A job's spec, its selector included. */
export function validateJobSpec(spec: Spec, path: string): FieldError[] {
  const errors = validateJobTemplateSpec(spec, path);
  if (!spec.selector) errors.push(field.required(`${path}.selector`));
  else errors.push(...validateLabelSelector(spec.selector, `${path}.selector`));
  const labels = spec.template?.metadata?.labels;
  if (!matchesLabelSelector(spec.selector, labels) && isSelector(spec.selector)) {
    errors.push(field.invalid(`${path}.template.metadata.labels`, labels ?? null, selectorMismatch));
  }
  return errors;
}

/** What a job's spec must have also inside a CronJob. */
export function validateJobTemplateSpec(spec: Spec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const counters = [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const;
  for (const name of counters) errors.push(...nonNegative(spec[name], `${path}.${name}`));
  if (isSet(spec.maxFailedIndexes) && !isSet(spec.backoffLimitPerIndex)) {
    errors.push(field.required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (spec.managedBy !== undefined && spec.managedBy !== null) {
    errors.push(...domainPrefixedPath(spec.managedBy, `${path}.managedBy`));
    if (spec.managedBy.length > maxManagedByBytes) errors.push(field.tooLong(`${path}.managedBy`, maxManagedByBytes));
  }
  errors.push(...validateCompletionMode(spec, path));
  if (spec.podFailurePolicy) errors.push(...validatePodFailurePolicy(spec, `${path}.podFailurePolicy`));
  if (spec.successPolicy) {
    const at = `${path}.successPolicy`;
    if (spec.completionMode === 'Indexed') errors.push(...validateSuccessPolicy(spec, at));
    else errors.push(field.invalid(at, spec.successPolicy, 'requires indexed completion mode'));
  }
  errors.push(...validateReplacement(spec, `${path}.podReplacementPolicy`));
  errors.push(...validatePodTemplate(spec.template, `${path}.template`));
  errors.push(...validateRestartPolicy(spec, `${path}.template.spec.restartPolicy`));
  return errors;
}

function isSet(value: number | undefined | null): value is number {
  return typeof value === 'number';
}

function validateCompletionMode(spec: Spec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { completionMode: mode, backoffLimitPerIndex, maxFailedIndexes: failedIndexes } = spec;
  if (mode !== undefined && mode !== null && mode !== 'NonIndexed' && mode !== 'Indexed') {
    errors.push(field.notSupported(`${path}.completionMode`, mode, ['NonIndexed', 'Indexed']));
  }
  if (mode === 'Indexed') errors.push(...validateIndexed(spec, path));
  if (mode !== undefined && mode !== null && mode !== 'NonIndexed') return errors;
  if (isSet(backoffLimitPerIndex)) {
    errors.push(
      field.invalid(`${path}.backoffLimitPerIndex`, backoffLimitPerIndex, 'requires indexed completion mode'),
    );
  }
  if (isSet(failedIndexes)) {
    errors.push(field.invalid(`${path}.maxFailedIndexes`, failedIndexes, 'requires indexed completion mode'));
  }
  return errors;
}

function validateIndexed(spec: Spec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { completions, parallelism, maxFailedIndexes: failedIndexes, backoffLimitPerIndex } = spec;
  const atMost = (name: 'parallelism' | 'maxFailedIndexes', max: number, when: string): void => {
    if ((spec[name] ?? 0) <= max) return;
    errors.push(field.invalid(`${path}.${name}`, spec[name], `must be less than or equal to ${max}${when}`));
  };
  if (!isSet(completions)) errors.push(field.required(`${path}.completions`, 'when completion mode is Indexed'));
  atMost('parallelism', maxParallelismForIndexedJob, ' when completion mode is Indexed');
  if (isSet(completions) && isSet(failedIndexes) && failedIndexes > completions) {
    const detail = 'must be less than or equal to completions';
    errors.push(field.invalid(`${path}.maxFailedIndexes`, failedIndexes, detail));
  }
  atMost('maxFailedIndexes', maxFailedIndexes, '');
  if (!isSet(completions) || completions <= manyCompletions || !isSet(backoffLimitPerIndex)) return errors;
  if (!isSet(failedIndexes)) {
    const detail = `must be specified when completions is above ${manyCompletions}`;
    errors.push(field.required(`${path}.maxFailedIndexes`, detail));
  }
  const when = ` when completions are above ${manyCompletions} and used with backoff limit per index`;
  if (isSet(parallelism)) atMost('parallelism', maxParallelismForManyCompletions, when);
  atMost('maxFailedIndexes', maxFailedIndexesForManyCompletions, when);
  return errors;
}

function validateReplacement(spec: Spec, path: string): FieldError[] {
  const policy = spec.podReplacementPolicy;
  if (policy === undefined || policy === null) return [];
  const supported = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  return supported.includes(policy) ? [] : [field.notSupported(path, policy, supported)];
}

function validateRestartPolicy(spec: Spec, path: string): FieldError[] {
  const policy = spec.template?.spec?.restartPolicy ?? '';
  if (policy === 'Always' || policy === '') return [field.required(path, 'valid values: "OnFailure", "Never"')];
  if (policy !== 'OnFailure' && policy !== 'Never') return [field.notSupported(path, policy, ['OnFailure', 'Never'])];
  if (!spec.podFailurePolicy || policy === 'Never') return [];
  return [field.invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')];
}
