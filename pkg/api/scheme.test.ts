import { expect, test } from 'vitest';
import { resources } from './generated/resources.ts';
import type { KubeObject } from './object.ts';
import { builtinDefinitions } from './scheme.ts';

const meta = { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '2024-01-01T00:00:00Z' };

function find(group: string, version: string, resource: string, on: readonly string[] = []) {
  const runtimeConfig = new Map(on.map((one) => [one, true] as const));
  return builtinDefinitions({ runtimeConfig }).find(
    ({ type }) => type.group === group && type.version === version && type.resource === resource,
  );
}

test('stable versions are served, others on demand', () => {
  const versions = builtinDefinitions()
    .filter(({ type }) => type.group !== 'extensions' && type.group !== 'metrics.k8s.io')
    .map(({ type }) => type.version);
  expect([...new Set(versions)].sort()).toEqual(['v1', 'v2']);
  expect(find('resource.k8s.io', 'v1beta1', 'resourceslices')).toBeUndefined();
  expect(find('resource.k8s.io', 'v1beta1', 'resourceslices', ['resource.k8s.io/v1beta1'])).toBeDefined();
  expect(find('resource.k8s.io', 'v1beta1', 'resourceslices', ['api/beta'])).toBeDefined();
  expect(builtinDefinitions({ runtimeConfig: new Map([['api/all', true]]) })).toHaveLength(
    Object.keys(resources).length,
  );
  const off = builtinDefinitions({ runtimeConfig: new Map([['autoscaling/v1', false]]) });
  expect(off.some(({ type }) => type.group === 'autoscaling' && type.version === 'v1')).toBe(false);
});

test('every definition has a schema, a printer and a list kind', () => {
  for (const definition of builtinDefinitions({ runtimeConfig: new Map([['api/all', true]]) })) {
    expect(definition.schema.properties?.size, definition.type.kind).toBeGreaterThan(0);
    expect(definition.printer.columns.length).toBeGreaterThan(0);
    expect(definition.listKind).toBe(`${definition.type.kind}List`);
  }
});

test('subresources', () => {
  expect(find('', 'v1', 'pods')?.subresources.map((sub) => sub.name)).toEqual([
    'attach',
    'binding',
    'ephemeralcontainers',
    'eviction',
    'exec',
    'log',
    'portforward',
    'proxy',
    'resize',
    'status',
  ]);
  expect(find('apps', 'v1', 'deployments')?.subresources[0]).toEqual({
    name: 'scale',
    kind: 'Scale',
    group: 'autoscaling',
    version: 'v1',
    verbs: ['get', 'patch', 'update'],
  });
  expect(find('apps', 'v1', 'deployments')?.scale?.specReplicasPath).toBe('.spec.replicas');
  expect(find('', 'v1', 'pods')?.scale).toBeUndefined();
});

test('events of both groups are the same objects', () => {
  const stored = find('events.k8s.io', 'v1', 'events')?.storedAs;
  const event = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: meta,
    regarding: { kind: 'Pod' },
    note: 'text',
    reportingController: 'c',
    series: { count: 2 },
  } as KubeObject;
  const core = stored?.toStored(event) as KubeObject;
  expect(stored?.type.group).toBe('');
  expect(core).toEqual({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: meta,
    involvedObject: { kind: 'Pod' },
    message: 'text',
    reportingComponent: 'c',
    reportingInstance: '',
    series: { count: 2 },
  });
  expect(stored?.fromStored(core)).toEqual(event);
});

test('autoscalers keep in annotations what v1 has no fields for', () => {
  const stored = find('autoscaling', 'v1', 'horizontalpodautoscalers')?.storedAs;
  const v2 = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: meta,
    spec: {
      maxReplicas: 3,
      metrics: [
        // The one that v1 has a field for comes last when it is read back, as upstream has it.
        { type: 'Pods', pods: { metric: { name: 'qps' }, target: { type: 'AverageValue', averageValue: '10' } } },
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
    },
    status: { currentReplicas: 1, currentMetrics: null, desiredReplicas: 2 },
  } as unknown as KubeObject;
  const v1 = stored?.fromStored(v2) as KubeObject;
  expect(v1['spec']).toEqual({ maxReplicas: 3, targetCPUUtilizationPercentage: 50 });
  expect(v1.metadata.annotations).toEqual({
    'autoscaling.alpha.kubernetes.io/metrics':
      '[{"type":"Pods","pods":{"metricName":"qps","targetAverageValue":"10"}}]',
    'autoscaling.alpha.kubernetes.io/behavior': '{"scaleDown":{"stabilizationWindowSeconds":0}}',
  });
  expect(stored?.toStored(v1)).toEqual(v2);
});

test('betas are stored as their stable form', () => {
  const stored = find('resource.k8s.io', 'v1beta1', 'resourceslices', ['api/beta'])?.storedAs;
  const beta = {
    apiVersion: 'resource.k8s.io/v1beta1',
    kind: 'ResourceSlice',
    metadata: meta,
    spec: { driver: 'd', devices: [{ name: 'x', basic: { attributes: { a: { int: 1 } } } }] },
  } as unknown as KubeObject;
  const stable = stored?.toStored(beta) as KubeObject;
  expect(stable.apiVersion).toBe('resource.k8s.io/v1');
  expect(stable['spec']).toEqual({ driver: 'd', devices: [{ name: 'x', attributes: { a: { int: 1 } } }] });
  expect(stored?.fromStored(stable)).toEqual(beta);
  expect(find('apps', 'v1', 'deployments')?.storedAs).toBeUndefined();
});

test('removed versions are served with a warning', () => {
  expect(find('extensions', 'v1beta1', 'ingresses')?.deprecationWarning).toBe(
    'extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress',
  );
  expect(find('networking.k8s.io', 'v1', 'ingresses')?.deprecationWarning).toBeUndefined();
  const off = builtinDefinitions({ runtimeConfig: new Map([['extensions/v1beta1', false]]) });
  expect(off.some(({ type }) => type.group === 'extensions')).toBe(false);
});

test('ingresses of extensions/v1beta1 name their backends in their own way', () => {
  const stored = find('extensions', 'v1beta1', 'ingresses')?.storedAs;
  const path = (backend: object) => ({ path: '/', pathType: 'Prefix', backend });
  const ingress = (apiVersion: string, spec: object) =>
    ({ apiVersion, kind: 'Ingress', metadata: meta, spec }) as unknown as KubeObject;
  const resource = { kind: 'Bucket', name: 'b' };
  const beta = ingress('extensions/v1beta1', {
    backend: { serviceName: 'a', servicePort: 80 },
    rules: [
      { host: 'h', http: { paths: [path({ serviceName: 'b', servicePort: 'web' }), path({ resource })] } },
      { host: 'none' },
    ],
  });
  const stable = stored?.toStored(beta) as KubeObject;
  expect(stable).toEqual(
    ingress('networking.k8s.io/v1', {
      defaultBackend: { service: { name: 'a', port: { number: 80 } } },
      rules: [
        { host: 'h', http: { paths: [path({ service: { name: 'b', port: { name: 'web' } } }), path({ resource })] } },
        { host: 'none' },
      ],
    }),
  );
  expect(stored?.type.group).toBe('networking.k8s.io');
  expect(stored?.fromStored(stable)).toEqual(beta);
});

test('deployments of extensions/v1beta1 keep where to roll back to', () => {
  const stored = find('extensions', 'v1beta1', 'deployments')?.storedAs;
  const beta = {
    apiVersion: 'extensions/v1beta1',
    kind: 'Deployment',
    metadata: { ...meta, annotations: { a: 'b' } },
    spec: { replicas: 1, rollbackTo: { revision: 3 } },
  } as unknown as KubeObject;
  const stable = stored?.toStored(beta) as KubeObject;
  expect(stable.apiVersion).toBe('apps/v1');
  expect(stable.metadata.annotations).toEqual({ a: 'b', 'deprecated.deployment.rollback.to': '3' });
  expect(stable['spec']).toEqual({ replicas: 1 });
  expect(stored?.fromStored(stable)).toEqual(beta);
  const plain = { ...stable, metadata: meta } as KubeObject;
  expect(stored?.fromStored(plain).metadata).toBe(meta);
});
