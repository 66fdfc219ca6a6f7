import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Exec } from '../base/exec.ts';
import { checkHost, checkKernel } from './host-check.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'host-'));
  await mkdir(join(root, 'bin'));
  await mkdir(join(root, 'sys/fs/cgroup'), { recursive: true });
  await mkdir(join(root, 'proc/sys/fs/inotify'), { recursive: true });
  await writeFile(join(root, 'proc/filesystems'), 'nodev\toverlay\n\text4\n');
  await writeFile(join(root, 'proc/sys/fs/inotify/max_user_instances'), '128\n');
});
afterEach(() => rm(root, { recursive: true }));

const nft = (code: number): Exec => ({
  run: () => Promise.resolve({ code, stdout: '', stderr: 'Operation not permitted\n' }),
});

async function levels(exec: Exec): Promise<Record<string, string>> {
  const checks = await checkHost({ exec, path: join(root, 'bin'), root });
  return Object.fromEntries(checks.map((check) => [check.name, check.level]));
}

test('a machine without anything is told what to install', async () => {
  const checks = await checkHost({ exec: nft(1), path: join(root, 'bin'), root });
  const byName = new Map(checks.map((check) => [check.name, check]));
  expect(byName.get('ip')).toEqual({
    name: 'ip',
    level: 'missing',
    detail: 'not found (it sets up pod networks); install it: apt-get install iproute2',
  });
  expect(byName.get('conntrack')?.level).toBe('warning');
  expect(byName.get('nftables')).toMatchObject({
    level: 'missing',
    detail: expect.stringContaining('Operation not permitted'),
  });
  expect(byName.get('cgroups')).toMatchObject({
    level: 'missing',
    detail: expect.stringContaining('cgroup v1 without cpu, memory, pids'),
  });
  expect(byName.get('inotify')?.level).toBe('warning');
});

test.each([
  ['cgroup v2', async () => writeFile(join(root, 'sys/fs/cgroup/cgroup.controllers'), 'cpuset cpu io memory pids\n')],
  [
    'cgroup v1',
    async () => {
      for (const name of ['cpu', 'memory', 'pids']) {
        await mkdir(join(root, 'sys/fs/cgroup', name));
        await writeFile(join(root, 'sys/fs/cgroup', name, 'tasks'), '');
      }
    },
  ],
])('%s is accepted', async (_name, prepare) => {
  await prepare();
  expect(await levels(nft(0))).toMatchObject({ cgroups: 'ok', nftables: 'ok', overlayfs: 'ok' });
});

test.each([
  ['5.9.16', 'missing'],
  ['5.10.0-28-amd64', 'ok'],
  ['6.18.2', 'ok'],
])('kernel %s: %s', (version, level) => {
  expect(checkKernel(version).level).toBe(level);
});
