/** PodDisruptionBudgets, PriorityClasses and RuntimeClasses. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { PodDisruptionBudget, PriorityClass, RuntimeClass } from '../generated/types.ts';
import { validateConditions } from '../validation/conditions.ts';
import * as field from '../validation/field-error.ts';
import { goJSON } from '../validation/go-format.ts';
import { validateLabelSelector, validateLabels } from '../validation/label-selector.ts';
import { isDNS1123Label } from '../validation/names.ts';
import {
  checkName,
  immutable,
  intOrPercent,
  notMoreThan100Percent,
  oneOf,
  supportedValue,
} from '../validation/values.ts';
import { nodeLabelWarning } from './node-labels.ts';
import { validateContainerResources } from './resource-validation.ts';
import { validateTolerations } from './scheduling-validation.ts';
import { childObject, defaultPointer, defaultStatus } from './shape.ts';
import { nonNegativeCounters } from './workload-validation.ts';

const emptyBudgetStatus = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };

export const podDisruptionBudgetStrategy: Strategy = {
  default(object) {
    childObject(object, 'spec');
    defaultStatus(object, emptyBudgetStatus);
  },
  prepareForCreate(object) {
    object.status = { ...emptyBudgetStatus };
  },
  validate: (object) => validateBudget(object as unknown as DeepReadonly<PodDisruptionBudget>),
  validateUpdate(object, _old, { subresource }) {
    const budget = object as unknown as DeepReadonly<PodDisruptionBudget>;
    if (subresource !== 'status') return validateBudget(budget);
    return [
      ...validateConditions(budget.status?.conditions, 'status.conditions'),
      ...nonNegativeCounters({ ...budget.status }, Object.keys(emptyBudgetStatus)),
    ];
  },
  allowUnconditionalUpdate: false,
};

function validateBudget(budget: DeepReadonly<PodDisruptionBudget>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = budget.spec ?? {};
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.push(field.invalid('spec', budget.spec, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const [name, value] of [
    ['minAvailable', minAvailable],
    ['maxUnavailable', maxUnavailable],
  ] as const) {
    if (value === undefined) continue;
    errors.push(...intOrPercent(value, `spec.${name}`), ...notMoreThan100Percent(value, `spec.${name}`));
  }
  errors.push(...validateLabelSelector(selector, 'spec.selector'));
  if (unhealthyPodEvictionPolicy !== undefined && unhealthyPodEvictionPolicy !== null) {
    const supported = ['AlwaysAllow', 'IfHealthyBudget'];
    errors.push(...supportedValue(unhealthyPodEvictionPolicy, supported, 'spec.unhealthyPodEvictionPolicy'));
  }
  return errors;
}

const highestUserPriority = 1_000_000_000;
const systemClasses: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

export const priorityClassStrategy: Strategy = {
  default(object) {
    defaultPointer(object, 'preemptionPolicy', 'PreemptLowerPriority');
    defaultPointer(object, 'value', 0);
  },
  validate: (object) => validatePriorityClass(object as unknown as DeepReadonly<PriorityClass>),
  validateUpdate(object, old) {
    const errors: field.FieldError[] = [];
    if (object.value !== old.value) errors.push(field.forbidden('value', 'may not be changed in an update.'));
    return [...errors, ...immutable(object.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy')];
  },
};

function validatePriorityClass(object: DeepReadonly<PriorityClass>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const name = object.metadata.name ?? '';
  if (name.startsWith('system-')) {
    const wrong = systemClassError(name, object);
    const detail = "priority class names with 'system-' prefix are reserved for system use only";
    if (wrong !== undefined) errors.push(field.forbidden('metadata.name', `${detail}. error: ${wrong}`));
  } else if ((object.value ?? 0) > highestUserPriority) {
    const detail = `maximum allowed value of a user defined priority is ${highestUserPriority}`;
    errors.push(field.forbidden('value', detail));
  }
  return [...errors, ...oneOf(object.preemptionPolicy, ['PreemptLowerPriority', 'Never'], 'preemptionPolicy')];
}

function systemClassError(name: string, object: DeepReadonly<PriorityClass>): string | undefined {
  const value = systemClasses[name];
  if (value === undefined) return `${name} is not a known system priority class`;
  if (object.value !== value) return `value of ${name} PriorityClass must be ${value}`;
  return object.globalDefault === true ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

export const runtimeClassStrategy: Strategy = {
  validate: (object) => validateRuntimeClass(object as unknown as DeepReadonly<RuntimeClass>),
  validateUpdate: (object, old) => [
    ...validateRuntimeClass(object as unknown as DeepReadonly<RuntimeClass>),
    ...immutable(object.handler, old.handler, 'handler'),
  ],
  warnings(object) {
    const labels = Object.keys((object as unknown as DeepReadonly<RuntimeClass>).scheduling?.nodeSelector ?? {});
    const texts = labels.map((label) => nodeLabelWarning(label)).filter((text) => text !== undefined);
    return texts.map((text) => `scheduling.nodeSelector: ${text}`);
  },
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: true,
};

function validateRuntimeClass(object: DeepReadonly<RuntimeClass>): field.FieldError[] {
  const errors = checkName(isDNS1123Label, object.handler, 'handler');
  if (object.overhead?.podFixed) {
    errors.push(...validateContainerResources({ limits: object.overhead.podFixed }, new Set(), 'overhead'));
  }
  if (object.scheduling) {
    errors.push(...validateLabels(object.scheduling.nodeSelector, 'scheduling.nodeSelector'));
    const tolerations = object.scheduling.tolerations ?? [];
    errors.push(...validateTolerations(tolerations, 'scheduling.tolerations.tolerations'));
    const comparable = tolerations.map((one) => goJSON(one));
    for (let i = 0; i < tolerations.length; i++) {
      if (comparable.indexOf(comparable[i] ?? '') === i) continue;
      errors.push(field.duplicate(`scheduling.tolerations[${i}]`, tolerations[i]));
    }
  }
  return errors;
}
