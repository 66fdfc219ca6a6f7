import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { CheckpointFile } from '../checkpoints/checkpoint-file.ts';
import { ManagerMetrics } from '../stats/manager-metrics.ts';
import type { TopologyPolicy } from '../topology/merge.ts';
import { TopologyManager } from '../topology/topology-manager.ts';
import type { Pod } from '../types.ts';
import { DeviceManager } from './device-manager.ts';
import { PluginRegistration } from './plugin-registration.ts';
import { TestPlugin } from './testing/test-plugin.ts';

const RESOURCE = 'example.com/gpu';
let dir: string;
let here: Set<string>;
let manager: DeviceManager;
let topology: TopologyManager;
let changed: () => void;
let plugin: TestPlugin;
let stop: AbortController;
let done: Promise<void>;

function newManager(): DeviceManager {
  return new DeviceManager({
    file: new CheckpointFile(join(dir, 'checkpoint')),
    nodes: [0, 1],
    logger: silentLogger,
    changed: () => changed(),
    hasPod: (uid) => here.has(uid),
  });
}

function newTopology(policy: TopologyPolicy): TopologyManager {
  return new TopologyManager(
    { policy, scope: 'container', nodes: [0, 1] },
    {
      providers: [manager],
      measure: new ManagerMetrics(new Registry()),
      monotonic: () => 0,
      logger: silentLogger,
    },
  );
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kube-lite-devices-'));
  here = new Set();
  changed = () => {};
  manager = newManager();
  topology = newTopology('none');
  stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const registered = { logger: silentLogger, registered: manager.add.bind(manager) };
  done = new PluginRegistration(dir, registered).run(stop.signal, ready.resolve);
  await ready.promise;
  plugin = await TestPlugin.start(dir, 'gpu.sock', { preStartRequired: true, getPreferredAllocationAvailable: true });
});
afterEach(async () => {
  plugin.stop();
  manager.close();
  stop.abort();
  await done;
  await rm(dir, { recursive: true });
});

const pod = (uid: string, count: string): Pod =>
  ({
    metadata: { uid, name: uid, namespace: 'n' },
    spec: { containers: [{ name: 'main', resources: { limits: { [RESOURCE]: count } } }] },
  }) as unknown as Pod;

/** Resolves at the next change of the devices. */
function nextChange(): Promise<void> {
  return new Promise((resolve) => {
    changed = resolve;
  });
}

async function offer(devices: Record<string, string>, nodes: Record<string, number[]> = {}): Promise<void> {
  const told = nextChange();
  plugin.tell(devices, nodes);
  await told;
}

test('a plugin registers, and its healthy devices are what pods may have', async () => {
  const told = nextChange();
  await plugin.register(RESOURCE);
  await told;
  await offer({ a: 'Healthy', b: 'Healthy', c: 'Unhealthy' });
  expect(manager.amounts()).toEqual({ capacity: { [RESOURCE]: '3' }, allocatable: { [RESOURCE]: '2' } });
  const gone = nextChange();
  plugin.stop();
  await gone;
  expect(manager.amounts()).toEqual({ capacity: { [RESOURCE]: '3' }, allocatable: { [RESOURCE]: '0' } });
});

test('containers get devices that nobody else has, the preferred ones first', async () => {
  const told = nextChange();
  await plugin.register(RESOURCE);
  await told;
  await offer({ a: 'Healthy', b: 'Healthy', c: 'Healthy' });
  const admissions = [pod('one', '1'), pod('two', '1'), pod('three', '2')].map((one) => {
    here.add(one.metadata.uid);
    return topology.admit(one);
  });
  expect(await Promise.all(admissions)).toEqual([
    undefined,
    undefined,
    {
      reason: 'UnexpectedAdmissionError',
      message: `Allocate failed due to requested number of devices unavailable for ${RESOURCE}. Requested: 2, Available: 1, which is unexpected`,
    },
  ]);
  // The plugin prefers the last ones.
  expect(plugin.allocated).toEqual([['c'], ['b']]);
  expect(manager.given('one', 'main').map(({ given }) => given)).toMatchObject([
    {
      envs: { DEVICES: 'c' },
      devices: [{ containerPath: '/dev/c', hostPath: '/dev/null', permissions: 'rw' }],
      mounts: [{ containerPath: '/lib/gpu', hostPath: '/lib', readOnly: true }],
    },
  ]);
  await manager.preStart('one', 'main');
  expect(plugin.preStarted).toEqual([['c']]);
  here.delete('one');
  here.delete('three');
  here.add('four');
  expect(await topology.admit(pod('four', '2'))).toBeUndefined();
});

test('devices of one NUMA node, when the policy asks for that', async () => {
  const told = nextChange();
  await plugin.register(RESOURCE);
  await told;
  await offer({ a: 'Healthy', b: 'Healthy', c: 'Healthy' }, { a: [0], b: [1], c: [1] });
  topology = newTopology('single-numa-node');
  for (const uid of ['one', 'two', 'three']) here.add(uid);
  expect(await topology.admit(pod('one', '2'))).toBeUndefined();
  expect(manager.devicesOf('one', 'main')).toEqual([
    { resource: RESOURCE, id: 'b', nodes: [1] },
    { resource: RESOURCE, id: 'c', nodes: [1] },
  ]);
  here.delete('one');
  expect(await topology.admit(pod('two', '1'))).toBeUndefined();
  expect(manager.devicesOf('two', 'main')).toEqual([{ resource: RESOURCE, id: 'a', nodes: [0] }]);
  expect(await topology.admit(pod('three', '3'))).toMatchObject({ reason: 'TopologyAffinityError' });
  expect(manager.allocatableDevices()).toHaveLength(3);
});

test('what init containers had is used again', async () => {
  const told = nextChange();
  await plugin.register(RESOURCE);
  await told;
  await offer({ a: 'Healthy', b: 'Healthy' });
  here.add('one');
  const { spec, ...rest } = pod('one', '2');
  const limits = { [RESOURCE]: '1' };
  const initContainers = [{ name: 'init', resources: { limits } }] as unknown as Pod['spec']['initContainers'];
  expect(await topology.admit({ ...rest, spec: { ...spec, initContainers } } as Pod)).toBeUndefined();
  expect(manager.devicesOf('one', 'init').map(({ id }) => id)).toEqual(['b']);
  expect(manager.devicesOf('one', 'main').map(({ id }) => id)).toEqual(['b', 'a']);
});

test('what was given away is known after a restart', async () => {
  const told = nextChange();
  await plugin.register(RESOURCE);
  await told;
  await offer({ a: 'Healthy' });
  here.add('one');
  await topology.admit(pod('one', '1'));
  const next = newManager();
  await next.load();
  expect(next.given('one', 'main')).toEqual(manager.given('one', 'main'));
  expect(next.amounts()).toEqual({ capacity: { [RESOURCE]: '0' }, allocatable: { [RESOURCE]: '0' } });
});

test.each([
  [{ version: 'v1alpha1' }, 'requested API version "v1alpha1" is not supported by kubelet'],
  [{ resourceName: 'gpu' }, 'the ResourceName "gpu" is invalid'],
  [{ resourceName: 'kubernetes.io/gpu' }, 'the ResourceName "kubernetes.io/gpu" is invalid'],
  [{ endpoint: '../other.sock' }, 'the endpoint "../other.sock" is invalid'],
])('a registration that is wrong is refused: %o', async (wrong, message) => {
  await expect(plugin.register(RESOURCE, wrong)).rejects.toThrow(message);
});
