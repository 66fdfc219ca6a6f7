import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GrpcConnection, parseFacts } from '../../pkg/cri/index.ts';
import { podResourcesFacts } from '../../pkg/kubelet/pod-resources/facts.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const few = cpus().length < 2 ? 'there is only one CPU' : undefined;
const missing = (await missingForE2E()) ?? few;
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const ALL = `0-${cpus().length - 1}`;
const OTHERS = cpus().length === 2 ? '0' : `0,2-${cpus().length - 1}`;
const FLAGS = [
  ...['--cpu-manager-policy', 'static', '--reserved-cpus', '0'],
  // With the 100Mi that eviction keeps free.
  ...['--memory-manager-policy', 'Static', '--system-reserved', 'memory=156Mi', '--reserved-memory', '0:memory=256Mi'],
  ...['--topology-manager-policy', 'single-numa-node'],
  '--kubelet-links',
];

describe.skipIf(missing !== undefined)('a node that gives CPUs and memory to pods alone', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start({ flags: FLAGS });
    await eventually('an account for pods', async () => (await cluster.kubectl(['get', 'sa', 'default'])).code === 0);
  });
  afterAll(() => cluster?.remove());

  const run = async (name: string, amounts?: object, volume?: { mountPath: string; path: string }): Promise<void> => {
    const resources = amounts === undefined ? {} : { requests: amounts, limits: amounts };
    const mounts = volume && { volumeMounts: [{ name: 'v', mountPath: volume.mountPath }] };
    const main = { name: 'main', image: 'busybox:test', command: ['sleep', '3600'], resources, ...mounts };
    const volumes = volume && { volumes: [{ name: 'v', hostPath: { path: volume.path, type: 'Directory' } }] };
    const spec = { terminationGracePeriodSeconds: 0, containers: [main], ...volumes };
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }));
    await cluster.ok(['wait', `pod/${name}`, '--for=condition=Ready', '--timeout=60s']);
  };
  /** Of what runs in the pod: its first process, and one that is new. */
  const allowed = async (pod: string): Promise<string> => {
    const status = await cluster.ok(['exec', pod, '--', 'cat', '/proc/1/status', '/proc/self/status']);
    return [...new Set([...status.matchAll(/^Cpus_allowed_list:\s*(\S+)$/gm)].map(([, list]) => list))].join(' ');
  };
  const runsOn = (pod: string, list: string): Promise<unknown> =>
    eventually(`${pod} on ${list}`, async () => (await allowed(pod)) === list, 20_000);

  test('a Guaranteed pod has its CPU to itself, over a restart, until it ends', async () => {
    await cluster.ok(['delete', 'pod', '--all']);
    await run('shared');
    await runsOn('shared', ALL);
    await run('pinned', { cpu: '1', memory: '32Mi' });
    expect(await allowed('pinned')).toBe('1');
    await runsOn('shared', OTHERS);

    const state = JSON.parse(await readFile(join(cluster.dataDir, 'agent/kubelet/cpu_manager_state'), 'utf8'));
    const { uid } = (await cluster.get<{ metadata: { uid: string } }>('pod', 'pinned')).metadata;
    expect(state).toMatchObject({ policyName: 'static', defaultCpuSet: OTHERS, entries: { [uid]: { main: '1' } } });
    const socket = new GrpcConnection(join(cluster.dataDir, 'agent/kubelet/pod-resources/kubelet.sock'));
    const get = parseFacts('v1', podResourcesFacts).method('PodResourcesLister', 'Get');
    const told = await socket.unary(get, { podName: 'pinned', podNamespace: 'default' });
    socket.close();
    const topology = { nodes: [{ id: 0 }] };
    expect(told).toMatchObject({
      podResources: { containers: [{ cpuIds: [1], memory: [{ memoryType: 'memory', size: 2 ** 25, topology }] }] },
    });

    await cluster.signal('SIGTERM');
    cluster.launch();
    await cluster.nodeReady();
    await runsOn('pinned', '1');
    await run('later');
    expect(await allowed('later')).toBe(OTHERS);
    await cluster.ok(['delete', 'pod', 'pinned']);
    await Promise.all([runsOn('shared', ALL), runsOn('later', ALL)]);
  });

  test('an agent in a pod finds the socket where every kubelet has it', async () => {
    await cluster.ok(['delete', 'pod', 'agent', '--ignore-not-found']);
    await run('agent', undefined, { mountPath: '/host', path: '/var/lib/kubelet/pod-resources' });
    expect(await cluster.ok(['exec', 'agent', '--', 'ls', '/host'])).toBe('kubelet.sock\n');
  });
});
