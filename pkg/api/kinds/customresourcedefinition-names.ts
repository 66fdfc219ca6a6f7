import type { DeepReadonly } from '../../base/json.ts';
import type { CustomResourceDefinitionNames } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1035Label } from '../validation/names.ts';

type Names = Partial<DeepReadonly<CustomResourceDefinitionNames>> | undefined;

/** The names that a definition must have. */
export function validateRequiredNames(names: Names): field.FieldError[] {
  return (['plural', 'singular', 'kind', 'listKind'] as const)
    .filter((name) => !names?.[name])
    .map((name) => field.required(`spec.names.${name}`));
}

/** Names that a definition wants, or has been given. */
export function validateNames(names: Names, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const label = (value: string, at: string, mixedCase = false): void => {
    const texts = isDNS1035Label(mixedCase ? value.toLowerCase() : value).join(',');
    if (texts === '') return;
    const detail = mixedCase ? `may have mixed case, but should otherwise match: ${texts}` : texts;
    errors.push(field.invalid(at, value, detail));
  };
  for (const name of ['plural', 'singular'] as const) if (names?.[name]) label(names[name], `${path}.${name}`);
  for (const name of ['kind', 'listKind'] as const) if (names?.[name]) label(names[name], `${path}.${name}`, true);
  for (const [i, name] of (names?.shortNames ?? []).entries()) label(name, `${path}.shortNames[${i}]`);
  if (names?.kind && names.kind === names.listKind) {
    errors.push(field.invalid(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'));
  }
  for (const [i, name] of (names?.categories ?? []).entries()) label(name, `${path}.categories[${i}]`);
  return errors;
}
