import type { DeepReadonly } from '../../base/json.ts';
import type { JobSpec, PodFailurePolicyRule, SuccessPolicyRule } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isQualifiedName } from '../validation/names.ts';
import { checkName, nonNegative } from '../validation/values.ts';
import { countIndexes } from './job-indexes.ts';

type FieldError = field.FieldError;
type Spec = DeepReadonly<JobSpec>;

const maxFailureRules = 20;
const maxExitCodes = 255;
const maxConditionPatterns = 20;
const maxSuccessRules = 20;
const maxSucceededIndexesBytes = 64 * 1024;

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const operators = ['In', 'NotIn'];
const statuses = ['False', 'True', 'Unknown'];

/** How Go's %q writes a list of strings. */
function quotedList(values: readonly string[]): string {
  return `[${values.map((value) => `"${value}"`).join(' ')}]`;
}

export function validatePodFailurePolicy(spec: Spec, path: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const errors = rules.length > maxFailureRules ? [field.tooMany(`${path}.rules`, rules.length, maxFailureRules)] : [];
  return [...errors, ...rules.flatMap((rule, i) => validateFailureRule(spec, rule, `${path}.rules[${i}]`))];
}

function validateFailureRule(spec: Spec, rule: DeepReadonly<PodFailurePolicyRule>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const action = rule.action ?? '';
  const at = `${path}.action`;
  if (action === '') errors.push(field.required(at, `valid values: ${quotedList(actions)}`));
  else if (!actions.includes(action)) errors.push(field.notSupported(at, action, actions));
  else if (action === 'FailIndex' && typeof spec.backoffLimitPerIndex !== 'number') {
    errors.push(field.invalid(at, action, 'requires the backoffLimitPerIndex to be set'));
  }
  const patterns = rule.onPodConditions ?? [];
  if (rule.onExitCodes) errors.push(...validateExitCodes(spec, rule.onExitCodes, `${path}.onExitCodes`));
  errors.push(...validatePatterns(patterns, `${path}.onPodConditions`));
  if (rule.onExitCodes && patterns.length > 0) {
    const detail = 'specifying both OnExitCodes and OnPodConditions is not supported';
    errors.push(field.invalidWithoutValue(path, detail));
  }
  if (!rule.onExitCodes && patterns.length === 0) {
    const detail = 'specifying one of OnExitCodes and OnPodConditions is required';
    errors.push(field.invalidWithoutValue(path, detail));
  }
  return errors;
}

function validatePatterns(
  patterns: NonNullable<DeepReadonly<PodFailurePolicyRule>['onPodConditions']>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (patterns.length > maxConditionPatterns) {
    errors.push(field.tooMany(path, patterns.length, maxConditionPatterns));
  }
  for (let i = 0; i < patterns.length; i++) {
    const { type = '', status = '' } = patterns[i] ?? {};
    errors.push(...checkName(isQualifiedName, type, `${path}[${i}].type`));
    if (status === '') errors.push(field.required(`${path}[${i}].status`, `valid values: ${quotedList(statuses)}`));
    else if (!statuses.includes(status)) errors.push(field.notSupported(`${path}[${i}].status`, status, statuses));
  }
  return errors;
}

function validateExitCodes(
  spec: Spec,
  requirement: NonNullable<DeepReadonly<PodFailurePolicyRule>['onExitCodes']>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const { operator = '', containerName } = requirement;
  const values = requirement.values ?? [];
  if (operator === '') errors.push(field.required(`${path}.operator`, `valid values: ${quotedList(operators)}`));
  else if (!operators.includes(operator)) errors.push(field.notSupported(`${path}.operator`, operator, operators));
  const pod = spec.template?.spec;
  const names = [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])].map(({ name }) => name);
  if (containerName !== undefined && containerName !== null && !names.includes(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    errors.push(field.invalid(`${path}.containerName`, containerName, detail));
  }
  const at = `${path}.values`;
  if (values.length === 0) errors.push(field.invalid(at, requirement.values ?? null, 'at least one value is required'));
  else if (values.length > maxExitCodes) errors.push(field.tooMany(at, values.length, maxExitCodes));
  const seen = new Set<number>();
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (operator === 'In' && value === 0) {
      errors.push(field.invalid(`${at}[${i}]`, value, 'must not be 0 for the In operator'));
    }
    if (seen.has(value)) errors.push(field.duplicate(`${at}[${i}]`, value));
    seen.add(value);
  }
  if (values.some((value, i) => i > 0 && (values[i - 1] ?? 0) > value)) {
    errors.push(field.invalid(at, values, 'must be ordered'));
  }
  return errors;
}

/** When an Indexed job counts as done before all its pods are. */
export function validateSuccessPolicy(spec: Spec, path: string): FieldError[] {
  const rules = spec.successPolicy?.rules ?? [];
  const at = `${path}.rules`;
  if (rules.length === 0) {
    return [field.required(at, 'at least one rules must be specified when the successPolicy is specified')];
  }
  const errors = rules.length > maxSuccessRules ? [field.tooMany(at, rules.length, maxSuccessRules)] : [];
  return [...errors, ...rules.flatMap((rule, i) => validateSuccessRule(spec, rule, `${at}[${i}]`))];
}

function validateSuccessRule(spec: Spec, rule: DeepReadonly<SuccessPolicyRule>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { succeededIndexes: indexes, succeededCount: count } = rule;
  const hasIndexes = typeof indexes === 'string';
  const hasCount = typeof count === 'number';
  const completions = spec.completions ?? 0;
  if (!hasIndexes && !hasCount) {
    errors.push(field.required(path, 'at least one of succeededCount or succeededIndexes must be specified'));
  }
  let total = 0;
  if (hasIndexes) {
    const at = `${path}.succeededIndexes`;
    if (indexes.length > maxSucceededIndexesBytes) errors.push(field.tooLong(at, maxSucceededIndexesBytes));
    const counted = countIndexes(indexes, completions);
    if (typeof counted === 'number') total = counted;
    else errors.push(field.invalid(at, indexes, `error parsing succeededIndexes: ${counted}`));
  }
  if (!hasCount) return errors;
  const at = `${path}.succeededCount`;
  errors.push(...nonNegative(count, at));
  const within = (max: number, what: string): void => {
    if (count > max) errors.push(field.invalid(at, count, `must be less than or equal to ${max} (${what})`));
  };
  within(completions, 'the number of specified completions');
  if (hasIndexes) within(total, 'the number of indexes in the specified succeededIndexes field');
  return errors;
}
