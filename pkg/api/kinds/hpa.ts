import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { HorizontalPodAutoscaler } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isPathSegmentName } from '../validation/names.ts';
import { quantitySign } from '../validation/quantity.ts';
import { checkName } from '../validation/values.ts';
import { childObject, defaultPointer, defaultStatus, isZero } from './shape.ts';

type Object = DeepReadonly<HorizontalPodAutoscaler>;
type Fields = Readonly<Record<string, unknown>>;

const defaultUtilization = 80;
const metricTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const sourceOf: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

/** Both autoscaling/v1 and v2. */
export const horizontalPodAutoscalerStrategy: Strategy = {
  default(object) {
    const spec = childObject<Record<string, unknown>>(object, 'spec');
    defaultPointer(spec, 'minReplicas', 1);
    if (object.apiVersion === 'autoscaling/v1') {
      const annotations = object.metadata.annotations ?? {};
      if (annotations['autoscaling.alpha.kubernetes.io/metrics'] === undefined) {
        defaultPointer(spec, 'targetCPUUtilizationPercentage', defaultUtilization);
      }
      defaultStatus(object, { currentReplicas: 0, desiredReplicas: 0 });
      return;
    }
    if (isZero(spec.metrics)) {
      const target = { type: 'Utilization', averageUtilization: defaultUtilization };
      spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
    }
    if (spec.behavior) defaultBehavior(spec.behavior);
    defaultStatus(object, { desiredReplicas: 0, currentMetrics: null });
  },
  prepareForCreate(object) {
    const old = object.apiVersion === 'autoscaling/v1';
    object.status = old ? { currentReplicas: 0, desiredReplicas: 0 } : { desiredReplicas: 0, currentMetrics: null };
  },
  validate: (object) => validateSpec(object as unknown as Object),
  validateUpdate: (object, _old, { subresource }) =>
    subresource === 'status' ? [] : validateSpec(object as unknown as Object),
};

function defaultBehavior(behavior: object): void {
  const percent = { type: 'Percent', value: 100, periodSeconds: 15 };
  const up = childObject<Record<string, unknown>>(behavior, 'scaleUp');
  defaultPointer(up, 'stabilizationWindowSeconds', 0);
  defaultPointer(up, 'selectPolicy', 'Max');
  if (isZero(up.policies)) up.policies = [{ type: 'Pods', value: 4, periodSeconds: 15 }, { ...percent }];
  const down = childObject<Record<string, unknown>>(behavior, 'scaleDown');
  defaultPointer(down, 'selectPolicy', 'Max');
  if (isZero(down.policies)) down.policies = [{ ...percent }];
}

function validateSpec(autoscaler: Object): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { spec } = autoscaler;
  const min = spec?.minReplicas;
  const max = spec?.maxReplicas ?? 0;
  const metrics = (spec as unknown as { metrics?: readonly Fields[] } | undefined)?.metrics ?? [];
  if (typeof min === 'number' && min < 1) {
    errors.push(field.invalid('spec.minReplicas', min, 'must be greater than or equal to 1'));
  }
  if (max < 1) errors.push(field.invalid('spec.maxReplicas', max, 'must be greater than 0'));
  if (typeof min === 'number' && max < min) {
    errors.push(field.invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`'));
  }
  for (const name of ['kind', 'name'] as const) {
    const value = spec?.scaleTargetRef?.[name];
    const path = `spec.scaleTargetRef.${name}`;
    if (!value) errors.push(field.required(path));
    else errors.push(...checkName(isPathSegmentName, value, path));
  }
  for (let i = 0; i < metrics.length; i++) errors.push(...validateMetric(metrics[i] ?? {}, `spec.metrics[${i}]`));
  const behavior = (spec as unknown as { behavior?: Fields } | undefined)?.behavior;
  for (const side of ['scaleUp', 'scaleDown']) {
    const rules = behavior?.[side] as Fields | undefined;
    if (rules) errors.push(...validateRules(rules, `spec.behavior.${side}`));
  }
  return errors;
}

function validateMetric(metric: Fields, path: string): field.FieldError[] {
  const type = String(metric.type ?? '');
  if (type === '') return [field.required(`${path}.type`, 'must specify a metric source type')];
  if (!metricTypes.includes(type)) return [field.notSupported(`${path}.type`, type, metricTypes)];
  const name = sourceOf[type] ?? '';
  const errors: field.FieldError[] = [];
  for (const other of Object.values(sourceOf)) {
    if (other === name || !metric[other]) continue;
    errors.push(field.forbidden(`${path}.${other}`, 'must populate the given metric source only'));
  }
  const source = metric[name] as Fields | undefined;
  if (!source) {
    errors.push(field.required(`${path}.${name}`, 'must populate information for the given metric source'));
    return errors;
  }
  return [...errors, ...validateSource(name, source, `${path}.${name}`)];
}

function validateSource(name: string, source: Fields, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const target = (source.target ?? {}) as Fields;
  const isResource = name === 'resource' || name === 'containerResource';
  if (isResource) {
    if (name === 'containerResource' && !source.container) {
      errors.push(field.required(`${path}.container`, 'must specify a container name'));
    }
    if (!source.name) errors.push(field.required(`${path}.name`, 'must specify a resource name'));
  } else {
    const metric = (source.metric ?? {}) as Fields;
    if (!metric.name) errors.push(field.required(`${path}.metric.name`, 'must specify a metric name'));
    if (name === 'object') {
      const described = (source.describedObject ?? {}) as Fields;
      if (!described.kind) errors.push(field.required(`${path}.describedObject.kind`));
      if (!described.name) errors.push(field.required(`${path}.describedObject.name`));
    }
  }
  errors.push(...validateTarget(target, `${path}.target`));
  const hasAverage = typeof target.averageValue === 'string';
  const hasValue = typeof target.value === 'string';
  const hasUtilization = typeof target.averageUtilization === 'number';
  if (isResource && !hasUtilization && !hasAverage) {
    const detail = 'must set either a target raw value or a target utilization';
    errors.push(field.required(`${path}.target.averageUtilization`, detail));
  }
  if (isResource && hasUtilization && hasAverage) {
    const detail = 'may not set both a target raw value and a target utilization';
    errors.push(field.forbidden(`${path}.target.averageValue`, detail));
  }
  if (name === 'pods' && !hasAverage) {
    errors.push(field.required(`${path}.target.averageValue`, 'must specify a positive target averageValue'));
  }
  if ((name === 'object' || name === 'external') && !hasValue && !hasAverage) {
    const at = name === 'object' ? `${path}.target.averageValue` : `${path}.target.averageValue`;
    errors.push(field.required(at, 'must set either a target value or averageValue'));
  }
  return errors;
}

function validateTarget(target: Fields, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const type = String(target.type ?? '');
  if (type === '') errors.push(field.required(`${path}.type`, 'must specify a metric target type'));
  else if (type !== 'Utilization' && type !== 'Value' && type !== 'AverageValue') {
    errors.push(field.invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  }
  for (const name of ['value', 'averageValue']) {
    const value = target[name];
    if (typeof value === 'string' && quantitySign(value) !== 1) {
      errors.push(field.invalid(`${path}.${name}`, value, 'must be positive'));
    }
  }
  const utilization = target.averageUtilization;
  if (typeof utilization === 'number' && utilization < 1) {
    errors.push(field.invalid(`${path}.averageUtilization`, utilization, 'must be greater than 0'));
  }
  return errors;
}

function validateRules(rules: Fields, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const window = rules.stabilizationWindowSeconds;
  if (typeof window === 'number' && (window < 0 || window > 3600)) {
    const detail = window < 0 ? 'must be greater than or equal to zero' : 'must be less than or equal to 3600';
    errors.push(field.invalid(`${path}.stabilizationWindowSeconds`, window, detail));
  }
  const select = rules.selectPolicy;
  if (typeof select === 'string' && !['Disabled', 'Max', 'Min'].includes(select)) {
    errors.push(field.notSupported(`${path}.selectPolicy`, select, ['Disabled', 'Max', 'Min']));
  }
  const policies = (rules.policies ?? []) as readonly Fields[];
  if (policies.length === 0) errors.push(field.required(`${path}.policies`, 'must specify at least one Policy'));
  for (let i = 0; i < policies.length; i++) {
    const { type, value, periodSeconds } = policies[i] ?? {};
    const at = `${path}.policies[${i}]`;
    if (type !== 'Pods' && type !== 'Percent')
      errors.push(field.notSupported(`${at}.type`, type ?? '', ['Percent', 'Pods']));
    if (typeof value !== 'number' || value <= 0) {
      errors.push(field.invalid(`${at}.value`, value ?? 0, 'must be greater than zero'));
    }
    if (typeof periodSeconds !== 'number' || periodSeconds <= 0) {
      errors.push(field.invalid(`${at}.periodSeconds`, periodSeconds ?? 0, 'must be greater than zero'));
    } else if (periodSeconds > 1800) {
      errors.push(field.invalid(`${at}.periodSeconds`, periodSeconds, 'must be less than or equal to 1800'));
    }
  }
  return errors;
}
