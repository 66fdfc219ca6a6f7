import type { DeepReadonly } from '../../base/json.ts';
import type { Condition } from '../generated/types.ts';
import * as field from './field-error.ts';
import { byteLength, isQualifiedName, regexText } from './names.ts';

type FieldError = field.FieldError;

const statuses = ['False', 'True', 'Unknown'];
const maxReasonBytes = 1024;
const maxMessageBytes = 32 * 1024;
const reason = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const reasonRegex = new RegExp(`^${reason}$`);
const reasonText = regexText(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  reason,
  'my_name',
  'MY_NAME',
  'MyName',
  'ReasonA,ReasonB',
  'ReasonA:ReasonB',
);

/** Conditions of the common type (metav1.Condition): each type once, with a reason and a time. */
export function validateConditions(
  conditions: readonly DeepReadonly<Partial<Condition>>[] | undefined | null,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < (conditions?.length ?? 0); i++) {
    const condition = conditions?.[i] ?? {};
    const type = condition.type ?? '';
    if (seen.has(type)) errors.push(field.duplicate(`${path}[${i}].type`, type));
    seen.add(type);
    errors.push(...validateCondition(condition, type, `${path}[${i}]`));
  }
  return errors;
}

function validateCondition(condition: DeepReadonly<Partial<Condition>>, type: string, path: string): FieldError[] {
  const errors = isQualifiedName(type).map((text) => field.invalid(`${path}.type`, type, text));
  const { status = '', observedGeneration = 0, lastTransitionTime, message = '' } = condition;
  if (!statuses.includes(status)) errors.push(field.notSupported(`${path}.status`, status, statuses));
  if (observedGeneration < 0) {
    const detail = 'must be greater than or equal to zero';
    errors.push(field.invalid(`${path}.observedGeneration`, observedGeneration, detail));
  }
  if (!lastTransitionTime) errors.push(field.required(`${path}.lastTransitionTime`));
  errors.push(...validateReason(condition.reason ?? '', `${path}.reason`));
  if (byteLength(message) > maxMessageBytes) errors.push(field.tooLong(`${path}.message`, maxMessageBytes));
  return errors;
}

function validateReason(value: string, path: string): FieldError[] {
  if (value === '') return [field.required(path)];
  const errors = reasonRegex.test(value) ? [] : [field.invalid(path, value, reasonText)];
  if (byteLength(value) > maxReasonBytes) errors.push(field.tooLong(path, maxReasonBytes));
  return errors;
}
