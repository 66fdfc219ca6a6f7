import { describe, expect, test } from 'vitest';
import { resources } from '../generated/resources.ts';
import type { KubeObject } from '../object.ts';
import { builtinPackage, builtinSchema } from '../schema/builtin.ts';
import { completeObject } from '../schema/complete.ts';
import { printerFor } from './registry.ts';
import { renderTable } from './table.ts';

const nowMs = Date.parse('2024-01-01T00:00:40Z');
const metadata = { name: 'a', uid: 'u', resourceVersion: '7', creationTimestamp: '2024-01-01T00:00:00Z' };

const object = (content: object): KubeObject => ({ apiVersion: 'v1', kind: 'X', metadata, ...content });

/** The cells that `kubectl get` shows, or with `wide` those that -o wide adds. */
function cells(group: string, kind: string, content: object, wide = false): unknown[] {
  const printer = printerFor(group, kind);
  if (printer === undefined) throw new Error(`no printer for ${kind}`);
  const shown = printer.columns.map(({ priority = 0 }) => priority > 0 === wide);
  return printer.cells(object(content), nowMs).filter((_cell, i) => shown[i]);
}

describe('every built-in printer', () => {
  const printed = Object.values(resources).filter(({ group, kind }) => printerFor(group, kind) !== undefined);

  test.each(printed.map((type) => [`${type.group}/${type.version} ${type.kind}`, type] as const))(
    '%s prints objects without content',
    (_name, { group, version, kind }) => {
      const printer = printerFor(group, kind);
      expect(printer?.cells(object({}), nowMs)).toHaveLength(printer?.columns.length ?? -1);
      const complete: Record<string, unknown> = { ...object({}) };
      completeObject(builtinSchema(`${builtinPackage(group, version)}.${kind}`), complete);
      const row = printer?.cells(complete as KubeObject, nowMs) ?? [];
      expect(row).toHaveLength(printer?.columns.length ?? -1);
      for (const cell of row) expect(['string', 'number', 'boolean']).toContain(typeof cell);
    },
  );

  test('is found by group and kind', () => {
    expect(printerFor('', 'Pod')).toBeDefined();
    expect(printerFor('apps', 'Pod')).toBeUndefined();
    expect(printerFor('', 'constructor')).toBeUndefined();
    expect(printerFor('constructor', 'name')).toBeUndefined();
  });
});

const port = { port: 80, protocol: 'TCP' };
const container = { name: 'main', image: 'app:1' };
const template = { spec: { containers: [container, { name: 'b', image: 'i:2' }] } };
const selector = { matchLabels: { b: '2', a: '1' } };
const started = '2024-01-01T00:00:10Z';

test.each<[string, string, string, object, unknown[]]>([
  [
    'by cluster IP',
    '',
    'Service',
    { spec: { type: 'ClusterIP', clusterIPs: ['10.0.0.1'], ports: [port] } },
    ['a', 'ClusterIP', '10.0.0.1', '<none>', '80/TCP', '40s'],
  ],
  [
    'headless',
    '',
    'Service',
    { spec: { type: 'ClusterIP', clusterIPs: ['None'] } },
    ['a', 'ClusterIP', 'None', '<none>', '<none>', '40s'],
  ],
  [
    'by node port',
    '',
    'Service',
    { spec: { type: 'NodePort', externalIPs: ['192.0.2.1', '192.0.2.2'], ports: [{ ...port, nodePort: 30003 }] } },
    ['a', 'NodePort', '<none>', '192.0.2.1,192.0.2.2', '80:30003/TCP', '40s'],
  ],
  [
    'waiting for a load balancer',
    '',
    'Service',
    { spec: { type: 'LoadBalancer' } },
    ['a', 'LoadBalancer', '<none>', '<pending>', '<none>', '40s'],
  ],
  [
    'with a load balancer',
    '',
    'Service',
    {
      spec: { type: 'LoadBalancer' },
      status: { loadBalancer: { ingress: [{ hostname: 'lb.example' }, { ip: '192.0.2.3' }] } },
    },
    ['a', 'LoadBalancer', '<none>', '192.0.2.3,lb.example', '<none>', '40s'],
  ],
  [
    'elsewhere',
    '',
    'Service',
    { spec: { type: 'ExternalName', externalName: 'x.example' } },
    ['a', 'ExternalName', '<none>', 'x.example', '<none>', '40s'],
  ],
  [
    'many',
    '',
    'Endpoints',
    { subsets: [{ addresses: [{ ip: '1.1.1.1' }, { ip: 'fd00::1' }], ports: [{ port: 80 }, { port: 81 }] }] },
    ['a', '1.1.1.1:80,[fd00::1]:80,1.1.1.1:81 + 1 more...', '40s'],
  ],
  ['none', '', 'Endpoints', {}, ['a', '<none>', '40s']],
  [
    'ready',
    '',
    'Node',
    {
      metadata: { ...metadata, labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/gpu': '' } },
      spec: { unschedulable: true },
      status: { conditions: [{ type: 'Ready', status: 'True' }], nodeInfo: { kubeletVersion: 'v1' } },
    },
    ['a', 'Ready,SchedulingDisabled', 'gpu,worker', '40s', 'v1'],
  ],
  [
    'not ready',
    '',
    'Node',
    { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
    ['a', 'NotReady', '<none>', '40s', ''],
  ],
  [
    'used',
    '',
    'ResourceQuota',
    { status: { hard: { pods: '3', 'limits.cpu': '4', 'count/secrets': '9' }, used: { pods: '1' } } },
    ['a', '40s', 'count/secrets: 0/9, pods: 1/3', 'limits.cpu: 0/4'],
  ],
  [
    'bound',
    '',
    'PersistentVolumeClaim',
    {
      spec: { volumeName: 'v', storageClassName: 's' },
      status: { phase: 'Bound', capacity: { storage: '5Gi' }, accessModes: ['ReadWriteMany', 'ReadWriteOnce'] },
    },
    ['a', 'Bound', 'v', '5Gi', 'RWO,RWX', 's', '<unset>', '40s'],
  ],
  [
    'pending',
    '',
    'PersistentVolumeClaim',
    { status: { phase: 'Pending' } },
    ['a', 'Pending', '', '', '', '', '<unset>', '40s'],
  ],
  [
    'of the core group',
    '',
    'Event',
    {
      type: 'Normal',
      reason: 'R',
      message: ' m\n',
      involvedObject: { kind: 'Pod', name: 'p' },
      firstTimestamp: metadata.creationTimestamp,
      lastTimestamp: started,
    },
    ['30s', 'Normal', 'R', 'pod/p', 'm'],
  ],
  [
    'of events.k8s.io',
    'events.k8s.io',
    'Event',
    {
      type: 'Normal',
      reason: 'R',
      note: 'n',
      regarding: { kind: 'Pod', name: 'p' },
      eventTime: started,
      series: { count: 3, lastObservedTime: '2024-01-01T00:00:30Z' },
    },
    ['10s', 'Normal', 'R', 'pod/p', 'n'],
  ],
  [
    'rolling',
    'apps',
    'Deployment',
    { spec: { replicas: 3 }, status: { readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 } },
    ['a', '2/3', 1, 2, '40s'],
  ],
  [
    'of a daemon set',
    'apps',
    'ControllerRevision',
    {
      metadata: {
        ...metadata,
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'u', controller: true }],
      },
      revision: 2,
    },
    ['a', 'daemonset.apps/d', 2, '40s'],
  ],
  [
    'running',
    'batch',
    'Job',
    { spec: { completions: 3 }, status: { succeeded: 1, startTime: started } },
    ['a', 'Running', '1/3', '30s', '40s'],
  ],
  [
    'done',
    'batch',
    'Job',
    {
      spec: { parallelism: 3 },
      status: {
        conditions: [{ type: 'Complete', status: 'True' }],
        startTime: started,
        completionTime: '2024-01-01T00:00:15Z',
      },
    },
    ['a', 'Complete', '0/1 of 3', '5s', '40s'],
  ],
  [
    'suspended',
    'batch',
    'CronJob',
    { spec: { schedule: '@daily', suspend: true } },
    ['a', '@daily', '<none>', 'True', 0, '<none>', '40s'],
  ],
  [
    'of several metrics',
    'autoscaling',
    'HorizontalPodAutoscaler',
    {
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'd' },
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 50 } } },
          { type: 'Pods', pods: { target: { averageValue: '10' } } },
          { type: 'X' },
        ],
      },
      status: {
        currentReplicas: 2,
        currentMetrics: [{ type: 'Resource', resource: { current: { averageUtilization: 33 } } }],
      },
    },
    ['a', 'Deployment/d', 'cpu: 33%/50%, <unknown>/10 + 1 more...', '1', 3, 2, '40s'],
  ],
  [
    'with many hosts',
    'networking.k8s.io',
    'Ingress',
    { spec: { tls: [{}], rules: ['a', 'b', 'c', 'd'].map((host) => ({ host })) } },
    ['a', '<none>', 'a,b,c + 1 more...', '', '80, 443', '40s'],
  ],
  ['by labels', 'networking.k8s.io', 'NetworkPolicy', { spec: { podSelector: selector } }, ['a', 'a=1,b=2', '40s']],
  [
    'by expressions',
    'networking.k8s.io',
    'NetworkPolicy',
    {
      spec: {
        podSelector: {
          matchExpressions: [
            { key: 'b', operator: 'NotIn', values: ['y', 'x'] },
            { key: 'a', operator: 'DoesNotExist' },
          ],
        },
      },
    },
    ['a', '!a,b notin (x,y)', '40s'],
  ],
  [
    'without endpoints',
    'discovery.k8s.io',
    'EndpointSlice',
    { addressType: 'IPv4' },
    ['a', 'IPv4', '<unset>', '<unset>', '40s'],
  ],
  [
    'with endpoints',
    'discovery.k8s.io',
    'EndpointSlice',
    { addressType: 'IPv4', ports: [{ port: 80 }], endpoints: [{ addresses: ['1.1.1.1'] }, { addresses: ['1.1.1.2'] }] },
    ['a', 'IPv4', '80', '1.1.1.1,1.1.1.2', '40s'],
  ],
  ['by number', 'policy', 'PodDisruptionBudget', { spec: { minAvailable: 1 } }, ['a', '1', 'N/A', 0, '40s']],
  [
    'issued',
    'certificates.k8s.io',
    'CertificateSigningRequest',
    {
      spec: { signerName: 's', username: 'u', expirationSeconds: 3600 },
      status: { conditions: [{ type: 'Approved' }], certificate: 'x' },
    },
    ['a', '40s', 's', 'u', '60m', 'Approved,Issued'],
  ],
  [
    'default',
    'storage.k8s.io',
    'StorageClass',
    {
      metadata: { ...metadata, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'p',
    },
    ['a (default)', 'p', 'Delete', 'Immediate', false, '40s'],
  ],
  [
    'unavailable',
    'apiregistration.k8s.io',
    'APIService',
    {
      spec: { service: { namespace: 'n', name: 's' } },
      status: { conditions: [{ type: 'Available', status: 'False', reason: 'MissingEndpoints' }] },
    },
    ['a', 'n/s', 'False (MissingEndpoints)', '40s'],
  ],
])('%s: %s %s', (_name, group, kind, content, expected) => {
  expect(cells(group, kind, content)).toEqual(expected);
});

test.each<[string, string, object, unknown[]]>([
  [
    '',
    'Node',
    {
      status: {
        addresses: [{ type: 'InternalIP', address: '1.2.3.4' }],
        nodeInfo: { osImage: 'Linux', kernelVersion: '6.1', architecture: 'amd64', containerRuntimeVersion: 'c://1' },
      },
    },
    ['1.2.3.4', '<none>', 'Linux', '6.1 (amd64)', 'c://1'],
  ],
  ['apps', 'ReplicaSet', { spec: { template, selector } }, ['main,b', 'app:1,i:2', 'a=1,b=2']],
  ['', 'Service', { spec: {} }, ['<none>']],
  ['scheduling.k8s.io', 'PriorityClass', { preemptionPolicy: 'Never' }, ['Never']],
  [
    'rbac.authorization.k8s.io',
    'RoleBinding',
    {
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'User', name: 'v' },
        { kind: 'ServiceAccount', namespace: 'n', name: 's' },
      ],
    },
    ['u, v', '', 'n/s'],
  ],
])('-o wide: %s %s', (group, kind, content, expected) => {
  expect(cells(group, kind, content, true)).toEqual(expected);
});

test('a table', () => {
  const printer = printerFor('', 'Namespace');
  if (printer === undefined) throw new Error('no printer');
  const namespace = object({ status: { phase: 'Active' } });
  const table = renderTable(
    { printer },
    [namespace],
    { resourceVersion: '9' },
    { nowMs, includeObject: 'Metadata', version: 'v1' },
  );
  expect(table).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: { resourceVersion: '9' } });
  expect(table.columnDefinitions?.map(({ description: _, ...column }) => column)).toEqual([
    { name: 'Name', type: 'string', format: 'name', priority: 0 },
    { name: 'Status', type: 'string', format: '', priority: 0 },
    { name: 'Age', type: 'string', format: '', priority: 0 },
  ]);
  const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
  expect(table.rows).toEqual([{ cells: ['a', 'Active', '40s'], object: partial }]);
  const rowObject = (include: 'None' | 'Object') =>
    renderTable({ printer }, [namespace], {}, { nowMs, includeObject: include, version: 'v1' }).rows[0]?.object;
  expect(rowObject('None')).toBeNull();
  expect(rowObject('Object')).toBe(namespace);
  expect(
    renderTable({ printer }, [], {}, { nowMs, includeObject: 'None', version: 'v1', columns: false }).columnDefinitions,
  ).toBeNull();
});
