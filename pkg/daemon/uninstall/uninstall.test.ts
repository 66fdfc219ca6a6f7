import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { instanceProcesses, type ProcessInfo } from '../processes.ts';
import { removePodCgroups } from './cgroups.ts';
import { mountPointsBelow } from './mounts.ts';

test('only mounts below the directories are found, the deepest first', () => {
  const mountinfo = [
    '1 0 0:1 / / rw - ext4 /dev/vda rw',
    '2 1 0:2 / /var/lib/kube-lite/agent/a rw - tmpfs tmpfs rw',
    '3 2 0:3 / /var/lib/kube-lite/agent/a/deep\\040er rw - tmpfs tmpfs rw',
    '4 1 0:4 / /var/lib/kube-lite-other/x rw - tmpfs tmpfs rw',
    '',
  ].join('\n');
  expect(mountPointsBelow(mountinfo, ['/var/lib/kube-lite'])).toEqual([
    '/var/lib/kube-lite/agent/a/deep er',
    '/var/lib/kube-lite/agent/a',
  ]);
});

test('processes of the payload, their descendants and members of pod cgroups are ours; others are not', () => {
  const info = (pid: number, parent: number, executable: string, cgroups = '0::/\n', zombie = false): ProcessInfo => ({
    pid,
    parent,
    executable,
    cgroups,
    zombie,
  });
  const all = [
    info(1, 0, '/sbin/init'),
    info(10, 1, '/data/payload/abc/bin/containerd-shim-runc-v2'),
    info(11, 10, '/pause'),
    info(12, 11, '/bin/sleep'),
    info(20, 1, '/bin/orphan', '4:memory:/kubepods/burstable/poduid-1/c1\n'),
    info(30, 1, '/bin/other', '4:memory:/kubepods/burstable/poduid-9/c1\n'),
    info(40, 1, '/data/payload-other/containerd'),
    info(50, 10, '/bin/dead', '0::/\n', true),
    info(99, 10, '/data/payload/abc/bin/self'),
  ];
  expect(instanceProcesses(all, '/data/payload', new Set(['uid-1']), 99).map((process) => process.pid)).toEqual([
    10, 11, 12, 20,
  ]);
});

test('cgroups of our pods go, those of others stay', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cgroup-'));
  for (const path of [
    'memory/kubepods/burstable/poda/c1',
    'memory/kubepods/podb',
    'cpu/kubepods/besteffort/poda',
    'cpu/own/kubepods/poda',
  ]) {
    await mkdir(join(dir, path), { recursive: true });
  }
  await removePodCgroups(dir, '/', new Set(['a']));
  await removePodCgroups(dir, '/own', new Set(['a']));
  expect((await readdir(dir, { recursive: true })).sort()).toEqual([
    'cpu',
    'memory',
    'memory/kubepods',
    'memory/kubepods/podb',
  ]);
  await rm(dir, { recursive: true });
});
