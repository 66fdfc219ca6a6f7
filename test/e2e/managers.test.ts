import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GrpcConnection, parseFacts } from '../../pkg/cri/index.ts';
import { podResourcesFacts } from '../../pkg/kubelet/pod-resources/facts.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';

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

const HUGE_PAGES = '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages';
const pagesBefore = Number(await readFile(HUGE_PAGES, 'utf8').catch(() => Number.NaN));

/** Whether this machine lets us have this many huge pages of 2Mi. */
async function setHugePages(count: number): Promise<boolean> {
  await writeFile(HUGE_PAGES, String(count)).catch(() => undefined);
  return Number(await readFile(HUGE_PAGES, 'utf8').catch(() => Number.NaN)) === count;
}

const noPages = missing === undefined && !(await setHugePages(pagesBefore + 4));
if (noPages) console.error('tests of huge pages are skipped: this machine gives none');

describe.skipIf(missing !== undefined)('a node that gives CPUs and memory to pods alone', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start({ flags: FLAGS });
  });
  afterAll(() =>
    endAll(
      () => cluster?.remove(),
      () => setHugePages(pagesBefore),
    ),
  );

  const run = async (name: string, amounts?: object, volume?: object): Promise<void> => {
    const resources = amounts === undefined ? {} : { requests: amounts, limits: amounts };
    const mounts = volume && { volumeMounts: [{ name: 'v', mountPath: '/volume' }] };
    const main = { name: 'main', image: 'busybox:test', command: ['sleep', '3600'], resources, ...mounts };
    const volumes = volume && { volumes: [{ name: 'v', ...volume }] };
    const spec = { terminationGracePeriodSeconds: 0, containers: [main], ...volumes };
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }));
    await cluster.ok(['wait', `pod/${name}`, '--for=condition=Ready', '--timeout=120s']);
  };
  /** Of what runs in the pod: its first process, and one that is new. */
  const allowed = async (pod: string): Promise<string> => {
    const status = await cluster.ok(['exec', pod, '--', 'cat', '/proc/1/status', '/proc/self/status']);
    return [...new Set([...status.matchAll(/^Cpus_allowed_list:\s*(\S+)$/gm)].map(([, list]) => list))].join(' ');
  };
  const runsOn = (pod: string, list: string): Promise<unknown> =>
    eventually(`${pod} on ${list}`, async () => (await allowed(pod)) === list);

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
    await run('agent', undefined, { hostPath: { path: '/var/lib/kubelet/pod-resources', type: 'Directory' } });
    expect(await cluster.ok(['exec', 'agent', '--', 'ls', '/volume'])).toBe('kubelet.sock\n');
  });

  test.skipIf(noPages)('huge pages are what the node has, a pod is given, and a volume is of', async () => {
    const size = `${2 * (pagesBefore + 4)}Mi`;
    const { status } = await cluster.get<{ status: Record<'capacity' | 'allocatable', object> }>('node', 'e2e-node');
    expect(status).toMatchObject({ capacity: { 'hugepages-2Mi': size }, allocatable: { 'hugepages-2Mi': size } });
    await cluster.ok(['delete', 'pod', 'pages', '--ignore-not-found']);
    const amounts = { cpu: '100m', memory: '32Mi', 'hugepages-2Mi': '4Mi' };
    await run('pages', amounts, { emptyDir: { medium: 'HugePages' } });
    expect(await cluster.ok(['exec', 'pages', '--', 'grep', ' /volume ', '/proc/mounts'])).toMatch(
      /^nodev \/volume hugetlbfs rw,\S*pagesize=2M/,
    );
    const state = await readFile(join(cluster.dataDir, 'agent/kubelet/memory_manager_state'), 'utf8');
    expect(state).toContain(`{"numaAffinity":[0],"type":"hugepages-2Mi","size":${2 ** 22}}`);
  });
});
