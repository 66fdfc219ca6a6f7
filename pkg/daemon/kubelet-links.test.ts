import { mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../base/logger.ts';
import { kubeletLinks, removeKubeletLinks } from './kubelet-links.ts';

let dir: string;
let standard: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kube-lite-links-'));
  standard = join(dir, 'standard');
});
afterEach(() => rm(dir, { recursive: true }));

async function link(kubelet: string): Promise<void> {
  const controller = new AbortController();
  const ready = Promise.withResolvers<void>();
  const done = kubeletLinks(join(dir, kubelet), standard, silentLogger).run(controller.signal, ready.resolve);
  await ready.promise;
  controller.abort();
  await done;
}
const target = (name: string): Promise<string> => readlink(join(standard, name));

test('links are made, made again without harm, and removed', async () => {
  await mkdir(join(standard, 'pod-resources'), { recursive: true });
  await link('own');
  await link('own');
  for (const name of ['device-plugins', 'plugins_registry', 'pod-resources']) {
    expect(await target(name)).toBe(join(dir, 'own', name));
  }
  await removeKubeletLinks(join(dir, 'own'), standard);
  expect(await readdir(dir)).toEqual(['own']);
});

test('what another kubelet has stays; what one that is gone had does not', async () => {
  await mkdir(join(standard, 'device-plugins'), { recursive: true });
  await writeFile(join(standard, 'device-plugins/kubelet.sock'), '');
  await symlink(join(dir, 'gone/pod-resources'), join(standard, 'pod-resources'));
  await link('first');
  await link('second');
  expect(await readdir(join(standard, 'device-plugins'))).toEqual(['kubelet.sock']);
  expect(await target('pod-resources')).toBe(join(dir, 'first/pod-resources'));
  await removeKubeletLinks(join(dir, 'second'), standard);
  expect(await target('pod-resources')).toBe(join(dir, 'first/pod-resources'));
});
