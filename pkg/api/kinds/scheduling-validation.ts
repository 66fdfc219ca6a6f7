import { isInteger } from '../../base/integers.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type {
  Affinity,
  LabelSelector,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { isDNS1123Label, isDNS1123Subdomain, isLabelValue, isQualifiedName } from '../validation/names.ts';
import { checkName } from '../validation/values.ts';

type FieldError = field.FieldError;

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateTaintEffect(effect: string | undefined, allowEmpty: boolean, path: string): FieldError[] {
  if (effect) return taintEffects.includes(effect) ? [] : [field.notSupported(path, effect, taintEffects)];
  return allowEmpty ? [] : [field.required(path)];
}

export function validateTolerations(
  tolerations: readonly DeepReadonly<Toleration>[] | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (let i = 0; i < (tolerations?.length ?? 0); i++) {
    const toleration = tolerations?.[i];
    if (toleration) errors.push(...validateToleration(toleration, `${path}[${i}]`));
  }
  return errors;
}

function validateToleration(toleration: DeepReadonly<Toleration>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
  if (key !== '') errors.push(...checkName(isQualifiedName, key, `${path}.key`));
  if (key === '' && operator !== 'Exists') {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(field.invalid(`${path}.operator`, operator, detail));
  }
  if (isInteger(tolerationSeconds) && effect !== 'NoExecute') {
    errors.push(field.invalid(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (operator === '' || operator === 'Equal') {
    const texts = isLabelValue(value);
    if (texts.length > 0) errors.push(field.invalid(`${path}.operator`, value, texts.join(';')));
  } else if (operator === 'Exists') {
    if (value !== '') {
      errors.push(field.invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"));
    }
  } else {
    errors.push(field.notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
  }
  errors.push(...validateTaintEffect(effect, true, `${path}.effect`));
  return errors;
}

export function validateTopologySpread(
  constraints: readonly DeepReadonly<TopologySpreadConstraint>[] | undefined,
  path: string,
): FieldError[] {
  const list = constraints ?? [];
  const last = new Map(list.map((constraint, i) => [spreadPair(constraint), i]));
  return list.flatMap((constraint, i) => {
    const comesAgain = last.get(spreadPair(constraint)) !== i;
    return validateSpreadConstraint(constraint, comesAgain, `${path}[${i}]`);
  });
}

/** What no two constraints have in common. */
function spreadPair({ topologyKey = '', whenUnsatisfiable = '' }: DeepReadonly<TopologySpreadConstraint>): string {
  return `{${topologyKey}, ${whenUnsatisfiable}}`;
}

function validateSpreadConstraint(
  constraint: DeepReadonly<TopologySpreadConstraint>,
  comesAgain: boolean,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const { maxSkew = 0, minDomains, topologyKey = '', whenUnsatisfiable = '' } = constraint;
  if (maxSkew <= 0) errors.push(field.invalid(`${path}.maxSkew`, maxSkew, 'must be greater than zero'));
  if (topologyKey === '') errors.push(field.required(`${path}.topologyKey`, 'can not be empty'));
  if (whenUnsatisfiable !== 'DoNotSchedule' && whenUnsatisfiable !== 'ScheduleAnyway') {
    const supported = ['DoNotSchedule', 'ScheduleAnyway'];
    errors.push(field.notSupported(`${path}.whenUnsatisfiable`, whenUnsatisfiable, supported));
  }
  if (comesAgain) {
    errors.push(field.duplicate(`${path}.{topologyKey, whenUnsatisfiable}`, spreadPair(constraint)));
  }
  if (typeof minDomains === 'number') {
    if (minDomains <= 0) errors.push(field.invalid(`${path}.minDomains`, minDomains, 'must be greater than zero'));
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      errors.push(field.invalid(`${path}.minDomains`, minDomains, detail));
    }
  }
  for (const name of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
    const value = constraint[name];
    if (value !== undefined && value !== null && value !== 'Honor' && value !== 'Ignore') {
      errors.push(field.notSupported(`${path}.${name}`, value, ['Honor', 'Ignore']));
    }
  }
  const { matchLabelKeys = [], labelSelector } = constraint;
  errors.push(...validateLabelKeys(matchLabelKeys, labelSelector, `${path}.matchLabelKeys`));
  errors.push(...keysTwice(matchLabelKeys, labelSelector, path));
  errors.push(...validateLabelSelector(labelSelector, `${path}.labelSelector`));
  return errors;
}

/** Keys whose values are taken from the pod: label names, and of use only with a selector to add them to. */
function validateLabelKeys(
  keys: readonly string[],
  selector: DeepReadonly<LabelSelector> | undefined,
  path: string,
): FieldError[] {
  if (keys.length === 0) return [];
  if (!selector) return [field.forbidden(path, 'must not be specified when labelSelector is not set')];
  return keys.flatMap((key, i) => checkName(isQualifiedName, key, `${path}[${i}]`));
}

/**
 * A new pod's own labels have been added to the selector as expressions when this is checked: a key that the selector had
 * already is there twice. Upstream reports these at an index of the term (`path`) itself.
 */
function keysTwice(
  keys: readonly string[],
  selector: DeepReadonly<LabelSelector> | undefined,
  path: string,
): FieldError[] {
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}));
  return (selector?.matchExpressions ?? []).flatMap(({ key }) => {
    const at = keys.lastIndexOf(key);
    const twice = at >= 0 && seen.has(key);
    seen.add(key);
    return twice ? [field.invalid(`${path}[${at}]`, key, 'exists in both matchLabelKeys and labelSelector')] : [];
  });
}

/** Node, pod and pod anti-affinity. */
export function validateAffinity(affinity: DeepReadonly<Affinity> | undefined, path: string): FieldError[] {
  if (!affinity) return [];
  const errors: FieldError[] = [];
  if (affinity.nodeAffinity) errors.push(...validateNodeAffinity(affinity.nodeAffinity, `${path}.nodeAffinity`));
  if (affinity.podAffinity) errors.push(...validatePodAffinity(affinity.podAffinity, `${path}.podAffinity`));
  if (affinity.podAntiAffinity) {
    errors.push(...validatePodAffinity(affinity.podAntiAffinity, `${path}.podAntiAffinity`));
  }
  return errors;
}

function validateNodeAffinity(affinity: DeepReadonly<NodeAffinity>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  if (required)
    errors.push(...validateNodeSelector(required, `${path}.requiredDuringSchedulingIgnoredDuringExecution`));
  const preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  for (let i = 0; i < preferred.length; i++) {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    errors.push(...validateWeight(preferred[i]?.weight, at));
    errors.push(...validateNodeSelectorTerm(preferred[i]?.preference ?? {}, `${at}.preference`, false));
  }
  return errors;
}

function validateWeight(weight: number | undefined, path: string): FieldError[] {
  const value = weight ?? 0;
  return value <= 0 || value > 100 ? [field.invalid(`${path}.weight`, value, 'must be in the range 1-100')] : [];
}

export function validateNodeSelector(selector: DeepReadonly<NodeSelector>, path: string): FieldError[] {
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) {
    return [field.required(`${path}.nodeSelectorTerms`, 'must have at least one node selector term')];
  }
  return terms.flatMap((term, i) => validateNodeSelectorTerm(term, `${path}.nodeSelectorTerms[${i}]`));
}

/** Values of what is only preferred may be anything: a cluster may have nodes that nothing else fits. */
function validateNodeSelectorTerm(
  term: DeepReadonly<NodeSelectorTerm>,
  path: string,
  checkValues = true,
): FieldError[] {
  const errors: FieldError[] = [];
  const expressions = term.matchExpressions ?? [];
  for (let i = 0; i < expressions.length; i++) {
    const requirement = expressions[i];
    if (requirement)
      errors.push(...validateNodeRequirement(requirement, `${path}.matchExpressions[${i}]`, checkValues));
  }
  const fields = term.matchFields ?? [];
  for (let i = 0; i < fields.length; i++) {
    const requirement = fields[i];
    if (requirement) errors.push(...validateFieldRequirement(requirement, `${path}.matchFields[${i}]`));
  }
  return errors;
}

function validateNodeRequirement(
  requirement: DeepReadonly<NodeSelectorRequirement>,
  path: string,
  checkValues: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  const { key = '', operator = '' } = requirement;
  const values = requirement.values ?? [];
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      errors.push(field.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(field.forbidden(`${path}.values`, detail));
    }
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) {
      errors.push(field.required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
  } else {
    errors.push(field.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  errors.push(...checkName(isQualifiedName, key, `${path}.key`));
  if (!checkValues) return errors;
  for (let i = 0; i < values.length; i++) errors.push(...checkName(isLabelValue, values[i], `${path}.values[${i}]`));
  return errors;
}

function validateFieldRequirement(requirement: DeepReadonly<NodeSelectorRequirement>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { key = '', operator = '' } = requirement;
  const values = requirement.values ?? [];
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1) {
      const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      errors.push(field.required(`${path}.values`, detail));
    }
  } else {
    errors.push(field.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  if (key !== 'metadata.name') {
    errors.push(field.invalid(`${path}.key`, key, 'not a valid field selector key'));
  } else {
    for (let i = 0; i < values.length; i++) {
      errors.push(...checkName(isDNS1123Subdomain, values[i], `${path}.values[${i}]`));
    }
  }
  return errors;
}

function validatePodAffinity(affinity: DeepReadonly<PodAffinity>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  for (let i = 0; i < required.length; i++) {
    const term = required[i];
    const at = `${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`;
    if (term) errors.push(...validatePodAffinityTerm(term, at));
  }
  const preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  for (let i = 0; i < preferred.length; i++) {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    errors.push(...validateWeight(preferred[i]?.weight, at));
    const term = preferred[i]?.podAffinityTerm;
    if (term) errors.push(...validatePodAffinityTerm(term, `${at}.podAffinityTerm`));
  }
  return errors;
}

function validatePodAffinityTerm(term: DeepReadonly<PodAffinityTerm>, path: string): FieldError[] {
  const errors = [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
  ];
  for (const name of term.namespaces ?? []) errors.push(...checkName(isDNS1123Label, name, `${path}.namespace`));
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector, topologyKey = '' } = term;
  errors.push(...validateLabelKeys(matchLabelKeys, labelSelector, `${path}.matchLabelKeys`));
  errors.push(...validateLabelKeys(mismatchLabelKeys, labelSelector, `${path}.mismatchLabelKeys`));
  errors.push(...keysTwice(matchLabelKeys, labelSelector, path));
  for (const [i, key] of matchLabelKeys.entries()) {
    if (!mismatchLabelKeys.includes(key)) continue;
    const detail = 'exists in both matchLabelKeys and mismatchLabelKeys';
    errors.push(field.invalid(`${path}.matchLabelKeys[${i}]`, key, detail));
  }
  if (topologyKey === '') errors.push(field.required(`${path}.topologyKey`, 'can not be empty'));
  errors.push(...checkName(isQualifiedName, topologyKey, `${path}.topologyKey`));
  return errors;
}
