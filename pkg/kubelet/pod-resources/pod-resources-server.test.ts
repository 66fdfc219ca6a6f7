import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { GrpcConnection, parseFacts } from '../../cri/index.ts';
import { ManagerMetrics } from '../stats/manager-metrics.ts';
import type { Pod } from '../types.ts';
import { podResourcesAlphaFacts, podResourcesFacts } from './facts.ts';
import type { Givers } from './pod-resources.ts';
import { PodResourcesServer } from './pod-resources-server.ts';

let dir: string;
let connection: GrpcConnection;
let registry: Registry;
let nowMs = 0;
let stop: () => Promise<void>;

const pod = {
  metadata: { name: 'p', namespace: 'ns', uid: 'u' },
  spec: {
    initContainers: [{ name: 'init' }, { name: 'side', restartPolicy: 'Always' }],
    containers: [{ name: 'main' }],
  },
} as unknown as Pod;
const givers = {
  devices: {
    devicesOf: (_: string, name: string) =>
      name === 'main'
        ? [
            { resource: 'example.com/gpu', id: 'a', nodes: [1] },
            { resource: 'example.com/gpu', id: 'b' },
          ]
        : [],
    allocatableDevices: () => [{ resource: 'example.com/gpu', id: 'a', nodes: [0, 1] }],
  },
  claims: {
    claimsOf: (_: Pod, { name }: { name: string }) => {
      const device = { requestNames: ['r'], poolName: 'pool', deviceName: 'd', cdiDeviceIds: ['x/y=z'], shareId: 's' };
      return name === 'main'
        ? [{ name: 'c', namespace: 'ns', drivers: new Map([['driver.example.com', [device]]]) }]
        : [];
    },
  },
  cpus: {
    exclusive: (_: string, name: string) => (name === 'main' ? new Set([3, 2]) : undefined),
    allocatable: new Set([1, 2, 3]),
  },
  memory: {
    blocksOf: (_: string, name: string) =>
      name === 'main' ? [{ type: 'memory', size: 2 ** 33, numaAffinity: [0] }] : [],
    allocatable: [{ type: 'hugepages-2Mi', size: 2 ** 21, numaAffinity: [1] }],
  },
} as unknown as Givers;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kube-lite-pod-resources-'));
  registry = new Registry();
  const socket = join(dir, 'pod-resources/kubelet.sock');
  const server = new PodResourcesServer(socket, {
    ...givers,
    active: () => [pod],
    metrics: new ManagerMetrics(registry),
    monotonic: () => nowMs,
    logger: silentLogger,
  });
  const controller = new AbortController();
  const ready = Promise.withResolvers<void>();
  const done = server.run(controller.signal, ready.resolve);
  await ready.promise;
  connection = new GrpcConnection(socket);
  stop = () => {
    connection.close();
    controller.abort();
    return done;
  };
});
afterEach(async () => {
  await stop();
  await rm(dir, { recursive: true });
});

const call = (name: string, request: object = {}, version = 'v1'): Promise<unknown> => {
  const facts = version === 'v1' ? podResourcesFacts : podResourcesAlphaFacts;
  return connection.unary(parseFacts(version, facts).method('PodResourcesLister', name), request);
};
const none = { devices: [], cpuIds: [], memory: [], dynamicResources: [] };
const main = {
  name: 'main',
  devices: [
    { resourceName: 'example.com/gpu', deviceIds: ['a'], topology: { nodes: [{ id: 1 }] } },
    { resourceName: 'example.com/gpu', deviceIds: ['b'], topology: null },
  ],
  cpuIds: [2, 3],
  memory: [{ memoryType: 'memory', size: 2 ** 33, topology: { nodes: [{ id: 0 }] } }],
  dynamicResources: [
    {
      claimName: 'c',
      claimNamespace: 'ns',
      claimResources: [
        {
          cdiDevices: [{ name: 'x/y=z' }],
          driverName: 'driver.example.com',
          poolName: 'pool',
          deviceName: 'd',
          shareId: 's',
        },
      ],
    },
  ],
};

test('all pods, one pod, and what can be given away', async () => {
  const expected = { name: 'p', namespace: 'ns', containers: [{ name: 'side', ...none }, main] };
  expect(await call('List')).toEqual({ podResources: [expected] });
  expect(await call('Get', { podName: 'p', podNamespace: 'ns' })).toEqual({ podResources: expected });
  expect(await call('GetAllocatableResources')).toEqual({
    devices: [{ resourceName: 'example.com/gpu', deviceIds: ['a'], topology: { nodes: [{ id: 0 }, { id: 1 }] } }],
    cpuIds: [1, 2, 3],
    memory: [{ memoryType: 'hugepages-2Mi', size: 2 ** 21, topology: { nodes: [{ id: 1 }] } }],
  });
});

test('a pod that is not there', async () => {
  await expect(call('Get', { podName: 'x', podNamespace: 'ns' })).rejects.toThrow('pod x in namespace ns not found');
  const text = await registry.metrics();
  expect(text).toContain('kubelet_pod_resources_endpoint_requests_total{server_api_version="v1"} 1');
  expect(text).toContain('kubelet_pod_resources_endpoint_errors_get{server_api_version="v1"} 1');
});

test('who asks too often has to wait', async () => {
  await Promise.all(Array.from({ length: 10 }, () => call('List')));
  await expect(call('List')).rejects.toMatchObject({ code: 'ResourceExhausted', detail: 'rejected by rate limit' });
  nowMs += 10;
  await call('List');
  await expect(call('List')).rejects.toThrow('rejected by rate limit');
});

test('the old version knows devices only', async () => {
  expect(await call('List', {}, 'v1alpha1')).toEqual({
    podResources: [
      {
        name: 'p',
        namespace: 'ns',
        containers: [
          { name: 'side', devices: [] },
          {
            name: 'main',
            devices: [
              { resourceName: 'example.com/gpu', deviceIds: ['a'] },
              { resourceName: 'example.com/gpu', deviceIds: ['b'] },
            ],
          },
        ],
      },
    ],
  });
});
