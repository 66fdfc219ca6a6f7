import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeLocalVolume } from './local-volumes.ts';

test('the volume goes with all that is in it, and nothing else does', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'local-volumes-'));
  try {
    for (const name of ['pvc-1', 'pvc-2']) {
      await mkdir(join(directory, name, 'deep'), { recursive: true });
      await writeFile(join(directory, name, 'deep/file'), 'x');
    }
    await removeLocalVolume(['pvc-1'], directory);
    await removeLocalVolume(['pvc-1'], directory);
    for (const path of [[], [''], ['..'], ['.'], ['pvc-2', 'deep'], ['a/../b'], ['pvc-2/']]) {
      await expect(removeLocalVolume(path, directory)).rejects.toThrow('the name of a volume is expected');
    }
    expect(await readdir(directory)).toEqual(['pvc-2']);
    await expect(removeLocalVolume(['pvc-2'], undefined)).rejects.toThrow('offers no local storage');
  } finally {
    await rm(directory, { recursive: true });
  }
});
