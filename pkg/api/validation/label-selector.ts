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

function validateRequirement(requirement: DeepReadonly<LabelSelectorRequirement>, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const values = requirement.values ?? [];
  const operator = requirement.operator ?? '';
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      errors.push(field.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      errors.push(
        field.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
      );
    }
  } else {
    errors.push(field.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  for (const text of isQualifiedName(requirement.key ?? '')) {
    errors.push(field.invalid(`${path}.key`, requirement.key ?? '', text));
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? '';
    for (const text of isLabelValue(value)) errors.push(field.invalid(`${path}.values[${i}]`, value, text));
  }
  return errors;
}
