import { describe, expect, it } from 'vitest';
import { strategies } from './index.ts';
import { create, newObject, update } from './testing.ts';

const template = {
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'main', image: 'a:1' }] },
};
const selector = { matchLabels: { app: 'x' } };
const jobTemplate = { spec: { ...template.spec, restartPolicy: 'Never' } };

const defaults: [string, Record<string, unknown>, Record<string, unknown>][] = [
  [
    'apps/Deployment',
    { spec: { selector, template } },
    {
      spec: {
        replicas: 1,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      },
      status: {},
    },
  ],
  ['apps/ReplicaSet', { spec: { selector, template } }, { spec: { replicas: 1 }, status: { replicas: 0 } }],
  [
    'apps/StatefulSet',
    { spec: { selector, template } },
    { spec: { podManagementPolicy: 'OrderedReady' }, status: { replicas: 0, availableReplicas: 0 } },
  ],
  [
    'apps/DaemonSet',
    { spec: { selector, template } },
    { metadata: { annotations: { 'deprecated.daemonset.template.generation': '1' } } },
  ],
  [
    'batch/Job',
    { spec: { template: jobTemplate } },
    {
      spec: {
        parallelism: 1,
        completions: 1,
        backoffLimit: 6,
        selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
      },
    },
  ],
  [
    '/Service',
    { spec: { ports: [{ port: 80 }] } },
    {
      spec: {
        type: 'ClusterIP',
        sessionAffinity: 'None',
        internalTrafficPolicy: 'Cluster',
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      },
      status: { loadBalancer: {} },
    },
  ],
  ['/Secret', { stringData: { a: 'hello' }, data: { a: 'eA==' } }, { data: { a: 'aGVsbG8=' }, type: 'Opaque' }],
  [
    '/Namespace',
    {},
    {
      metadata: { labels: { 'kubernetes.io/metadata.name': 'x' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    },
  ],
  ['/Node', { status: { capacity: { cpu: '1' } } }, { status: { allocatable: { cpu: '1' } } }],
  ['rbac.authorization.k8s.io/Role', {}, { rules: null }],
  [
    'rbac.authorization.k8s.io/RoleBinding',
    { roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'User', name: 'u' }] },
    {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io' },
      subjects: [{ kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' }],
    },
  ],
];

const rejected: [string, string, Record<string, unknown>, string[]][] = [
  [
    'apps/Deployment',
    'labels',
    { spec: { selector: { matchLabels: { a: 'b' } }, template } },
    ['spec.template.metadata.labels Invalid'],
  ],
  [
    'apps/Deployment',
    'zero surge',
    { spec: { selector, template, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } } },
    ['spec.strategy.rollingUpdate.maxUnavailable Invalid'],
  ],
  ['apps/ReplicaSet', 'replicas', { spec: { selector, template, replicas: -1 } }, ['spec.replicas Invalid']],
  ['/Service', 'no ports', { spec: {} }, ['spec.ports Required']],
  ['/Service', 'headless without ports', { spec: { clusterIP: 'None' } }, []],
  ['/Service', 'external name', { spec: { type: 'ExternalName' } }, ['spec.externalName Required']],
  [
    '/Service',
    'node port',
    { spec: { ports: [{ port: 80, nodePort: 30_000 }] } },
    ['spec.ports[0].nodePort Forbidden'],
  ],
  ['/Secret', 'TLS', { type: 'kubernetes.io/tls' }, ['data[tls.crt] Required', 'data[tls.key] Required']],
  ['/ConfigMap', 'key', { data: { 'a/b': '' } }, ['data[a/b] Invalid']],
  ['/ConfigMap', 'both', { data: { a: '' }, binaryData: { a: '' } }, ['data[a] Invalid']],
  ['/Node', 'taint', { spec: { taints: [{ key: 'a', effect: 'Odd' }] } }, ['metadata.taints[0].effect NotSupported']],
  ['/Endpoints', 'empty subset', { subsets: [{ ports: [{ port: 1 }] }] }, ['subsets[0] Required']],
  [
    'discovery.k8s.io/EndpointSlice',
    'family',
    { addressType: 'IPv6', endpoints: [{ addresses: ['1.2.3.4'] }] },
    ['endpoints[0].addresses[0] Invalid'],
  ],
  [
    'coordination.k8s.io/Lease',
    'duration',
    { spec: { leaseDurationSeconds: 0 } },
    ['spec.leaseDurationSeconds Invalid'],
  ],
  [
    'rbac.authorization.k8s.io/Role',
    'verbs',
    { rules: [{ apiGroups: [''], resources: ['pods'] }] },
    ['rules[0].verbs Required'],
  ],
  [
    'batch/CronJob',
    'schedule',
    { spec: { schedule: '61 * * * *', jobTemplate: { spec: { template: jobTemplate } } } },
    ['spec.schedule Invalid'],
  ],
];

describe('strategies', () => {
  it.each(defaults)('%s gets its defaults', (key, body, expected) => {
    const { object, errors } = create(key, body);
    expect(object).toMatchObject(expected);
    expect(errors).toEqual([]);
  });

  it.each(rejected)('%s: %s', (key, _name, body, errors) => {
    expect(create(key, body).errors).toEqual(errors);
  });

  it.each([...strategies.keys()])('%s copes with an object that has only metadata', (key) => {
    expect(() => create(key, {})).not.toThrow();
    expect(() => update(key, {}, () => {})).not.toThrow();
    expect(() => update(key, {}, () => {}, 'status')).not.toThrow();
    expect(() => strategies.get(key)?.selectableFields?.(newObject(key, {}))).not.toThrow();
    expect(() => strategies.get(key)?.warnings?.(newObject(key, {}), undefined)).not.toThrow();
  });
});

describe('updates', () => {
  it('keep what was allocated for a Service', () => {
    const body = { spec: { type: 'NodePort', clusterIP: '10.43.0.7', ports: [{ port: 80, nodePort: 30_001 }] } };
    const { object, errors } = update('/Service', body, (next) => {
      next.spec = { type: 'NodePort', ports: [{ port: 80, targetPort: 8080 }] };
    });
    expect(errors).toEqual([]);
    expect(object.spec).toMatchObject({ clusterIP: '10.43.0.7', ports: [{ targetPort: 8080, nodePort: 30_001 }] });
  });

  it('wipe node ports with the type that needs them', () => {
    const body = { spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30_001 }] } };
    const { object, errors } = update('/Service', body, (next) => {
      (next.spec as { type: string }).type = 'ClusterIP';
    });
    expect(errors).toEqual([]);
    expect(object.spec).not.toHaveProperty('externalTrafficPolicy');
    expect(object.spec).toMatchObject({ ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }] });
  });

  it.each([
    ['apps/Deployment', { spec: { selector, template } }, 'selector', 'spec.selector Invalid'],
    ['rbac.authorization.k8s.io/RoleBinding', { roleRef: { kind: 'Role', name: 'r' } }, 'roleRef', 'roleRef Invalid'],
    ['/Secret', { type: 'a' }, 'type', 'type Invalid'],
  ])('of %s may not change %s', (key, body, name, error) => {
    const { errors } = update(key, body, (next) => {
      if (name === 'selector') (next.spec as { selector: unknown }).selector = { matchLabels: { app: 'y' } };
      else if (name === 'roleRef') next.roleRef = { kind: 'Role', name: 'other' };
      else next[name] = 'b';
    });
    expect(errors).toContain(error);
  });

  it('of immutable ConfigMaps are refused', () => {
    const body = { immutable: true, data: { a: 'b' } };
    const { errors } = update('/ConfigMap', body, (next) => {
      next.data = { a: 'c' };
    });
    expect(errors).toEqual(['data Forbidden']);
  });

  it('keep the finalizers of a Namespace except through finalize', () => {
    const drop = (next: Record<string, unknown>): void => {
      next.spec = {};
    };
    expect(update('/Namespace', {}, drop).object.spec).toEqual({ finalizers: ['kubernetes'] });
    expect(update('/Namespace', {}, drop, 'finalize').object.spec).toEqual({});
  });
});
