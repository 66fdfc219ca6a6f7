import type { DeepReadonly } from '../../base/json.ts';
import { autoscalerFromV1 } from '../convert/horizontal-pod-autoscaler.ts';
import type { Strategy } from '../definition.ts';
import type { HorizontalPodAutoscaler } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import * as field from '../validation/field-error.ts';
import { quantitySign } from '../validation/quantity.ts';
import { negativeText, nonNegative } from '../validation/values.ts';
import { validateMetric } from './hpa-metric-validation.ts';
import { validateObjectReference } from './hpa-reference-validation.ts';
import { childObject, defaultPointer, defaultStatus, isZero } from './shape.ts';

type Object = DeepReadonly<HorizontalPodAutoscaler>;
type Fields = Readonly<Record<string, unknown>>;

const defaultUtilization = 80;
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
  validate: (object) => validateSpec(object, undefined),
  validateUpdate(object, old, { subresource }) {
    if (subresource !== 'status') return validateSpec(object, old as unknown as Object);
    const { status } = object as unknown as Object;
    return [
      ...nonNegative(status?.currentReplicas, 'status.currentReplicas'),
      ...nonNegative(status?.desiredReplicas, 'status.desiredReplicas'),
    ];
  },
};

function defaultBehavior(behavior: object): void {
  const percent = { type: 'Percent', value: 100, periodSeconds: 15 };
  const up = childObject<Record<string, unknown>>(behavior, 'scaleUp');
  defaultPointer(up, 'stabilizationWindowSeconds', 0);
  defaultPointer(up, 'selectPolicy', 'Max');
  defaultPointer(up, 'policies', [{ type: 'Pods', value: 4, periodSeconds: 15 }, { ...percent }]);
  const down = childObject<Record<string, unknown>>(behavior, 'scaleDown');
  defaultPointer(down, 'selectPolicy', 'Max');
  defaultPointer(down, 'policies', [{ ...percent }]);
}

/** Rules are written for autoscaling/v2; v1 is judged by what it means there. */
function validateSpec(object: DeepReadonly<KubeObject>, old: Object | undefined): field.FieldError[] {
  const { spec } = (object.apiVersion === 'autoscaling/v1' ? autoscalerFromV1(object) : object) as unknown as Object;
  const errors: field.FieldError[] = [];
  const min = spec?.minReplicas;
  const max = spec?.maxReplicas ?? 0;
  // Whoever scaled to zero while that was allowed may go on.
  const least = old?.spec?.minReplicas === 0 ? 0 : 1;
  if (typeof min === 'number' && min < least) {
    errors.push(field.invalid('spec.minReplicas', min, `must be greater than or equal to ${least}`));
  }
  if (max < 1) errors.push(field.invalid('spec.maxReplicas', max, 'must be greater than 0'));
  if (typeof min === 'number' && max < min) {
    errors.push(field.invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`'));
  }
  errors.push(...validateObjectReference({ ...spec?.scaleTargetRef }, 'spec.scaleTargetRef'));
  const metrics = spec?.metrics ?? [];
  for (let i = 0; i < metrics.length; i++) errors.push(...validateMetric({ ...metrics[i] }, `spec.metrics[${i}]`));
  if (min === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    const detail = 'must specify at least one Object or External metric to support scaling to zero replicas';
    errors.push(field.forbidden('spec.metrics', detail));
  }
  for (const side of ['scaleUp', 'scaleDown'] as const) {
    const rules = spec?.behavior?.[side];
    if (rules) errors.push(...validateRules({ ...rules }, `spec.behavior.${side}`));
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
  if (typeof rules.tolerance === 'string' && quantitySign(rules.tolerance) < 0) {
    errors.push(field.invalid(`${path}.tolerance`, rules.tolerance, negativeText));
  }
  return errors;
}
