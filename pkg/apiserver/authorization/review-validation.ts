import type { FieldError } from '../../api/errors.ts';
import type {
  FieldSelectorAttributes,
  FieldSelectorRequirement,
  LabelSelectorAttributes,
  NonResourceAttributes,
  ObjectMeta,
  ResourceAttributes,
} from '../../api/generated/types.ts';
import { builtinSchema } from '../../api/schema/builtin.ts';
import { inStructOrder } from '../../api/schema/struct-order.ts';
import * as field from '../../api/validation/field-error.ts';
import { validateRequirementLabels, validateRequirementValues } from '../../api/validation/label-selector.ts';

/** What the specs of access reviews have in common. */
export interface AttributesSpec {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
  readonly user?: string;
  readonly groups?: readonly string[];
}

/** Upstream's ValidateSubjectAccessReviewSpec; `others` means a review of somebody else's rights, who has to be named. */
export function validateSpec(spec: AttributesSpec | undefined, others: boolean): FieldError[] {
  const { resourceAttributes, nonResourceAttributes, user, groups } = spec ?? {};
  const errors: FieldError[] = [];
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    errors.push(invalidPath(nonResourceAttributes, 'cannot be specified in combination with resourceAttributes'));
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    errors.push(field.invalid('spec.resourceAttributes', null, detail));
  }
  if (others && !user && !groups?.length) {
    errors.push(field.invalid('spec.user', '', 'at least one of user or group must be specified'));
  }
  const { fieldSelector, labelSelector } = resourceAttributes ?? {};
  return [
    ...errors,
    ...selectorErrors(fieldSelector, 'spec.resourceAttributes.fieldSelector', requiredKey),
    ...selectorErrors(labelSelector, 'spec.resourceAttributes.labelSelector', validateRequirementLabels),
  ];
}

/** An error about `spec.nonResourceAttributes`, which shows them as upstream's own type has them. */
export function invalidPath({ path = '', verb = '' }: NonResourceAttributes, detail: string): FieldError {
  return field.invalid('spec.nonResourceAttributes', { Path: path, Verb: verb }, detail);
}

/** A review has no metadata beside its owners and, where it has one, its namespace. */
export function validateMetadata(metadata: ObjectMeta | undefined, except?: 'namespace'): FieldError[] {
  const { managedFields: _, ...given } = metadata ?? {};
  if (except !== undefined) delete given[except];
  if (Object.keys(given).length === 0) return [];
  const detail = except === undefined ? 'must be empty' : `must be empty except for ${except}`;
  return [field.invalid('metadata', inStructOrder(builtinSchema('meta.v1.ObjectMeta'), metadata), detail)];
}

function requiredKey({ key }: FieldSelectorRequirement, path: string): FieldError[] {
  return key ? [] : [field.required(`${path}.key`, 'must be specified')];
}

/** A selector is either a text or a list of requirements; operators that this version does not know are let through. */
function selectorErrors(
  selector: FieldSelectorAttributes | LabelSelectorAttributes | undefined,
  path: string,
  validateNames: (requirement: FieldSelectorRequirement, path: string) => FieldError[],
): FieldError[] {
  if (selector === undefined) return [];
  const { rawSelector = '', requirements = [] } = selector;
  const errors: FieldError[] = [];
  if (rawSelector !== '' && requirements.length > 0) {
    const detail = 'may not specified at the same time as requirements';
    errors.push(field.invalid(`${path}.rawSelector`, rawSelector, detail));
  }
  if (rawSelector === '' && requirements.length === 0) {
    const detail = `when ${path} is specified, requirements or rawSelector is required`;
    errors.push(field.required(`${path}.requirements`, detail));
  }
  for (const [i, requirement] of requirements.entries()) {
    const at = `${path}.requirements[${i}]`;
    errors.push(...validateRequirementValues(requirement, at), ...validateNames(requirement, at));
  }
  return errors;
}
