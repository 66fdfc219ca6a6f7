import type { DeepReadonly } from '../../base/json.ts';
import type { LabelSelector, LabelSelectorRequirement } from '../generated/types.ts';
import * as field from './field-error.ts';
import { isLabelValue, isQualifiedName } from './names.ts';

type Selector = DeepReadonly<LabelSelector>;
type Labels = Readonly<Record<string, string>>;

/** Checks the keys and values of a map of labels; both are reported at the map's path. */
export function validateLabels(labels: Labels | undefined, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  for (const key in labels ?? {}) {
    for (const text of isQualifiedName(key)) errors.push(field.invalid(path, key, text));
    const value = labels?.[key] ?? '';
    for (const text of isLabelValue(value)) errors.push(field.invalid(path, value, text));
  }
  return errors;
}

export function validateLabelSelector(selector: Selector | undefined | null, path: string): field.FieldError[] {
  if (!selector) return [];
  const errors = validateLabels(selector.matchLabels, `${path}.matchLabels`);
  const expressions = selector.matchExpressions ?? [];
  for (let i = 0; i < expressions.length; i++) {
    const expression = expressions[i];
    if (expression) errors.push(...validateRequirement(expression, `${path}.matchExpressions[${i}]`));
  }
  return errors;
}

function validateRequirement(requirement: Requirement, path: string): field.FieldError[] {
  const operator = requirement.operator ?? '';
  const errors = validateRequirementValues(requirement, path);
  if (!operators.has(operator)) {
    errors.push(field.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  return [...errors, ...validateRequirementLabels(requirement, path)];
}

type Requirement = DeepReadonly<Partial<LabelSelectorRequirement>>;

const operators = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

/** Whether there are values where the operator takes some, and none where it does not. */
export function validateRequirementValues({ operator, values = [] }: Requirement, path: string): field.FieldError[] {
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
    return [field.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
  }
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
    return [field.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
  }
  return [];
}

/** The key and the values as keys and values of labels. */
export function validateRequirementLabels({ key = '', values = [] }: Requirement, path: string): field.FieldError[] {
  return [
    ...isQualifiedName(key).map((text) => field.invalid(`${path}.key`, key, text)),
    ...values.flatMap((value, i) =>
      isLabelValue(value).map((text) => field.invalid(`${path}.values[${i}]`, value, text)),
    ),
  ];
}
