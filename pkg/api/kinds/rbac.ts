import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { ClusterRole, PolicyRule, RoleBinding, RoleRef, Subject } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { isDNS1123Subdomain, isPathSegmentName } from '../validation/names.ts';
import { checkName } from '../validation/values.ts';
import { childObject, defaultPlain, dropZero, isZero } from './shape.ts';

const group = 'rbac.authorization.k8s.io';

export const roleStrategy = roles(true);
export const clusterRoleStrategy = roles(false);
export const roleBindingStrategy = bindings(true);
export const clusterRoleBindingStrategy = bindings(false);

function roles(namespaced: boolean): Strategy {
  const validate: Strategy['validate'] = (object) =>
    validateRole(object as unknown as DeepReadonly<ClusterRole>, namespaced);
  return {
    default(object) {
      if (isZero(object.rules)) object.rules = null;
    },
    validateName: isPathSegmentName,
    validate,
    validateUpdate: (object, _old, context) => validate(object, context),
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: true,
  };
}

function validateRole(role: DeepReadonly<ClusterRole>, namespaced: boolean): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const rules = role.rules ?? [];
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i];
    if (rule) errors.push(...validateRule(rule, namespaced, `rules[${i}]`));
  }
  if (!namespaced && role.aggregationRule) {
    const path = 'aggregationRule.clusterRoleSelectors';
    const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
    if (selectors.length === 0) {
      const detail = 'at least one clusterRoleSelector required if aggregationRule is non-nil';
      errors.push(field.required(path, detail));
    }
    for (let i = 0; i < selectors.length; i++) {
      const wrong = validateLabelSelector(selectors[i], `${path}[${i}]`);
      errors.push(...wrong);
      if (wrong.length > 0) errors.push(field.invalid(`${path}[${i}]`, 'null', 'invalid label selector.'));
    }
  }
  return errors;
}

function validateRule(rule: DeepReadonly<PolicyRule>, namespaced: boolean, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (isZero(rule.verbs)) errors.push(field.required(`${path}.verbs`, 'verbs must contain at least one value'));
  if (!isZero(rule.nonResourceURLs)) {
    const at = `${path}.nonResourceURLs`;
    if (namespaced) {
      errors.push(field.invalid(at, rule.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    }
    if (!isZero(rule.apiGroups) || !isZero(rule.resources) || !isZero(rule.resourceNames)) {
      const detail = 'rules cannot apply to both regular resources and non-resource URLs';
      errors.push(field.invalid(at, rule.nonResourceURLs, detail));
    }
    return errors;
  }
  if (isZero(rule.apiGroups)) {
    errors.push(field.required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  }
  if (isZero(rule.resources)) {
    errors.push(field.required(`${path}.resources`, 'resource rules must supply at least one resource'));
  }
  return errors;
}

function bindings(namespaced: boolean): Strategy {
  const check = (object: unknown): field.FieldError[] => {
    const { roleRef, subjects } = object as DeepReadonly<RoleBinding>;
    const errors = validateRoleRef(roleRef, namespaced);
    for (let i = 0; i < (subjects?.length ?? 0); i++) {
      const subject = subjects?.[i];
      if (subject) errors.push(...validateSubject(subject, namespaced, `subjects[${i}]`));
    }
    return errors;
  };
  return {
    default(object) {
      dropZero(object, ['subjects']);
      defaultPlain(childObject(object, 'roleRef'), 'apiGroup', group);
      for (const subject of (object as unknown as RoleBinding).subjects ?? []) {
        if (subject.kind === 'User' || subject.kind === 'Group') defaultPlain(subject, 'apiGroup', group);
        else dropZero(subject, ['apiGroup']);
        dropZero(subject, ['namespace']);
      }
    },
    validateName: isPathSegmentName,
    validate: check,
    validateUpdate(object, old) {
      const errors = check(object);
      if (!equalJSON(object.roleRef, old.roleRef)) {
        errors.push(field.invalid('roleRef', object.roleRef, 'cannot change roleRef'));
      }
      return errors;
    },
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: true,
  };
}

function validateRoleRef(reference: DeepReadonly<RoleRef> | undefined, namespaced: boolean): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { apiGroup = '', kind = '', name = '' } = reference ?? {};
  if (apiGroup !== group) errors.push(field.notSupported('roleRef.apiGroup', apiGroup, [group]));
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (!kinds.includes(kind)) errors.push(field.notSupported('roleRef.kind', kind, kinds));
  if (name === '') errors.push(field.required('roleRef.name'));
  else errors.push(...checkName(isPathSegmentName, name, 'roleRef.name'));
  return errors;
}

function validateSubject(subject: DeepReadonly<Subject>, namespaced: boolean, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { apiGroup = '', kind = '', name = '', namespace = '' } = subject;
  if (name === '') errors.push(field.required(`${path}.name`));
  if (kind === 'ServiceAccount') {
    if (name !== '') errors.push(...checkName(isDNS1123Subdomain, name, `${path}.name`));
    if (apiGroup !== '') errors.push(field.notSupported(`${path}.apiGroup`, apiGroup, ['']));
    if (namespace === '' && !namespaced) errors.push(field.required(`${path}.namespace`));
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== group) errors.push(field.notSupported(`${path}.apiGroup`, apiGroup, [group]));
  } else {
    errors.push(field.notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
  }
  return errors;
}
