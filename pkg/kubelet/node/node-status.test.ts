import { expect, test } from 'vitest';
import type { Machine } from './machine.ts';
import { conditionEvents, keptFromPods, nodeAllocatable, nodeStatus } from './node-status.ts';

const machine: Machine = {
  cpus: 2,
  memoryBytes: 2 ** 30,
  diskBytes: 2 ** 30,
  hugepages: new Map(),
  architecture: 'amd64',
  bootID: '',
  kernelVersion: '',
  machineID: '',
  osImage: '',
  systemUUID: '',
  minOOMScoreAdj: 0,
  cgroupVersion: 2,
  limitedPageSizes: [],
};
const input = {
  machine,
  nodeName: 'n',
  nodeIPs: ['192.0.2.1'],
  port: 10250,
  maxPods: 110,
  allocatable: { cpu: '1', pods: '110' },
  pressure: new Set<never>(),
  version: undefined,
  runtime: undefined,
  images: [],
  nowMs: 0,
};

test('extended resources that were written to the capacity stay, and can be allocated', () => {
  const old = {
    capacity: { cpu: '1', 'hugepages-4Mi': '8Mi', 'example.com/unit': '2' },
    allocatable: { 'a.com/gone': '1' },
  };
  const { capacity, allocatable } = nodeStatus(input, old);
  expect(capacity).toMatchObject({ cpu: '2', 'example.com/unit': '2' });
  expect(capacity).not.toHaveProperty('hugepages-4Mi');
  expect(allocatable).toEqual({ cpu: '1', pods: '110', 'example.com/unit': '2' });
});

test('the largest images come first, in the same order however the runtime lists them', () => {
  const image = (id: string, size: number) =>
    ({ id, repoTags: [`${id}:1`], repoDigests: [], size, uid: null, username: '', pinned: false }) as const;
  const images = [image('b', 5), image('c', 9), image('a', 5)];
  const names = (list: typeof images) =>
    nodeStatus({ ...input, images: list }, undefined).images?.map((one) => one.names?.[0]);
  expect(names(images)).toEqual(['c:1', 'a:1', 'b:1']);
  expect(names(images.toReversed())).toEqual(['c:1', 'a:1', 'b:1']);
});

test('huge pages are an amount of their own, and no memory', () => {
  const withPages = { ...machine, hugepages: new Map([['2Mi', 64 * 2 ** 20]]) };
  expect(nodeStatus({ ...input, machine: withPages }, undefined).capacity).toMatchObject({ 'hugepages-2Mi': '64Mi' });
  const kept = keptFromPods(withPages, { cpu: '500m', memory: '100Mi' }, []);
  expect(nodeAllocatable(withPages, 110, kept)).toMatchObject({
    cpu: '1500m',
    memory: `${(1024 - 100 - 64) * 1024}Ki`,
    'hugepages-2Mi': '64Mi',
  });
});

test('what the runtime said that it can stays while it does not answer', () => {
  const can = { recursiveReadOnlyMounts: true, userNamespaces: false };
  const runtime = {
    conditions: [],
    handlers: [{ name: '', ...can }],
    features: { supplementalGroupsPolicy: true },
  };
  const told = { features: runtime.features, runtimeHandlers: [{ name: '', features: can }] };
  const answered = nodeStatus({ ...input, runtime }, undefined);
  expect(answered).toMatchObject(told);
  expect(nodeStatus(input, answered)).toMatchObject(told);
  const old = nodeStatus({ ...input, runtime: { conditions: [], handlers: [], features: undefined } }, undefined);
  expect([old.features, old.runtimeHandlers]).toEqual([undefined, undefined]);
});

test.each([
  ['1.6.20~ds1', '1.6.20'],
  ['v2.1.9', '2.1.9'],
  ['1.7.0-rc.1+k3s1', '1.7.0-rc.1+k3s1'],
  ['1.0', '1.0'],
  ['next', 'Unknown'],
])('runtime version %s', (runtimeVersion, told) => {
  const version = { version: 'v1', runtimeName: 'containerd', runtimeVersion, runtimeApiVersion: 'v1' };
  expect(nodeStatus({ ...input, version }, undefined).nodeInfo?.containerRuntimeVersion).toBe(`containerd://${told}`);
});

test('a new node tells of its pressures, and of being ready', () => {
  const ready = { type: 'NetworkReady', status: true, reason: '', message: '' };
  const runtime = { conditions: [ready, { ...ready, type: 'RuntimeReady' }], handlers: [], features: undefined };
  const node = { metadata: { name: 'n' } } as never;
  const reasons = (before: Parameters<typeof conditionEvents>[1], after: Parameters<typeof conditionEvents>[2]) =>
    conditionEvents(node, before, after).map(({ reason }) => reason);
  const first = nodeStatus(input, undefined);
  const pressures = ['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID'];
  expect(reasons(undefined, first)).toEqual(pressures);
  expect(reasons(first, nodeStatus({ ...input, runtime }, first))).toEqual(['NodeReady']);
});
