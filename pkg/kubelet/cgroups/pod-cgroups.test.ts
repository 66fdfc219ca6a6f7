import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import type { Pod } from '../types.ts';
import { PodCgroups } from './pod-cgroups.ts';

let mount: string;
beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), 'kube-lite-cgroup-'));
});
afterEach(() => rm(mount, { recursive: true }));

const MiB = 2 ** 20;

function cgroupsOf(version: 1 | 2, exclusiveCPUs = false): PodCgroups {
  return new PodCgroups(
    {
      mount,
      version,
      enabled: true,
      root: '/',
      exclusiveCPUs,
      hugepages: new Map([
        ['2Mi', 64 * MiB],
        ['1Gi', 0],
      ]),
      allocatable: { milliCPU: 2000, memoryBytes: 1024 * MiB },
    },
    new FakeClock(0),
  );
}

async function create(
  version: 1 | 2,
  limits: object,
  exclusiveCPUs = false,
): Promise<(file: string) => Promise<string>> {
  const cgroups = cgroupsOf(version, exclusiveCPUs);
  await cgroups.prepare();
  const containers = [{ name: 'main', resources: { requests: limits, limits } }];
  await cgroups.create({ metadata: { uid: 'u' }, spec: { containers } } as unknown as Pod);
  return (file) => readFile(join(mount, file), 'utf8');
}

const limits = { cpu: '2', memory: '64Mi', 'hugepages-2Mi': '4Mi' };

test('v1: shares, quota, memory and huge pages; none of a size that nobody asks for', async () => {
  const read = await create(1, limits);
  expect(await read('cpu/kubepods/podu/cpu.shares')).toBe('2048');
  expect(await read('cpu/kubepods/podu/cpu.cfs_quota_us')).toBe('200000');
  expect(await read('memory/kubepods/podu/memory.limit_in_bytes')).toBe(String(64 * MiB));
  expect(await read('hugetlb/kubepods/podu/hugetlb.2MB.limit_in_bytes')).toBe(String(4 * MiB));
  expect(await read('hugetlb/kubepods/podu/hugetlb.1GB.limit_in_bytes')).toBe('0');
  expect(await read('hugetlb/kubepods/hugetlb.2MB.limit_in_bytes')).toBe(String(64 * MiB));
});

test('the group of burstable pods weighs what these request together', async () => {
  const cgroups = cgroupsOf(1);
  const weight = (): Promise<string> => readFile(join(mount, 'cpu/kubepods/burstable/cpu.shares'), 'utf8');
  const pod = (uid: string, resources: object): Pod =>
    ({ metadata: { uid }, spec: { containers: [{ name: 'main', resources }] } }) as unknown as Pod;
  // Groups of the kernel go with their files.
  const remove = async (uid: string, qos: string): Promise<void> => {
    for (const controller of ['cpu', 'memory', 'pids', 'hugetlb'])
      await rm(join(mount, controller, 'kubepods', qos, `pod${uid}`), { recursive: true });
    await cgroups.remove(uid);
  };
  await cgroups.prepare();
  expect(await weight()).toBe('2');
  await cgroups.create(pod('a', { requests: { cpu: '1' } }));
  await cgroups.create(pod('b', { requests: { cpu: '500m' } }));
  await cgroups.create(pod('guaranteed', { requests: limits, limits }));
  expect(await weight()).toBe('1536');
  await cgroups.create(pod('b', { requests: { cpu: '1500m' } }));
  expect(await weight()).toBe('2560');
  await remove('a', 'burstable');
  await remove('guaranteed', '');
  expect(await weight()).toBe('1536');
  await remove('b', 'burstable');
  expect(await weight()).toBe('2');
});

test('every process of a pod is ended', async () => {
  const cgroups = cgroupsOf(1);
  const pod = { metadata: { uid: 'u' }, spec: { containers: [{ name: 'main' }] } } as unknown as Pod;
  const [own, below] = [spawn('sleep', ['60']), spawn('sleep', ['60'])];
  const ended = Promise.all([own, below].map(async (child) => (await once(child, 'exit'))[1]));
  const dir = join(mount, 'memory/kubepods/besteffort/podu');
  await mkdir(join(dir, 'container'), { recursive: true });
  await writeFile(join(dir, 'cgroup.procs'), `${own.pid}\n`);
  await writeFile(join(dir, 'container/cgroup.procs'), `${below.pid}\n`);
  await cgroups.kill(pod);
  expect(await ended).toEqual(['SIGKILL', 'SIGKILL']);
  await cgroups.kill(pod);
});

test('v2', async () => {
  for (const dir of ['', 'kubepods', 'kubepods/burstable', 'kubepods/besteffort']) {
    await mkdir(join(mount, dir), { recursive: true });
    await writeFile(join(mount, dir, 'cgroup.controllers'), 'cpu memory hugetlb\n');
  }
  const read = await create(2, limits);
  expect(await read('cgroup.subtree_control')).toBe('+cpu +memory +hugetlb');
  expect(await read('kubepods/podu/cpu.max')).toBe('200000 100000');
  expect(await read('kubepods/podu/hugetlb.2MB.max')).toBe(String(4 * MiB));
  expect(await read('kubepods/podu/hugetlb.1GB.max')).toBe('0');
});

test.each([
  [{ cpu: '2', memory: '64Mi' }, false],
  [{ cpu: '1500m', memory: '64Mi' }, true],
])('where CPUs can be exclusive, %j has a quota: %s', async (amounts, hasQuota) => {
  const read = await create(1, amounts, true);
  const quota = read('cpu/kubepods/podu/cpu.cfs_quota_us');
  if (hasQuota) expect(await quota).toBe('150000');
  else await expect(quota).rejects.toThrow('ENOENT');
});
