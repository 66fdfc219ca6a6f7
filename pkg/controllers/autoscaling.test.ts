import { expect, test } from 'vitest';
import { newStatus, StatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import { newHorizontalPodAutoscalerController } from './horizontal-pod-autoscaler/horizontal-pod-autoscaler-controller.ts';
import { startControllers } from './testing.ts';

const hpa = { namespace: 'n', name: 'h' };

function start(raw: (path: string) => unknown = () => ({ items: [] })) {
  const run = startControllers((deps) => [
    newHorizontalPodAutoscalerController({
      ...deps,
      client: {
        ...deps.client,
        raw: async (path) => (/^\/apis\/(custom|external)\./.test(path) ? raw(path) : deps.client.raw(path)),
      },
    }),
  ]);
  const { cluster, clock } = run;
  const now = (): string => new Date(clock.now()).toISOString();
  return {
    ...run,
    target(replicas: number): void {
      cluster.add(resources.deployments, {
        metadata: { namespace: 'n', name: 'd' },
        spec: { replicas, selector: { matchLabels: { app: 'd' } } },
        status: { replicas },
      });
    },
    pod(name: string, cpu?: string): void {
      cluster.add(resources.pods, {
        metadata: { namespace: 'n', name, labels: { app: 'd' } },
        spec: { nodeName: 'x', containers: [{ name: 'c', resources: { requests: { cpu: '100m' } } }] },
        status: {
          phase: 'Running',
          startTime: '2020-01-01T00:00:00Z',
          conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2020-01-01T00:00:01Z' }],
        },
      });
      if (cpu === undefined) return;
      cluster.add(resources['pods.metrics.k8s.io'], {
        metadata: { namespace: 'n', name, labels: { app: 'd' } },
        timestamp: now(),
        window: '15s',
        containers: [{ name: 'c', usage: { cpu } }],
      });
    },
    autoscaler(spec: object = {}, name = 'h'): void {
      cluster.add(resources.horizontalpodautoscalers, {
        metadata: { namespace: 'n', name },
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
          maxReplicas: 5,
          metrics: [
            { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
          ],
          ...spec,
        },
        status: { desiredReplicas: 0, currentMetrics: null },
      });
    },
    replicas: () => cluster.get(resources.deployments, { namespace: 'n', name: 'd' })?.spec.replicas,
    conditions: () =>
      cluster
        .get(resources.horizontalpodautoscalers, hpa)
        ?.status?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`),
  };
}

test('scales by what pods use, and says so', async () => {
  const { cluster, clock, events, target, pod, autoscaler, replicas, conditions, stop } = start();
  target(1);
  pod('a', '150m');
  autoscaler();
  await clock.advance(14_000);
  expect(cluster.actions).toEqual([]);
  await clock.advance(1500);
  expect(replicas()).toBe(3);
  expect(conditions()).toEqual([
    'AbleToScale=True SucceededRescale',
    'ScalingActive=True ValidMetricFound',
    'ScalingLimited=False DesiredWithinRange',
  ]);
  expect(cluster.get(resources.horizontalpodautoscalers, hpa)?.status).toMatchObject({
    currentReplicas: 1,
    desiredReplicas: 3,
    currentMetrics: [
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 150, averageValue: '150m' } } },
    ],
  });
  expect(events()).toEqual([
    'SuccessfulRescale New size: 3; reason: cpu resource utilization (percentage of request) above target',
  ]);
  await stop();
});

test('what is as it should be is not written again', async () => {
  const { cluster, clock, target, pod, autoscaler, stop } = start();
  target(2);
  pod('a', '50m');
  pod('b', '50m');
  autoscaler();
  await clock.advance(16_000);
  const writes = cluster.actions.length;
  await clock.advance(10 * 60_000);
  expect(cluster.actions).toHaveLength(writes);
  await stop();
});

test.each<[string, (run: ReturnType<typeof start>) => void, string, string[]]>([
  [
    'no measurements',
    ({ target, pod, autoscaler }) => {
      target(1);
      pod('a');
      autoscaler();
    },
    'ScalingActive=False FailedGetResourceMetric',
    [
      'FailedGetResourceMetric failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API',
      'FailedComputeMetricsReplicas invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API',
    ],
  ],
  [
    'a kind that nobody knows',
    ({ autoscaler }) => autoscaler({ scaleTargetRef: { apiVersion: 'a.b/v1', kind: 'Foo', name: 'd' } }),
    'AbleToScale=False FailedGetScale',
    ['FailedGetScale no matches for kind "Foo" in group "a.b"'],
  ],
  [
    'nothing to scale',
    ({ target, autoscaler }) => {
      target(0);
      autoscaler();
    },
    'ScalingActive=False ScalingDisabled',
    [],
  ],
])('%s', async (_, prepare, condition, expected) => {
  const run = start();
  prepare(run);
  await run.clock.advance(16_000);
  expect(run.conditions()).toContain(condition);
  expect(run.events()).toEqual(expected);
  await run.stop();
});

test('two autoscalers of the same pods stop each other', async () => {
  const { clock, events, target, pod, autoscaler, stop } = start();
  target(1);
  pod('a', '150m');
  autoscaler({ minReplicas: 1 });
  autoscaler({ minReplicas: 1 }, 'other');
  await clock.advance(40_000);
  const message = 'pods by selector app=d are controlled by multiple HPAs: [n/h n/other]';
  expect(events()).toContain(`AmbiguousSelector ${message}`);
  await stop();
});

test('the bounds come before the metrics', async () => {
  const { clock, events, target, autoscaler, replicas, stop } = start();
  target(9);
  autoscaler();
  await clock.advance(16_000);
  expect(replicas()).toBe(5);
  expect(events()).toEqual([
    'SuccessfulRescale New size: 5; reason: Current number of replicas above Spec.MaxReplicas',
  ]);
  await stop();
});

test('a target that refuses is asked again, but not in a hurry', async () => {
  const { cluster, clock, events, target, autoscaler, conditions, stop } = start();
  target(9);
  autoscaler();
  const refusal = new StatusError(newStatus(403, 'Forbidden', 'no'));
  cluster.fail(({ subresource, verb }) => subresource === 'scale' && verb === 'update', refusal, 1000);
  await clock.advance(61_000);
  expect(conditions()).toContain('AbleToScale=False FailedUpdateScale');
  expect(events()[0]).toBe(
    'FailedRescale New size: 5; reason: Current number of replicas above Spec.MaxReplicas; error: no',
  );
  expect(cluster.actions.filter(({ resource }) => resource === 'horizontalpodautoscalers')).toHaveLength(1);
  await stop();
});

test('metrics of pods, objects and from outside', async () => {
  const paths: string[] = [];
  const { clock, target, pod, autoscaler, replicas, stop } = start((path) => {
    paths.push(path);
    if (path.includes('/pods/')) return { items: [{ describedObject: { name: 'a' }, value: '1' }] };
    return { items: [{ describedObject: { name: 'x' }, value: '9' }] };
  });
  target(1);
  pod('a');
  autoscaler({
    metrics: [
      { type: 'Pods', pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '1' } } },
      {
        type: 'Object',
        object: {
          describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'x' },
          metric: { name: 'hits', selector: { matchLabels: { a: 'b' } } },
          target: { type: 'Value', value: '3' },
        },
      },
      {
        type: 'External',
        external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '5' } },
      },
    ],
  });
  await clock.advance(16_000);
  expect(replicas()).toBe(3);
  expect(paths).toEqual([
    '/apis/custom.metrics.k8s.io/v1beta2/namespaces/n/pods/*/rps?labelSelector=app%3Dd',
    '/apis/custom.metrics.k8s.io/v1beta2/namespaces/n/ingresses.networking.k8s.io/x/hits?metricLabelSelector=a%3Db',
    '/apis/external.metrics.k8s.io/v1beta1/namespaces/n/queue',
  ]);
  await stop();
});
