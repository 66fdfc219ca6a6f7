import { chmod, lstat, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { giveToGroup } from './ownership.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ownership-'));
  await mkdir(join(dir, 'volume/sub'), { recursive: true, mode: 0o755 });
  await writeFile(join(dir, 'volume/sub/file'), '', { mode: 0o600 });
  await writeFile(join(dir, 'outside'), '', { mode: 0o600 });
  await symlink('../outside', join(dir, 'volume/link'));
});
afterEach(() => rm(dir, { recursive: true }));

async function groupAndMode(path: string): Promise<[number, string]> {
  const { gid, mode } = await stat(join(dir, path));
  return [gid, (mode & 0o7777).toString(8)];
}

test('gives the whole tree, but nothing that links lead to', async () => {
  await giveToGroup(join(dir, 'volume'), 4321, 'Always');
  expect(await groupAndMode('volume')).toEqual([4321, '2775']);
  expect(await groupAndMode('volume/sub')).toEqual([4321, '2775']);
  expect(await groupAndMode('volume/sub/file')).toEqual([4321, '660']);
  expect((await lstat(join(dir, 'volume/link'))).gid).toBe(4321);
  expect(await groupAndMode('outside')).toEqual([(await stat(dir)).gid, '600']);
});

test('OnRootMismatch looks at the root only', async () => {
  await giveToGroup(join(dir, 'volume'), 4321, 'OnRootMismatch');
  await chmod(join(dir, 'volume/sub/file'), 0o600);
  await giveToGroup(join(dir, 'volume'), 4321, 'OnRootMismatch');
  expect(await groupAndMode('volume/sub/file')).toEqual([4321, '600']);
  await giveToGroup(join(dir, 'volume'), 4321, undefined);
  expect(await groupAndMode('volume/sub/file')).toEqual([4321, '660']);
});
