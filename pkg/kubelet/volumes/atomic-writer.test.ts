import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkPayloadPath, type ProjectedFile, writeAtomically } from './atomic-writer.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atomic-writer-'));
});
afterEach(() => rm(dir, { recursive: true }));

const file = (text: string, mode = 0o644): ProjectedFile => ({ data: Buffer.from(text), mode });
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

test('lays files out behind ..data and swaps them as a whole', async () => {
  const target = join(dir, 'volume');
  expect(
    await writeAtomically(
      target,
      new Map([
        ['a', file('1')],
        ['sub/b', file('2', 0o400)],
      ]),
      NOW,
    ),
  ).toBe(true);
  expect(await readlink(join(target, '..data'))).toBe('..2026_01_02_03_04_05.678000000');
  expect(await readlink(join(target, 'a'))).toBe('..data/a');
  expect(await readlink(join(target, 'sub'))).toBe('..data/sub');
  expect(await readFile(join(target, 'sub/b'), 'utf8')).toBe('2');
  expect((await stat(join(target, 'sub/b'))).mode & 0o777).toBe(0o400);

  expect(
    await writeAtomically(
      target,
      new Map([
        ['a', file('1')],
        ['sub/b', file('2', 0o400)],
      ]),
      NOW + 1,
    ),
  ).toBe(false);
  expect(await writeAtomically(target, new Map([['c', file('3')]]), NOW)).toBe(true);
  expect((await readdir(target)).sort()).toEqual(['..2026_01_02_03_04_05.678000001', '..data', 'c']);
});

test('a changed mode is a change; fsGroup gives the group access', async () => {
  const target = join(dir, 'volume');
  await writeAtomically(target, new Map([['a', file('1', 0o400)]]), NOW, 1234);
  const info = await stat(join(target, 'a'));
  expect([info.gid, info.mode & 0o777]).toEqual([1234, 0o440]);
  expect((await lstat(target)).mode & 0o2000).toBe(0o2000);
  expect(await writeAtomically(target, new Map([['a', file('1', 0o644)]]), NOW, 1234)).toBe(true);
});

test.each(['', '/a', '../a', 'a/../b', '..a', 'a//b', './a', `${'x'.repeat(256)}`])('refuses %j', (path) => {
  expect(() => checkPayloadPath(path)).toThrow('invalid path');
});

test('leaves nothing outside the volume when a name is hostile', async () => {
  await expect(writeAtomically(join(dir, 'v'), new Map([['../evil', file('x')]]), NOW)).rejects.toThrow('invalid path');
  expect(await readdir(dir)).toEqual([]);
});
