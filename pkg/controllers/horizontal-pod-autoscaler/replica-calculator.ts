import { podCondition, type ReadPod } from '../pod-status.ts';

/** What one pod says about a metric. Values are in thousandths. */
export interface PodMetric {
  readonly value: number;
  readonly atMs: number;
  readonly windowMs: number;
}

export type PodMetrics = ReadonlyMap<string, PodMetric>;

/** How far from the target a metric may be without anything being scaled, as fractions. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

export interface PodGroups {
  readonly ready: number;
  /** Not counted yet: pending, or measured while they were starting. */
  readonly unready: ReadonlySet<string>;
  /** Running, and not measured. */
  readonly missing: ReadonlySet<string>;
  /** Failed or being deleted. */
  readonly ignored: ReadonlySet<string>;
}

const CPU_INITIALIZATION_MS = 5 * 60_000;
const INITIAL_READINESS_MS = 30_000;

/** Upstream: groupPods. `resource`: '' for metrics that are no resources. */
export function groupPods(pods: readonly ReadPod[], metrics: PodMetrics, resource: string, nowMs: number): PodGroups {
  const [unready, missing, ignored] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let ready = 0;
  for (const pod of pods) {
    const { name } = pod.metadata;
    const metric = metrics.get(name);
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Failed') ignored.add(name);
    else if (pod.status?.phase === 'Pending') unready.add(name);
    else if (metric === undefined) missing.add(name);
    else if (resource === 'cpu' && isStarting(pod, metric, nowMs)) unready.add(name);
    else ready++;
  }
  return { ready, unready, missing, ignored };
}

/** What starts uses more than it will: its measurement says nothing about the load. */
function isStarting(pod: ReadPod, metric: PodMetric, nowMs: number): boolean {
  const condition = podCondition(pod, 'Ready');
  const startTime = pod.status?.startTime;
  if (condition === undefined || !startTime) return true;
  const startMs = Date.parse(startTime);
  const changedMs = Date.parse(condition.lastTransitionTime ?? startTime);
  if (startMs + CPU_INITIALIZATION_MS > nowMs) {
    return condition.status === 'False' || metric.atMs < changedMs + metric.windowMs;
  }
  return condition.status === 'False' && startMs + INITIAL_READINESS_MS > changedMs;
}

export interface Proposal {
  readonly replicas: number;
  /** The value that is shown: the average over the pods, in thousandths. */
  readonly average: number;
  /** In percent of the requests, where the target is. */
  readonly utilization?: number;
}

/** A metric that cannot be used; the message is upstream's. */
export class MetricError extends Error {
  override readonly name = 'MetricError';
}

interface Ratio {
  readonly ratio: number;
  readonly average: number;
  readonly utilization?: number;
}

export interface PodMetricInput {
  readonly current: number;
  readonly pods: readonly ReadPod[];
  readonly metrics: PodMetrics;
  /** '' for metrics that are no resources. */
  readonly resource: string;
  readonly tolerances: Tolerances;
  readonly nowMs: number;
}

/** `requests`: what each pod requests, in thousandths; `target` in percent. Upstream: GetResourceReplicas. */
export function replicasForUtilization(
  input: PodMetricInput,
  requests: ReadonlyMap<string, number>,
  target: number,
): Proposal {
  const fallback = Math.max(100, target);
  return propose(input, {
    ratioOf: (metrics) => utilizationRatio(metrics, requests, target),
    whenMissing: (pod) => ((requests.get(pod) ?? 0) * fallback) / 100,
  });
}

/** `target`: of each pod, in thousandths. Upstream: calcPlainMetricReplicas. */
export function replicasForAverage(input: PodMetricInput, target: number): Proposal {
  return propose(input, {
    ratioOf: (metrics) => averageRatio(metrics, target),
    whenMissing: () => target,
  });
}

interface RatioRules {
  ratioOf(metrics: PodMetrics): Ratio;
  /** What a pod that was not measured is taken to use when the others use too little. */
  whenMissing(pod: string): number;
}

function propose(input: PodMetricInput, rules: RatioRules): Proposal {
  const { current, pods, resource, tolerances, nowMs } = input;
  if (pods.length === 0) throw new MetricError('no pods returned by selector while calculating replica count');
  const { ready, unready, missing, ignored } = groupPods(pods, input.metrics, resource, nowMs);
  const metrics = new Map([...input.metrics].filter(([pod]) => !unready.has(pod) && !ignored.has(pod)));
  if (metrics.size === 0) throw new MetricError('did not receive metrics for targeted pods (pods might be unready)');
  const { ratio, ...shown } = rules.ratioOf(metrics);
  const upWithUnready = unready.size > 0 && ratio > 1;
  if (!upWithUnready && missing.size === 0) {
    const replicas = isWithin(ratio, tolerances) ? current : Math.ceil(ratio * ready);
    return { replicas, ...shown };
  }
  const value = (pod: string): number => (ratio < 1 ? rules.whenMissing(pod) : 0);
  for (const pod of missing) metrics.set(pod, { value: value(pod), atMs: nowMs, windowMs: 0 });
  if (upWithUnready) for (const pod of unready) metrics.set(pod, { value: 0, atMs: nowMs, windowMs: 0 });
  const after = rules.ratioOf(metrics).ratio;
  const turned = (ratio < 1 && after > 1) || (ratio > 1 && after < 1);
  if (isWithin(after, tolerances) || turned) return { replicas: current, ...shown };
  const replicas = Math.ceil(after * metrics.size);
  const contrary = (after < 1 && replicas > current) || (after > 1 && replicas < current);
  return { replicas: contrary ? current : replicas, ...shown };
}

function utilizationRatio(metrics: PodMetrics, requests: ReadonlyMap<string, number>, target: number): Ratio {
  let [used, requested, count] = [0, 0, 0];
  for (const [pod, { value }] of metrics) {
    const request = requests.get(pod);
    // A pod that is measured but not known here has just gone.
    if (request === undefined) continue;
    used += value;
    requested += request;
    count++;
  }
  if (requested === 0) throw new MetricError('no metrics returned matched known pods');
  const utilization = Math.trunc((used * 100) / requested);
  return { ratio: utilization / target, utilization, average: Math.trunc(used / count) };
}

function averageRatio(metrics: PodMetrics, target: number): Ratio {
  let used = 0;
  for (const { value } of metrics.values()) used += value;
  const average = Math.trunc(used / metrics.size);
  return { ratio: average / target, average };
}

/** For a value that belongs to all pods together; what is wanted of each ready pod's share. Upstream: getUsageRatioReplicaCount. */
export function replicasForTotal(
  { current, pods, tolerances }: Pick<PodMetricInput, 'current' | 'pods' | 'tolerances'>,
  value: number,
  target: number,
): number {
  const ratio = value / target;
  if (current === 0) return Math.ceil(ratio);
  if (isWithin(ratio, tolerances)) return current;
  if (pods.length === 0) {
    throw new MetricError(
      'unable to calculate ready pods: no pods returned by selector while calculating replica count',
    );
  }
  const isReady = (pod: ReadPod): boolean =>
    pod.status?.phase === 'Running' && podCondition(pod, 'Ready')?.status === 'True';
  return Math.ceil(ratio * pods.filter(isReady).length);
}

/** For a value that is to be shared evenly. `current`: how many pods there are. */
export function replicasForShare(current: number, value: number, target: number, tolerances: Tolerances): Proposal {
  const within = current > 0 && isWithin(value / (target * current), tolerances);
  const average = current === 0 ? 0 : Math.ceil(value / current);
  return { replicas: within ? current : Math.ceil(value / target), average };
}

function isWithin(ratio: number, { up, down }: Tolerances): boolean {
  return ratio >= 1 - down && ratio <= 1 + up;
}

/** What pods request of a resource, in thousandths, of one container or of all. Throws MetricError for one that requests nothing. */
export function requestsOf(
  pods: readonly ReadPod[],
  resource: string,
  container: string,
  milliOf: (quantity: string) => number,
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { metadata, spec } of pods) {
    const whole = container === '' ? spec.resources?.requests?.[resource] : undefined;
    if (whole !== undefined) {
      found.set(metadata.name, milliOf(whole));
      continue;
    }
    const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
    let sum = 0;
    for (const { name, resources } of [...spec.containers, ...sidecars]) {
      if (container !== '' && container !== name) continue;
      const request = resources?.requests?.[resource];
      if (request === undefined) {
        throw new MetricError(`missing request for ${resource} in container ${name} of Pod ${metadata.name}`);
      }
      sum += milliOf(request);
    }
    found.set(metadata.name, sum);
  }
  return found;
}
