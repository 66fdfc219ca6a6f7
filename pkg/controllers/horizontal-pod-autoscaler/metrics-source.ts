import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { LabelSelector, PodMetrics as MeasuredPod } from '../../api/generated/types.ts';
import type { DeepReadonly, ResourceType } from '../../api/object.ts';
import { formatLabelSelector } from '../../api/selector.ts';
import type { Client } from '../../client/client.ts';
import { messageOf } from '../pod-control.ts';
import { milliOf } from './quantities.ts';
import { MetricError, type PodMetric, type PodMetrics } from './replica-calculator.ts';

export interface MetricsSourceDeps {
  readonly client: Client;
}

/** The object that a metric describes. */
export interface Described {
  readonly type: ResourceType;
  readonly name: string;
}

const GO_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const CUSTOM = '/apis/custom.metrics.k8s.io/v1beta2';
const EXTERNAL = '/apis/external.metrics.k8s.io/v1beta1';

interface CustomMetrics {
  readonly items: readonly {
    readonly describedObject: { readonly name: string };
    readonly timestamp?: string;
    readonly windowSeconds?: number;
    readonly value: string;
  }[];
}

interface ExternalMetrics {
  readonly items: readonly { readonly value: string }[];
}

/** The metrics APIs. What fails is a MetricError in upstream's words. */
export class MetricsSource {
  readonly #deps: MetricsSourceDeps;

  constructor(deps: MetricsSourceDeps) {
    this.#deps = deps;
  }

  /** `container`: '' for whole pods. Pods of which a container has no such measurement are left out. */
  async resource(resource: string, namespace: string, labelSelector: string, container: string): Promise<PodMetrics> {
    let items: readonly DeepReadonly<MeasuredPod>[];
    try {
      ({ items } = await this.#deps.client.list(resources['pods.metrics.k8s.io'], { namespace, labelSelector }));
    } catch (error) {
      throw unfetched('resource', error, 'pods.metrics.k8s.io');
    }
    if (items.length === 0) throw new MetricError('no metrics returned from resource metrics API');
    return podMetrics(items, resource, container);
  }

  async pods(metric: string, namespace: string, labelSelector: string, selector?: Selector): Promise<PodMetrics> {
    const path = `${CUSTOM}/namespaces/${namespace}/pods/*/${encodeURIComponent(metric)}`;
    const { items } = await this.#custom(path, { labelSelector, metricLabelSelector: textOf(selector) });
    if (items.length === 0) throw new MetricError('no metrics returned from custom metrics API');
    return new Map(
      items.map(({ describedObject, value, timestamp, windowSeconds }): [string, PodMetric] => [
        describedObject.name,
        { value: milliOf(value), atMs: Date.parse(timestamp ?? ''), windowMs: (windowSeconds ?? 60) * 1000 },
      ]),
    );
  }

  /** In thousandths. */
  async object(metric: string, namespace: string, { type, name }: Described, selector?: Selector): Promise<number> {
    const resource = type.group === '' ? type.resource : `${type.resource}.${type.group}`;
    const isNamespace = type.group === '' && type.resource === 'namespaces';
    const place = isNamespace
      ? `namespaces/${name}/metrics`
      : type.namespaced
        ? `namespaces/${namespace}/${resource}/${name}`
        : `${resource}/${name}`;
    const path = `${CUSTOM}/${place}/${encodeURIComponent(metric)}`;
    const { items } = await this.#custom(path, { metricLabelSelector: textOf(selector) });
    const [found] = items;
    if (found === undefined) throw new MetricError('unable to fetch metrics from custom metrics API: no items');
    return milliOf(found.value);
  }

  /** The sum of what matches, in thousandths. */
  async external(metric: string, namespace: string, selector?: Selector): Promise<number> {
    const path = `${EXTERNAL}/namespaces/${namespace}/${encodeURIComponent(metric)}`;
    let list: ExternalMetrics;
    try {
      list = (await this.#deps.client.raw(withQuery(path, { labelSelector: textOf(selector) }))) as ExternalMetrics;
    } catch (error) {
      throw unfetched('external', error, `${metric}.external.metrics.k8s.io`);
    }
    if (list.items.length === 0) throw new MetricError('no metrics returned from external metrics API');
    return list.items.reduce((sum, { value }) => sum + milliOf(value), 0);
  }

  async #custom(path: string, query: Readonly<Record<string, string>>): Promise<CustomMetrics> {
    try {
      return (await this.#deps.client.raw(withQuery(path, query))) as CustomMetrics;
    } catch (error) {
      throw unfetched('custom', error);
    }
  }
}

/** `resource`: what was asked for; clients of the custom metrics API find out first whether there is one. */
function unfetched(api: string, error: unknown, resource?: string): MetricError {
  let reason = messageOf(error);
  // Where nothing is served the API server says about what; an adapter that lacks a metric has words of its own.
  if (isStatusError(error, 'NotFound') && error.status.details !== undefined && !error.status.details.name) {
    reason =
      resource === undefined
        ? 'no custom metrics API (custom.metrics.k8s.io) registered'
        : `the server could not find the requested resource (get ${resource})`;
  }
  return new MetricError(`unable to fetch metrics from ${api} metrics API: ${reason}`);
}

type Selector = DeepReadonly<LabelSelector>;

function textOf(selector: Selector | undefined): string {
  return selector === undefined ? '' : formatLabelSelector(selector);
}

function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== '');
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

/** By pod; throws MetricError when a pod lacks the container. */
export function podMetrics(
  items: readonly DeepReadonly<MeasuredPod>[],
  resource: string,
  container: string,
): PodMetrics {
  const found = new Map<string, PodMetric>();
  for (const { metadata, containers, timestamp, window } of items) {
    const wanted = containers.filter(({ name }) => container === '' || name === container);
    if (container !== '' && wanted.length === 0) {
      const pod = `${metadata.namespace}/${metadata.name}`;
      throw new MetricError(`container ${container} not present in metrics for pod ${pod}`);
    }
    const values = wanted.map(({ usage }) => usage[resource]).filter((value) => value !== undefined);
    if (values.length < wanted.length || values.length === 0) continue;
    const value = values.reduce((sum, one) => sum + milliOf(one), 0);
    found.set(metadata.name, { value, atMs: Date.parse(timestamp), windowMs: goDurationMs(window) });
  }
  return found;
}

/** `1m0.5s` -> 60500. */
export function goDurationMs(text: string): number {
  let sum = 0;
  for (const [, number = '', unit = ''] of text.matchAll(/([\d.]+)(ms|[hms])/g)) {
    sum += Number(number) * (GO_UNITS[unit] ?? 0);
  }
  return sum;
}
