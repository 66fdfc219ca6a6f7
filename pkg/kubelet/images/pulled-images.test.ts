import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PulledImages } from './pulled-images.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pulled-images-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('is remembered over restarts, by hashes only the node may read', async () => {
  const path = join(dir, 'image_manager/pulled.json');
  const auth = { username: 'u', password: 'p' };
  const before = new PulledImages(path);
  await before.load();
  await Promise.all([before.pulled('id', 'r/a', auth), before.pulled('id', 'r/b', undefined)]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const images = new PulledImages(path);
  await images.load();
  expect([images.isRestricted('id', 'r/a'), images.isRestricted('id', 'r/b')]).toEqual([true, false]);
  expect(images.isRestricted('other', 'r/a')).toBe(false);
  expect(images.allows('id', 'r/a', [{ username: 'u', password: 'x' }, auth])).toBe(true);
  expect(images.allows('id', 'r/a', [{ username: 'up' }])).toBe(false);
  // By another name it may be of another registry, with other rules.
  expect([images.isRestricted('id', 'r/c'), images.allows('id', 'r/c', [auth])]).toEqual([true, false]);
  await writeFile(`${path}.damaged`, '{"id":');
  const damaged = new PulledImages(`${path}.damaged`);
  await damaged.load();
  expect(damaged.isRestricted('id', 'r/a')).toBe(false);
  await images.forget('id');
  expect(images.isRestricted('id', 'r/a')).toBe(false);
});
