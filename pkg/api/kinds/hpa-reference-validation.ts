import * as field from '../validation/field-error.ts';
import { isPathSegmentName } from '../validation/names.ts';
import { checkName } from '../validation/values.ts';

/** What an autoscaler scales or measures, named by kind and name. */
export function validateObjectReference(
  reference: Readonly<Record<string, unknown>>,
  path: string,
): field.FieldError[] {
  const errors: field.FieldError[] = [];
  for (const name of ['kind', 'name']) {
    const value = String(reference[name] ?? '');
    if (value === '') errors.push(field.required(`${path}.${name}`));
    else errors.push(...checkName(isPathSegmentName, value, `${path}.${name}`));
  }
  const apiVersion = String(reference.apiVersion ?? '');
  if (apiVersion.split('/').length > 2) {
    errors.push(field.invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  }
  return errors;
}
