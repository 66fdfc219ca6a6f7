import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockDirectory } from './lock-directory.ts';

test('a directory is of one process at a time', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lock-'));
  const path = join(directory, 'deep/lock');
  const release = await lockDirectory(path);
  await expect(lockDirectory(path)).rejects.toMatchObject({ code: 'LOCKED' });
  await release();
  await (await lockDirectory(path))();
  await rm(directory, { recursive: true });
});
