import { resources } from '../../api/generated/resources.ts';
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import { quantityMilliValue } from '../../api/quantity.ts';
import { type Amounts, podTotals } from '../../api/quota/pod-totals.ts';
import { compareQuantity } from '../../api/validation/quantity.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin, ObjectReader } from '../contract.ts';
import { podOf, refuse } from './refuse.ts';

const ANNOTATION = 'kubernetes.io/limit-ranger';

type Limits = DeepReadonly<LimitRangeItem>;

/** Gives containers the default requests and limits of their namespace, and keeps pods and claims within its bounds. */
export function limitRanger({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  const rangesOf = (attributes: AdmissionAttributes): DeepReadonly<LimitRange>[] => [
    ...reader.list(resources.limitranges, attributes.namespace),
  ];
  return {
    name: 'LimitRanger',
    handles: (operation, { type }, subresource) => {
      if (type.group !== '') return false;
      if (type.resource === 'pods')
        return operation === 'CREATE' ? subresource === '' : operation === 'UPDATE' && subresource === 'resize';
      return (
        type.resource === 'persistentvolumeclaims' &&
        subresource === '' &&
        (operation === 'CREATE' || operation === 'UPDATE')
      );
    },
    admit(attributes) {
      if (attributes.definition.type.resource !== 'pods' || attributes.operation !== 'CREATE') return;
      for (const range of rangesOf(attributes)) setDefaults(podOf(attributes), range);
    },
    validate(attributes) {
      for (const range of rangesOf(attributes)) {
        const errors =
          attributes.definition.type.resource === 'pods'
            ? podErrors(podOf(attributes), range)
            : claimErrors(attributes.object as unknown as PersistentVolumeClaim, range);
        if (errors.length > 0)
          throw refuse(attributes, errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`);
      }
    },
  };
}

function setDefaults(pod: Pod, range: DeepReadonly<LimitRange>): void {
  let requests: Amounts = {};
  let limits: Amounts = {};
  for (const item of range.spec.limits ?? []) {
    if (item.type !== 'Container') continue;
    requests = { ...requests, ...item.defaultRequest };
    limits = { ...limits, ...item.default };
  }
  const notes: string[] = [];
  for (const container of pod.spec.containers) fill(container, 'container', requests, limits, notes);
  for (const container of pod.spec.initContainers ?? []) fill(container, 'init container', requests, limits, notes);
  if (notes.length === 0) return;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}`,
  };
}

function fill(container: Container, kind: string, requests: Amounts, limits: Amounts, notes: string[]): void {
  const sides = [
    ['requests', 'request', requests],
    ['limits', 'limit', limits],
  ] as const;
  for (const [side, word, defaults] of sides) {
    const present = container.resources?.[side] ?? {};
    const missing = Object.keys(defaults).filter((name) => present[name] === undefined);
    if (missing.length === 0) continue;
    container.resources = { ...container.resources, [side]: { ...defaults, ...present } };
    notes.push(`${missing.sort().join(', ')} ${word} for ${kind} ${container.name}`);
  }
}

function podErrors(pod: Pod, range: DeepReadonly<LimitRange>): string[] {
  const errors: string[] = [];
  for (const item of range.spec.limits ?? []) {
    if (item.type === 'Container') {
      for (const { resources: own } of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])])
        errors.push(...boundErrors(item, own?.requests ?? {}, own?.limits ?? {}));
    } else if (item.type === 'Pod') {
      errors.push(...boundErrors(item, podTotals(pod.spec, 'requests'), podTotals(pod.spec, 'limits')));
    }
  }
  return errors;
}

function boundErrors(item: Limits, requests: Amounts, limits: Amounts): string[] {
  const errors: string[] = [];
  const each = (bounds: Amounts | undefined, check: (name: string, bound: string) => string | undefined): void => {
    for (const [name, bound] of Object.entries(bounds ?? {})) {
      const error = check(name, bound);
      if (error !== undefined) errors.push(error);
    }
  };
  each(item.min, (name, bound) => {
    const text = `minimum ${name} usage per ${item.type} is ${bound}`;
    const [request, limit] = [requests[name], limits[name]];
    if (request === undefined) return `${text}.  No request is specified`;
    if (compareQuantity(request, bound) < 0) return `${text}, but request is ${request}`;
    if (limit !== undefined && compareQuantity(limit, bound) < 0) return `${text}, but limit is ${limit}`;
    return undefined;
  });
  each(item.max, (name, bound) => {
    const text = `maximum ${name} usage per ${item.type} is ${bound}`;
    const [request, limit] = [requests[name], limits[name]];
    if (limit === undefined) return `${text}.  No limit is specified`;
    if (compareQuantity(limit, bound) > 0) return `${text}, but limit is ${limit}`;
    if (request !== undefined && compareQuantity(request, bound) > 0) return `${text}, but request is ${request}`;
    return undefined;
  });
  each(item.maxLimitRequestRatio, (name, bound) => {
    const text = `${name} max limit to request ratio per ${item.type} is ${bound}`;
    const [request, limit] = [quantityMilliValue(requests[name] ?? '0'), quantityMilliValue(limits[name] ?? '0')];
    if (request === 0) return `${text}, but no request is specified or request is 0`;
    if (limit === 0) return `${text}, but no limit is specified or limit is 0`;
    const ratio = limit / request;
    return ratio * 1000 > quantityMilliValue(bound) ? `${text}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
  });
  return errors;
}

function claimErrors(claim: PersistentVolumeClaim, range: DeepReadonly<LimitRange>): string[] {
  const errors: string[] = [];
  const requests = claim.spec.resources?.requests ?? {};
  for (const item of range.spec.limits ?? []) {
    if (item.type !== 'PersistentVolumeClaim') continue;
    for (const [name, bound] of Object.entries(item.min ?? {})) {
      const request = requests[name];
      const text = `minimum ${name} usage per ${item.type} is ${bound}`;
      if (request === undefined) errors.push(`${text}.  No request is specified`);
      else if (compareQuantity(request, bound) < 0) errors.push(`${text}, but request is ${request}`);
    }
    for (const [name, bound] of Object.entries(item.max ?? {})) {
      const request = requests[name];
      const text = `maximum ${name} usage per ${item.type} is ${bound}`;
      if (request === undefined) errors.push(`${text}.  No request is specified`);
      else if (compareQuantity(request, bound) > 0) errors.push(`${text}, but request is ${request}`);
    }
  }
  return errors;
}
