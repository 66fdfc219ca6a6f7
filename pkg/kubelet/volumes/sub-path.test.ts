import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, realpath, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSubPath, readInside } from './sub-path.ts';

let dir: string;
let volume: string;
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'sub-path-')));
  volume = join(dir, 'volume');
  await mkdir(volume);
  await chmod(volume, 0o2777);
  await mkdir(join(dir, 'outside'));
});
afterEach(() => rm(dir, { recursive: true }));

async function openedPath(volumeDir: string, subPath: string): Promise<string> {
  const handle = await openSubPath(volumeDir, subPath, { make: true });
  try {
    return await realpath(`/proc/self/fd/${handle.fd}`);
  } finally {
    await handle.close();
  }
}

test('makes what is missing and follows links inside the volume', async () => {
  expect(await openedPath(volume, 'a/b')).toBe(join(volume, 'a/b'));
  expect((await stat(join(volume, 'a/b'))).mode).toBe((await stat(volume)).mode);
  await symlink('a', join(volume, 'link'));
  expect(await openedPath(volume, 'link/b')).toBe(join(volume, 'a/b'));
});

test.each(['../outside', '/etc', 'a/../../outside'])('refuses %s', async (subPath) => {
  await expect(openedPath(volume, subPath)).rejects.toThrow('must stay inside the volume');
});

test('refuses links that leave the volume, and makes nothing behind them', async () => {
  await symlink('../outside', join(volume, 'link'));
  await symlink(dir, join(volume, 'absolute'));
  await expect(openedPath(volume, 'link/new')).rejects.toThrow('leaves the volume');
  await expect(openedPath(volume, 'absolute')).rejects.toThrow('leaves the volume');
  await expect(stat(join(dir, 'outside/new'))).rejects.toThrow('ENOENT');
});

test('a link that leads nowhere is not made a directory', async () => {
  await symlink('../outside/new', join(volume, 'link'));
  await expect(openedPath(volume, 'link')).rejects.toThrow('changed while it was opened');
  await expect(stat(join(dir, 'outside/new'))).rejects.toThrow('ENOENT');
});

test('a link that is turned outwards all the time never leads out', async () => {
  await mkdir(join(volume, 'inside/b'), { recursive: true });
  await mkdir(join(dir, 'outside/b'));
  await symlink('inside', join(volume, 'a'));
  let turning = true;
  const turner = (async () => {
    for (let turn = 0; turning; turn++) {
      await symlink(turn % 2 === 0 ? '../outside' : 'inside', join(volume, 'new'));
      await rename(join(volume, 'new'), join(volume, 'a'));
    }
  })();
  const outcomes = new Set<string>();
  for (let tries = 0; tries < 300; tries++) {
    outcomes.add(
      await openedPath(volume, 'a/b').then(
        (path) => path.replace(dir, ''),
        () => 'refused',
      ),
    );
  }
  turning = false;
  await turner;
  expect([...outcomes].sort()).toEqual(['/volume/inside/b', 'refused']);
});

test('reads files inside a volume, and nothing else', async () => {
  await mkdir(join(volume, '..data'));
  await writeFile(join(volume, '..data/file'), 'inside');
  await symlink('..data/file', join(volume, 'file'));
  expect(await readInside(volume, 'file', 6)).toBe('inside');
  await expect(readInside(volume, 'file', 5)).rejects.toThrow('file is larger than 5 bytes');
  await expect(readInside(volume, 'missing/file', 5)).rejects.toThrow('ENOENT');
  await expect(stat(join(volume, 'missing'))).rejects.toThrow('ENOENT');
  await writeFile(join(dir, 'outside/secret'), 'secret');
  await symlink('../outside/secret', join(volume, 'link'));
  await expect(readInside(volume, 'link', 100)).rejects.toThrow('leaves the volume');
  execFileSync('mkfifo', [join(volume, 'pipe')]);
  await expect(readInside(volume, 'pipe', 100)).rejects.toThrow('pipe is not a file');
});
