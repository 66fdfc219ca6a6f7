import type {
  CrossVersionObjectReference,
  LabelSelector,
  MetricSpec,
  MetricStatus,
} from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { messageOf } from '../pod-control.ts';
import type { ReadPod } from '../pod-status.ts';
import type { Described, MetricsSource } from './metrics-source.ts';
import { milliOf, quantityOfMilli } from './quantities.ts';
import {
  type PodMetricInput,
  type Proposal,
  replicasForAverage,
  replicasForShare,
  replicasForTotal,
  replicasForUtilization,
  requestsOf,
  type Tolerances,
} from './replica-calculator.ts';

export interface Target {
  readonly namespace: string;
  /** The scale's spec.replicas and status.replicas. */
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly selector: string;
  readonly pods: readonly ReadPod[];
  readonly tolerances: Tolerances;
  readonly nowMs: number;
}

export interface MetricProposal {
  readonly replicas: number;
  /** What the metric is called in events. */
  readonly name: string;
  readonly status: DeepReadonly<MetricStatus>;
}

/** Why a metric gives no number of replicas: for the condition and its event, and for what is said of all metrics. */
export class MetricFailure extends Error {
  override readonly name = 'MetricFailure';
  readonly reason: string;
  readonly detail: string;

  constructor(reason: string, detail: string, message: string) {
    super(message);
    this.reason = reason;
    this.detail = detail;
  }
}

export interface MetricProposalDeps {
  readonly source: MetricsSource;
  /** The type of an apiVersion and kind; throws when there is none. */
  describe(reference: DeepReadonly<CrossVersionObjectReference>): Promise<Described>;
}

type Spec = DeepReadonly<MetricSpec>;

/** What one metric proposes. Throws MetricFailure. */
export async function proposeFor(spec: Spec, target: Target, deps: MetricProposalDeps): Promise<MetricProposal> {
  const { resource, containerResource, pods, object, external } = spec;
  if (spec.type === 'Resource' && resource !== undefined) {
    const { name } = resource;
    return failing('FailedGetResourceMetric', `${name} resource metric value`, () =>
      forResource(spec, name, '', target, deps),
    );
  }
  if (spec.type === 'ContainerResource' && containerResource !== undefined) {
    const { name, container } = containerResource;
    const what = `${container} container metric value`;
    return failing('FailedGetContainerResourceMetric', what, () => forResource(spec, name, container, target, deps));
  }
  if (spec.type === 'Pods' && pods !== undefined) {
    return failing('FailedGetPodsMetric', 'pods metric value', () => forPods(spec, target, deps));
  }
  if (spec.type === 'Object' && object !== undefined) {
    const more = object.target.type === 'AverageValue' ? `failed to get ${object.metric.name} object metric: ` : '';
    return failing('FailedGetObjectMetric', 'object metric value', () => forObject(spec, target, deps), more);
  }
  if (spec.type === 'External' && external !== undefined) {
    const { name } = external.metric;
    const more =
      external.target.averageValue === undefined
        ? `failed to get external metric ${name}: `
        : `failed to get ${name} external metric: `;
    const what = `${name} external metric value`;
    return failing('FailedGetExternalMetric', what, () => forExternal(spec, target, deps), more);
  }
  const detail = `unknown metric source type ${JSON.stringify(spec.type)}`;
  throw new MetricFailure('InvalidMetricSourceType', detail, detail);
}

/** `more`: what upstream says twice. */
async function failing(
  reason: string,
  what: string,
  work: () => Promise<MetricProposal>,
  more = '',
): Promise<MetricProposal> {
  try {
    return await work();
  } catch (error) {
    const detail = messageOf(error);
    throw new MetricFailure(reason, detail, `failed to get ${what}: ${more}${detail}`);
  }
}

async function prefixed<T>(text: string, work: () => Promise<T> | T, separator = ': '): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${text}${separator}${messageOf(error)}`, { cause: error });
  }
}

async function forResource(
  spec: Spec,
  resource: string,
  container: string,
  target: Target,
  { source }: MetricProposalDeps,
): Promise<MetricProposal> {
  const { averageUtilization, averageValue } = (spec.resource ?? spec.containerResource)?.target ?? {};
  const { proposal, utilization } = await prefixed(
    `failed to get ${resource} ${averageValue === undefined ? 'utilization' : 'usage'}`,
    async () => {
      const metrics = await prefixed(`unable to get metrics for resource ${resource}`, () =>
        source.resource(resource, target.namespace, target.selector, container),
      );
      const input: PodMetricInput = { ...target, current: target.specReplicas, metrics, resource };
      if (averageValue !== undefined)
        return { proposal: replicasForAverage(input, milliOf(averageValue)), utilization: false };
      const requests = requestsOf(target.pods, resource, container, milliOf);
      return { proposal: replicasForUtilization(input, requests, averageUtilization ?? 100), utilization: true };
    },
  );
  const current = {
    averageValue: quantityOfMilli(proposal.average),
    ...(proposal.utilization === undefined ? {} : { averageUtilization: proposal.utilization }),
  };
  const what = container === '' ? `${resource} resource` : `${resource} container resource`;
  return {
    replicas: proposal.replicas,
    name: utilization ? `${what} utilization (percentage of request)` : what,
    status:
      container === ''
        ? { type: 'Resource', resource: { name: resource, current } }
        : { type: 'ContainerResource', containerResource: { name: resource, container, current } },
  };
}

async function forPods(spec: Spec, target: Target, { source }: MetricProposalDeps): Promise<MetricProposal> {
  const { metric, target: wanted } = spec.pods ?? { metric: { name: '' }, target: { type: 'AverageValue' } };
  const metrics = await prefixed(`unable to get metric ${metric.name}`, () =>
    source.pods(metric.name, target.namespace, target.selector, metric.selector),
  );
  const input = { ...target, current: target.specReplicas, metrics, resource: '' };
  const proposal = replicasForAverage(input, milliOf(wanted.averageValue ?? '0'));
  const status = { metric: metric, current: { averageValue: quantityOfMilli(proposal.average) } };
  return { replicas: proposal.replicas, name: `pods metric ${metric.name}`, status: { type: 'Pods', pods: status } };
}

async function forObject(
  spec: Spec,
  target: Target,
  { source, describe }: MetricProposalDeps,
): Promise<MetricProposal> {
  const { object } = spec;
  if (object === undefined) throw new Error('invalid object metric source');
  const { describedObject, metric, target: wanted } = object;
  const { kind, name } = describedObject;
  const value = await prefixed(
    `unable to get metric ${metric.name}: ${kind} on ${target.namespace} ${name}/`,
    async () => source.object(metric.name, target.namespace, await describe(describedObject), metric.selector),
    '',
  );
  const { replicas, current } = shared(value, wanted, target);
  const status = { describedObject, metric: metric, current };
  // Upstream's words: an average over the pods is called external.
  const isAverage = wanted.type === 'AverageValue';
  const title = isAverage ? externalName(metric) : `${kind} metric ${metric.name}`;
  return { replicas, name: title, status: { type: 'Object', object: status } };
}

async function forExternal(spec: Spec, target: Target, { source }: MetricProposalDeps): Promise<MetricProposal> {
  const { external } = spec;
  if (external === undefined) throw new Error('invalid external metric source');
  const { metric, target: wanted } = external;
  const shown = goSelector(metric.selector);
  const value = await prefixed(`unable to get external metric ${target.namespace}/${metric.name}/${shown}`, () =>
    source.external(metric.name, target.namespace, metric.selector),
  );
  const { replicas, current } = shared(value, wanted, target);
  const status = { metric: metric, current };
  return { replicas, name: externalName(metric), status: { type: 'External', external: status } };
}

function externalName({ name, selector }: NonNullable<Spec['external']>['metric']): string {
  return `external metric ${name}(${goSelector(selector)})`;
}

/** Of a value that is no pod's own. */
function shared(
  value: number,
  wanted: NonNullable<Spec['external']>['target'],
  target: Target,
): Pick<Proposal, 'replicas'> & { current: { value?: string; averageValue?: string } } {
  if (wanted.averageValue !== undefined) {
    const { statusReplicas, tolerances } = target;
    const { replicas, average } = replicasForShare(statusReplicas, value, milliOf(wanted.averageValue), tolerances);
    return { replicas, current: { averageValue: quantityOfMilli(average) } };
  }
  if (wanted.value === undefined) {
    throw new Error('invalid metric source: neither a value target nor an average value target was set');
  }
  const replicas = replicasForTotal({ ...target, current: target.specReplicas }, value, milliOf(wanted.value));
  return { replicas, current: { value: quantityOfMilli(value) } };
}

/** A selector as Go prints the type. */
function goSelector(selector: DeepReadonly<LabelSelector> | undefined): string {
  if (selector === undefined) return 'nil';
  const labels = Object.entries(selector.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`);
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  const map = `map[string]string{${labels.join(' ')}}`;
  return `&LabelSelector{MatchLabels:${map},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`;
}
