import { notFound } from '../../api/errors.ts';
import type { KubeObject } from '../../api/object.ts';
import type { ListResult } from '../registry/list.ts';
import { parseListOptions } from '../registry/list-options.ts';
import type { Verb } from '../registry/registry.ts';
import { matches, parseFilter } from '../selection/filter.ts';
import { Entry } from '../watchcache/entry.ts';
import type { ResourceMetrics } from './resource-metrics.ts';

/** GET and LIST of metrics.k8s.io. */
export function resourceMetricsVerbs(metrics: ResourceMetrics): readonly (readonly [string, Verb])[] {
  return [
    ['metrics.k8s.io/nodes', metricsVerb('nodemetrics', () => metrics.nodes())],
    ['metrics.k8s.io/pods', metricsVerb('podmetrics', (namespace) => metrics.pods(namespace))],
  ];
}

/** `plural`: what the measurements are called when there is none, as metrics-server does. */
function metricsVerb(plural: string, read: (namespace?: string) => Promise<readonly object[]>): Verb {
  return async (_core, { definition, context }) => {
    const { info, query } = context;
    const namespace = info.namespace === '' ? undefined : info.namespace;
    const objects = (await read(namespace)) as readonly KubeObject[];
    if (info.name !== '') {
      const object = objects.find(({ metadata }) => metadata.name === info.name);
      const key = namespace === undefined ? info.name : `${namespace}/${info.name}`;
      if (object === undefined) throw notFound({ group: definition.type.group, resource: plural }, key);
      return { kind: 'entry', code: 200, definition, entry: new Entry(object, 0) };
    }
    parseListOptions(query, 'list');
    const labelSelector = query.get('labelSelector');
    const filter = parseFilter(definition, namespace, { labelSelector, fieldSelector: query.get('fieldSelector') });
    const entries = objects.map((object) => new Entry(object, 0)).filter((entry) => matches(filter, entry));
    const list: ListResult = { definition, entries, resourceVersion: '' };
    return { kind: 'list', list };
  };
}
