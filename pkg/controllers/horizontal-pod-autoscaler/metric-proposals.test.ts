import { expect, test } from 'vitest';
import { newStatus, StatusError } from '../../api/errors.ts';
import type { MetricSpec } from '../../api/generated/types.ts';
import type { Client } from '../../client/client.ts';
import { MetricFailure, proposeFor, type Target } from './metric-proposals.ts';
import { MetricsSource } from './metrics-source.ts';

const MISSING = 'the server could not find the requested resource';
const target = { namespace: 'n', specReplicas: 1, statusReplicas: 1, selector: 'a=b', pods: [] } as unknown as Target;
const queue = { name: 'queue', selector: { matchLabels: { a: 'b' } } };
const service = { kind: 'Service', name: 's' };

test.each([
  [
    { type: 'Pods', pods: { metric: { name: 'qps' }, target: { type: 'AverageValue', averageValue: '1' } } },
    'unable to get metric qps: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
    'failed to get pods metric value: ',
  ],
  [
    {
      type: 'Object',
      object: { describedObject: service, metric: { name: 'rps' }, target: { type: 'Value', value: '1' } },
    },
    'unable to get metric rps: Service on n s/unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
    'failed to get object metric value: ',
  ],
  [
    { type: 'External', external: { metric: queue, target: { type: 'AverageValue', averageValue: '1' } } },
    `unable to get external metric n/queue/&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}: unable to fetch metrics from external metrics API: ${MISSING} (get queue.external.metrics.k8s.io)`,
    'failed to get queue external metric value: failed to get queue external metric: ',
  ],
  [
    { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'Value', value: '1' } } },
    `unable to get external metric n/queue/nil: unable to fetch metrics from external metrics API: ${MISSING} (get queue.external.metrics.k8s.io)`,
    'failed to get queue external metric value: failed to get external metric queue: ',
  ],
  [
    {
      type: 'ContainerResource',
      containerResource: { name: 'cpu', container: 'main', target: { type: 'Utilization', averageUtilization: 50 } },
    },
    `failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: ${MISSING} (get pods.metrics.k8s.io)`,
    'failed to get main container metric value: ',
  ],
] as [MetricSpec, string, string][])('no metrics API: %j', async (spec, detail, before) => {
  const absent = () => Promise.reject(notServed());
  const source = new MetricsSource({ client: { list: absent, raw: absent } as unknown as Client });
  const describe = async () => ({
    type: { group: '', version: 'v1', resource: 'services', kind: 'Service', namespaced: true },
    name: 's',
  });
  const failure = await proposeFor(spec, target, { source, describe }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(MetricFailure);
  expect((failure as MetricFailure).detail).toBe(detail);
  expect((failure as MetricFailure).message).toBe(`${before}${detail}`);
});

test('a metric that its adapter does not have: in the words of the adapter', async () => {
  const absent = () => Promise.reject(new StatusError(newStatus(404, 'NotFound', 'no metric queue for pods')));
  const source = new MetricsSource({ client: { list: absent, raw: absent } as unknown as Client });
  const failure = source.external('queue', 'n');
  await expect(failure).rejects.toThrow(
    /^unable to fetch metrics from external metrics API: no metric queue for pods$/,
  );
});

test.each([
  [
    { type: 'External', external: { metric: queue, target: { type: 'AverageValue', averageValue: '1' } } },
    'external metric queue(&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},})',
  ],
  [
    { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'Value', value: '1' } } },
    'external metric queue(nil)',
  ],
  [
    {
      type: 'Object',
      object: { describedObject: service, metric: { name: 'rps' }, target: { type: 'Value', value: '1' } },
    },
    'Service metric rps',
  ],
  [
    {
      type: 'Object',
      object: {
        describedObject: service,
        metric: { name: 'rps' },
        target: { type: 'AverageValue', averageValue: '1' },
      },
    },
    'external metric rps(nil)',
  ],
] as [MetricSpec, string][])('what the events call a metric: %#', async (spec, name) => {
  const raw = async () => ({ items: [{ describedObject: { name: 's' }, value: '1' }] });
  const source = new MetricsSource({ client: { raw } as unknown as Client });
  const type = { group: '', version: 'v1', resource: 'services', kind: 'Service', namespaced: true };
  const tolerances = { up: 0.1, down: 0.1 };
  const proposal = await proposeFor(spec, { ...target, tolerances } as Target, {
    source,
    describe: async () => ({ type, name: 's' }),
  });
  expect(proposal.name).toBe(name);
});

/** What the server says where nothing is served. */
function notServed(): Error {
  return new StatusError(newStatus(404, 'NotFound', MISSING, {}));
}
