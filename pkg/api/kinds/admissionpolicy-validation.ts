import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type {
  AuditAnnotation,
  MutatingAdmissionPolicySpec,
  Mutation,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicySpec,
  ValidatingAdmissionPolicyStatus,
  Validation,
  Variable,
} from '../generated/types.ts';
import { validateConditions } from '../validation/conditions.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { isDNS1035Label, isDNS1123Subdomain, isPathSegmentName, isQualifiedName } from '../validation/names.ts';
import { checkName } from '../validation/values.ts';
import {
  failurePolicies,
  reinvocationPolicies,
  validateMatchConditions,
  validateMatchResources,
} from './admission-rule-validation.ts';

type FieldError = field.FieldError;
type ValidatingSpec = DeepReadonly<ValidatingAdmissionPolicySpec>;
type MutatingSpec = DeepReadonly<MutatingAdmissionPolicySpec>;
type Spec = ValidatingSpec | MutatingSpec;

const maxAuditAnnotations = 20;
const maxValueExpressionBytes = 5 * 1024;
const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const actions = ['Audit', 'Deny', 'Warn'];
const patchTypes = ['ApplyConfiguration', 'JSONPatch'];
const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** All but what the expressions say: that is known once they are compiled. */
export function validateValidatingPolicy(
  name: string,
  spec: ValidatingSpec | undefined,
  old: ValidatingSpec | undefined,
): FieldError[] {
  const errors = validateCommon(spec ?? {}, old);
  const { validations = [], auditAnnotations = [] } = spec ?? {};
  if ((validations?.length ?? 0) === 0 && (auditAnnotations?.length ?? 0) === 0) {
    const detail = 'validations or auditAnnotations must contain at least one item';
    return [...errors, field.required('spec.validations', detail), field.required('spec.auditAnnotations', detail)];
  }
  for (let i = 0; i < validations.length; i++) {
    errors.push(...validateValidation(validations[i] ?? {}, `spec.validations[${i}]`));
  }
  return [...errors, ...validateAuditAnnotations(name, auditAnnotations, 'spec.auditAnnotations')];
}

export function validateMutatingPolicy(spec: MutatingSpec | undefined, old: MutatingSpec | undefined): FieldError[] {
  const errors = validateCommon(spec ?? {}, old);
  const mutations = spec?.mutations ?? [];
  if (mutations.length === 0) {
    errors.push(field.required('spec.mutations', 'mutations must contain at least one item'));
  }
  for (let i = 0; i < mutations.length; i++) {
    errors.push(...validateMutation(mutations[i] ?? {}, `spec.mutations[${i}]`));
  }
  const policy = spec?.reinvocationPolicy ?? '';
  if (policy === '') errors.push(field.required('spec.reinvocationPolicy'));
  else if (!reinvocationPolicies.includes(policy)) {
    errors.push(field.notSupported('spec.reinvocationPolicy', policy, reinvocationPolicies));
  }
  return errors;
}

function validateCommon(spec: Spec, old: Spec | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const policy = spec.failurePolicy;
  if (policy === undefined || policy === null) errors.push(field.required('spec.failurePolicy'));
  else if (!failurePolicies.includes(policy)) {
    errors.push(field.notSupported('spec.failurePolicy', policy, failurePolicies));
  }
  if (spec.paramKind) errors.push(...validateParamKind(spec.paramKind, 'spec.paramKind'));
  if (!spec.matchConstraints) errors.push(field.required('spec.matchConstraints'));
  else {
    errors.push(...validateMatchResources(spec.matchConstraints, 'spec.matchConstraints'));
    const rules = spec.matchConstraints.resourceRules ?? [];
    if (rules.length === 0) errors.push(field.required('spec.matchConstraints.resourceRules'));
  }
  const kept = old && equalJSON(spec.paramKind ?? null, old.paramKind ?? null);
  if (!kept || !equalJSON(spec.matchConditions ?? [], old.matchConditions ?? [])) {
    errors.push(...validateMatchConditions(spec.matchConditions, 'spec.matchConditions'));
  }
  const variables = spec.variables ?? [];
  for (let i = 0; i < variables.length; i++) {
    errors.push(...validateVariable(variables[i] ?? {}, `spec.variables[${i}]`));
  }
  return errors;
}

function validateParamKind(param: DeepReadonly<ParamKind>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { apiVersion = '', kind = '' } = param;
  const at = `${path}.apiVersion`;
  const parts = apiVersion.split('/');
  if (apiVersion === '') errors.push(field.required(at));
  else if (parts.length > 2) {
    errors.push(field.invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  } else {
    const [group, version] = parts.length === 2 ? parts : ['', apiVersion === '/' ? '' : apiVersion];
    if (group) errors.push(...joined(isDNS1123Subdomain(group), group, at));
    if (version) errors.push(...joined(isDNS1035Label(version), version, at));
    else errors.push(field.invalid(at, apiVersion, 'version must be specified'));
  }
  if (kind === '') errors.push(field.required(`${path}.kind`));
  else {
    const wrong = isDNS1035Label(kind.toLowerCase()).join(',');
    const detail = `may have mixed case, but should otherwise match: ${wrong}`;
    if (wrong !== '') errors.push(field.invalid(`${path}.kind`, kind, detail));
  }
  return errors;
}

function joined(texts: readonly string[], value: string, path: string): FieldError[] {
  return texts.length === 0 ? [] : [field.invalid(path, value, texts.join(','))];
}

function validateVariable(variable: DeepReadonly<Partial<Variable>>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { name = '', expression = '' } = variable;
  if (name.trim() === '') errors.push(field.required(`${path}.name`, 'name is not specified'));
  else if (!identifier.test(name) || reserved.has(name)) {
    errors.push(field.invalid(`${path}.name`, name, 'name is not a valid CEL identifier'));
  }
  if (expression.trim() === '') errors.push(field.required(`${path}.expression`, 'expression is not specified'));
  return errors;
}

function validateValidation(validation: DeepReadonly<Partial<Validation>>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { expression = '', messageExpression = '', message = '', reason } = validation;
  if (expression.trim() === '') errors.push(field.required(`${path}.expression`, 'expression is not specified'));
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(field.invalid(`${path}.messageExpression`, messageExpression, 'must be non-empty if specified'));
  }
  if (message !== '' && message.trim() === '') {
    errors.push(field.invalid(`${path}.message`, message, 'message must be non-empty if specified'));
  } else if (/[\n\r]/.test(message.trim())) {
    errors.push(field.invalid(`${path}.message`, message, 'message must not contain line breaks'));
  }
  if (reason !== undefined && reason !== null && !reasons.includes(reason)) {
    errors.push(field.notSupported(`${path}.reason`, reason, reasons));
  }
  return errors;
}

function validateAuditAnnotations(
  name: string,
  annotations: readonly DeepReadonly<AuditAnnotation>[],
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (annotations.length > maxAuditAnnotations) {
    const detail = `must not have more than ${maxAuditAnnotations} auditAnnotations`;
    errors.push(field.invalid(path, annotations, detail));
  }
  const seen = new Set<string>();
  for (let i = 0; i < annotations.length; i++) {
    const { key = '', valueExpression = '' } = annotations[i] ?? {};
    const at = `${path}[${i}]`;
    errors.push(...checkName(isQualifiedName, `${name}/${key}`, `${at}.key`));
    const expression = valueExpression.trim();
    if (expression === '') {
      errors.push(field.required(`${at}.valueExpression`, 'valueExpression is not specified'));
    } else if (expression.length > maxValueExpressionBytes) {
      const detail = `must not exceed ${maxValueExpressionBytes} bytes in length`;
      errors.push(field.required(`${at}.valueExpression`, detail));
    }
    if (seen.has(key)) errors.push(field.duplicate(`${at}.key`, key));
    seen.add(key);
  }
  return errors;
}

function validateMutation(mutation: DeepReadonly<Partial<Mutation>>, path: string): FieldError[] {
  const type = mutation.patchType ?? '';
  if (type === '') return [field.required(`${path}.patchType`)];
  if (!patchTypes.includes(type)) return [field.notSupported(`${path}.patchType`, type, patchTypes)];
  const [used, other] =
    type === 'JSONPatch'
      ? (['jsonPatch', 'applyConfiguration'] as const)
      : (['applyConfiguration', 'jsonPatch'] as const);
  const errors: FieldError[] = [];
  if (!mutation[used]) errors.push(field.required(`${path}.${used}`, `must be specified when patchType is ${type}`));
  else if ((mutation[used]?.expression ?? '').trim() === '') {
    errors.push(field.required(`${path}.${used}.expression`, 'expression is not specified'));
  }
  if (mutation[other]) {
    errors.push(field.invalid(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${type}`));
  }
  return errors;
}

/** A binding; only those of validating policies have actions. */
export function validatePolicyBinding(
  spec: DeepReadonly<ValidatingAdmissionPolicyBindingSpec> | undefined,
  hasActions: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec?.policyName) errors.push(field.required('spec.policyName'));
  else errors.push(...checkName(isDNS1123Subdomain, spec.policyName, 'spec.policyName'));
  if (spec?.paramRef) errors.push(...validateParamRef(spec.paramRef, 'spec.paramRef'));
  if (spec?.matchResources) errors.push(...validateMatchResources(spec.matchResources, 'spec.matchResources'));
  if (hasActions) errors.push(...validateActions(spec?.validationActions ?? [], 'spec.validationActions'));
  return errors;
}

function validateParamRef(ref: DeepReadonly<ParamRef>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const exclusive = 'name and selector are mutually exclusive';
  const { name, selector, parameterNotFoundAction: action } = ref;
  if (name) {
    errors.push(...checkName(isPathSegmentName, name, `${path}.name`));
    if (selector) errors.push(field.forbidden(`${path}.name`, exclusive));
  }
  if (selector) {
    errors.push(...validateLabelSelector(selector, `${path}.selector`));
    if (name) errors.push(field.forbidden(`${path}.selector`, exclusive));
  }
  if (!name && !selector) errors.push(field.required(path, 'one of name or selector must be specified'));
  if (!action) errors.push(field.required(`${path}.parameterNotFoundAction`));
  else if (action !== 'Deny' && action !== 'Allow') {
    errors.push(field.notSupported(`${path}.parameterNotFoundAction`, action, ['Deny', 'Allow']));
  }
  return errors;
}

function validateActions(list: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (let i = 0; i < list.length; i++) {
    const action = list[i] ?? '';
    if (!actions.includes(action)) errors.push(field.notSupported(`${path}[${i}]`, action, actions));
    if (list.indexOf(action) < i) errors.push(field.duplicate(`${path}[${i}]`, action));
  }
  if (list.includes('Deny') && list.includes('Warn')) {
    const detail =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(field.invalid(path, list, detail));
  }
  if (list.length === 0) errors.push(field.required(path, 'at least one validation action is required'));
  return errors;
}

/** What the type check reports. */
export function validatePolicyStatus(status: DeepReadonly<ValidatingAdmissionPolicyStatus> | undefined): FieldError[] {
  const warnings = status?.typeChecking?.expressionWarnings ?? [];
  const errors: FieldError[] = [];
  for (let i = 0; i < warnings.length; i++) {
    const path = `status.typeChecking.expressionWarnings[${i}]`;
    if (!warnings[i]?.warning) errors.push(field.required(`${path}.warning`));
    if (!warnings[i]?.fieldRef?.trim()) errors.push(field.required(`${path}.fieldRef`));
  }
  return [...errors, ...validateConditions(status?.conditions, 'status.conditions')];
}
