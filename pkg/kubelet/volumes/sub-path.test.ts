import { mkdir, mkdtemp, realpath, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveSubPath } from './sub-path.ts';

let dir: string;
let volume: string;
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'sub-path-')));
  volume = join(dir, 'volume');
  await mkdir(volume);
  await mkdir(join(dir, 'outside'));
});
afterEach(() => rm(dir, { recursive: true }));

test('makes what is missing and follows links inside the volume', async () => {
  expect(await resolveSubPath(volume, 'a/b')).toBe(join(volume, 'a/b'));
  expect((await stat(join(volume, 'a/b'))).isDirectory()).toBe(true);
  await symlink('a', join(volume, 'link'));
  expect(await resolveSubPath(volume, 'link/b')).toBe(join(volume, 'a/b'));
});

test.each(['../outside', '/etc', 'a/../../outside'])('refuses %s', async (subPath) => {
  await expect(resolveSubPath(volume, subPath)).rejects.toThrow('must stay inside the volume');
});

test('refuses links that leave the volume, and makes nothing behind them', async () => {
  await symlink('../outside', join(volume, 'link'));
  await symlink(dir, join(volume, 'absolute'));
  await expect(resolveSubPath(volume, 'link/new')).rejects.toThrow('leaves the volume');
  await expect(resolveSubPath(volume, 'absolute')).rejects.toThrow('leaves the volume');
  await expect(stat(join(dir, 'outside/new'))).rejects.toThrow('ENOENT');
});
