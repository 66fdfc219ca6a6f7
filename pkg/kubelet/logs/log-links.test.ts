import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { linkLog, logLink, removeDeadLinks } from './log-links.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'log-links-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const container = (id: string) => ({ pod: { name: 'web', namespace: 'shop' }, name: 'main', id });

test('a log is known by its pod, namespace, container and id', async () => {
  const log = join(directory, '0');
  await linkLog(directory, container('abc'), log);
  await linkLog(directory, container('abc'), log);
  expect(await readdir(directory)).toEqual(['web_shop_main-abc.log']);
  expect(await readlink(join(directory, 'web_shop_main-abc.log'))).toBe(log);
});

test('a name is cut to what file systems take', () => {
  const link = logLink('/logs', { ...container('0'.repeat(64)), pod: { name: 'p'.repeat(253), namespace: 'n' } });
  expect(link).toBe(`/logs/${'p'.repeat(251)}.log`);
});

test('only the links of logs that are gone are removed', async () => {
  await writeFile(join(directory, '0'), '');
  await linkLog(directory, container('a'), join(directory, '0'));
  await linkLog(directory, container('b'), join(directory, '1'));
  await removeDeadLinks(directory);
  expect((await readdir(directory)).sort()).toEqual(['0', 'web_shop_main-a.log']);
});
