import * as field from '../validation/field-error.ts';
import { isDNS1123Label, isPathSegmentName } from '../validation/names.ts';
import { quantitySign } from '../validation/quantity.ts';
import { checkName } from '../validation/values.ts';
import { validateObjectReference } from './hpa-reference-validation.ts';
import { validateResourceName } from './resource-validation.ts';

type FieldError = field.FieldError;
type Fields = Readonly<Record<string, unknown>>;

/** The members of a metric that say where its values come from, in the order in which they are looked at. */
const sources = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;
type Source = (typeof sources)[number];

const sourceOf: Readonly<Record<string, Source>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};
const metricTypes = Object.keys(sourceOf);

/** One entry of spec.metrics; autoscaling/v2. */
export function validateMetric(metric: Fields, path: string): FieldError[] {
  const type = String(metric.type ?? '');
  const errors: FieldError[] = [];
  if (type === '') errors.push(field.required(`${path}.type`, 'must specify a metric source type'));
  const wanted = Object.hasOwn(sourceOf, type) ? sourceOf[type] : undefined;
  const unsupported = field.notSupported(`${path}.type`, type, metricTypes);
  if (wanted === undefined) errors.push(unsupported);
  const present = sources.filter((source) => metric[source] !== undefined && metric[source] !== null);
  const [first] = present;
  if (first !== undefined) errors.push(...validateSource(first, metric[first] as Fields, `${path}.${first}`));
  if (wanted === undefined) errors.push(unsupported);
  else if (!present.includes(wanted)) {
    errors.push(field.required(`${path}.${wanted}`, 'must populate information for the given metric source'));
  }
  if (present.length === 1) return errors;
  for (const other of present) {
    if (other === wanted) continue;
    errors.push(field.forbidden(`${path}.${other}`, 'must populate the given metric source only'));
  }
  return errors;
}

function validateSource(source: Source, value: Fields, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (source === 'object') {
    errors.push(...validateObjectReference((value.describedObject ?? {}) as Fields, `${path}.describedObject`));
  }
  if (source === 'resource' || source === 'containerResource') errors.push(...validateResource(source, value, path));
  else errors.push(...validateIdentifier((value.metric ?? {}) as Fields, `${path}.metric`));
  const target = (value.target ?? {}) as Fields;
  const at = `${path}.target`;
  return [...errors, ...validateTarget(target, at), ...validateChoice(source, target, at)];
}

function validateResource(source: Source, value: Fields, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const name = String(value.name ?? '');
  if (name === '') errors.push(field.required(`${path}.name`, 'must specify a resource name'));
  if (source === 'resource') return errors;
  if (name !== '') errors.push(...validateResourceName(name, `${path}.name`));
  const container = String(value.container ?? '');
  if (container === '') errors.push(field.required(`${path}.container`, 'must specify a container'));
  else errors.push(...checkName(isDNS1123Label, container, `${path}.container`));
  return errors;
}

function validateIdentifier(metric: Fields, path: string): FieldError[] {
  const name = String(metric.name ?? '');
  if (name === '') return [field.required(`${path}.name`, 'must specify a metric name')];
  return checkName(isPathSegmentName, name, `${path}.name`);
}

/** Which of the amounts of a target may and must be there. */
function validateChoice(source: Source, target: Fields, path: string): FieldError[] {
  const [average, value, utilization] = [target.averageValue, target.value, target.averageUtilization].map(isSet);
  switch (source) {
    case 'object':
      if (value || average) return [];
      return [field.required(`${path}.averageValue`, 'must set either a target value or averageValue')];
    case 'external':
      if (value && average) {
        const detail = 'may not set both a target value for metric and a per-pod target';
        return [field.forbidden(`${path}.value`, detail)];
      }
      if (value || average) return [];
      return [field.required(`${path}.averageValue`, 'must set either a target value for metric or a per-pod target')];
    case 'pods':
      return average ? [] : [field.required(`${path}.averageValue`, 'must specify a positive target averageValue')];
    default:
      if (utilization && average) {
        const detail = 'may not set both a target raw value and a target utilization';
        return [field.forbidden(`${path}.averageValue`, detail)];
      }
      if (utilization || average) return [];
      return [
        field.required(`${path}.averageUtilization`, 'must set either a target raw value or a target utilization'),
      ];
  }
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function validateTarget(target: Fields, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const type = String(target.type ?? '');
  if (type === '') errors.push(field.required(`${path}.type`, 'must specify a metric target type'));
  if (type !== 'Utilization' && type !== 'Value' && type !== 'AverageValue') {
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
