import type { DeepReadonly, KubeObject } from '../object.ts';

type JSONObject = Readonly<Record<string, unknown>>;

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';

/**
 * autoscaling/v2 -> v1: the CPU utilization is a field of its own; everything else that v1 has no fields for is kept as JSON in
 * annotations.
 */
export function autoscalerToV1(object: DeepReadonly<KubeObject>): KubeObject {
  const spec = (object['spec'] ?? {}) as JSONObject;
  const status = (object['status'] ?? {}) as JSONObject;
  const { metrics, behavior, ...plainSpec } = spec;
  const { currentMetrics, conditions, currentReplicas, ...plainStatus } = status;
  const wanted = splitCPU(metrics, 'target');
  const measured = splitCPU(currentMetrics, 'current');
  const annotations: Record<string, string> = { ...object.metadata.annotations };
  if (wanted.others.length > 0)
    annotations[METRICS] = JSON.stringify(wanted.others.map((one) => metricToV1(one, 'target')));
  if (measured.others.length > 0) {
    annotations[CURRENT_METRICS] = JSON.stringify(measured.others.map((one) => metricToV1(one, 'current')));
  }
  if (Array.isArray(conditions) && conditions.length > 0) annotations[CONDITIONS] = JSON.stringify(conditions);
  if (behavior !== undefined && behavior !== null) annotations[BEHAVIOR] = JSON.stringify(behavior);
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: { ...object.metadata, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: { ...plainSpec, ...(wanted.cpu === undefined ? {} : { targetCPUUtilizationPercentage: wanted.cpu }) },
    status: {
      ...plainStatus,
      currentReplicas: currentReplicas ?? 0,
      ...(measured.cpu === undefined ? {} : { currentCPUUtilizationPercentage: measured.cpu }),
    },
  } as KubeObject;
}

/** autoscaling/v1 -> v2. Annotations that do not read are dropped, as upstream drops them. */
export function autoscalerFromV1(object: DeepReadonly<KubeObject>): KubeObject {
  const { targetCPUUtilizationPercentage: cpu, ...spec } = (object['spec'] ?? {}) as JSONObject;
  const {
    currentCPUUtilizationPercentage: current,
    currentReplicas,
    ...status
  } = (object['status'] ?? {}) as JSONObject;
  const {
    [METRICS]: metrics,
    [CURRENT_METRICS]: currents,
    [CONDITIONS]: conditions,
    [BEHAVIOR]: behavior,
    ...rest
  } = object.metadata.annotations ?? {};
  const { annotations: _, ...metadata } = object.metadata;
  const wanted = readList(metrics).map((one) => metricFromV1(one, 'target'));
  const measured = readList(currents).map((one) => metricFromV1(one, 'current'));
  if (typeof cpu === 'number') {
    wanted.push({
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } },
    });
  }
  if (typeof current === 'number') {
    measured.unshift({ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } });
  }
  const scaling = readJSON(behavior);
  const list = readList(conditions);
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: { ...metadata, ...(Object.keys(rest).length === 0 ? {} : { annotations: rest }) },
    spec: {
      ...spec,
      ...(wanted.length === 0 ? {} : { metrics: wanted }),
      ...(typeof scaling === 'object' && scaling !== null ? { behavior: scaling } : {}),
    },
    status: {
      ...status,
      ...(currentReplicas === undefined || currentReplicas === 0 ? {} : { currentReplicas }),
      currentMetrics: measured.length === 0 ? null : measured,
      ...(list.length === 0 ? {} : { conditions: list }),
    },
  } as KubeObject;
}

type Side = 'target' | 'current';

function splitCPU(metrics: unknown, side: Side): { cpu: number | undefined; others: JSONObject[] } {
  let cpu: number | undefined;
  const others: JSONObject[] = [];
  for (const metric of Array.isArray(metrics) ? (metrics as JSONObject[]) : []) {
    const resource = metric['resource'] as JSONObject | undefined;
    const utilization = (resource?.[side] as JSONObject | undefined)?.['averageUtilization'];
    if (metric['type'] === 'Resource' && resource?.['name'] === 'cpu' && typeof utilization === 'number') {
      cpu ??= utilization;
    } else {
      others.push(metric);
    }
  }
  return { cpu, others };
}

/** v1 has flat metric sources: `targetAverageValue` instead of `target.averageValue`. */
function metricToV1(metric: JSONObject, side: Side): JSONObject {
  const [field, source] = sourceOf(metric);
  if (source === undefined) return metric;
  const { [side]: value, metric: identifier, describedObject, ...rest } = source;
  const amounts = (value ?? {}) as JSONObject;
  const name = (identifier ?? {}) as JSONObject;
  const flat: Record<string, unknown> = { ...rest };
  if (describedObject !== undefined) flat['target'] = describedObject;
  if (name['name'] !== undefined) flat['metricName'] = name['name'];
  if (name['selector'] !== undefined) flat[field === 'external' ? 'metricSelector' : 'selector'] = name['selector'];
  for (const [from, to] of amountNames(field, side)) if (amounts[from] !== undefined) flat[to] = amounts[from];
  return { type: metric['type'], [field]: flat };
}

function metricFromV1(metric: JSONObject, side: Side): JSONObject {
  const [field, source] = sourceOf(metric);
  if (source === undefined) return metric;
  const nested: Record<string, unknown> = {};
  const amounts: Record<string, unknown> = {};
  const names = amountNames(field, side);
  for (const [from, to] of names) if (source[to] !== undefined) amounts[from] = source[to];
  if (side === 'target') {
    amounts['type'] =
      amounts['averageUtilization'] !== undefined
        ? 'Utilization'
        : amounts['averageValue'] !== undefined
          ? 'AverageValue'
          : 'Value';
  }
  const selector = source['metricSelector'] ?? source['selector'];
  if (source['metricName'] !== undefined) {
    nested['metric'] = { name: source['metricName'], ...(selector === undefined ? {} : { selector }) };
  }
  if (field === 'object' && source['target'] !== undefined) nested['describedObject'] = source['target'];
  for (const kept of ['name', 'container']) if (source[kept] !== undefined) nested[kept] = source[kept];
  return { type: metric['type'], [field]: { ...nested, [side]: amounts } };
}

const SOURCES = ['resource', 'containerResource', 'pods', 'object', 'external'] as const;

function sourceOf(metric: JSONObject): [field: string, source: JSONObject | undefined] {
  const field = SOURCES.find((one) => metric[one] !== undefined && metric[one] !== null);
  return field === undefined ? ['', undefined] : [field, metric[field] as JSONObject];
}

function amountNames(field: string, side: Side): readonly (readonly [v2: string, v1: string])[] {
  const prefix = side === 'target' ? 'target' : 'current';
  const average = field === 'object' ? 'averageValue' : `${prefix}AverageValue`;
  return [
    ['averageUtilization', `${prefix}AverageUtilization`],
    ['averageValue', average],
    ['value', `${prefix}Value`],
  ];
}

function readJSON(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function readList(text: string | undefined): JSONObject[] {
  const value = readJSON(text);
  return Array.isArray(value) ? (value as JSONObject[]) : [];
}
