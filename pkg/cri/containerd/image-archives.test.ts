import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import type { Exec } from '../../base/exec.ts';
import { silentLogger } from '../../base/logger.ts';
import { FakeRuntime } from '../testing/fake-runtime.ts';
import { ImageArchives } from './image-archives.ts';

const signal = new AbortController().signal;
const NAME = 'docker.io/library/a:1';
let dir: string;
let stop: AbortController;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'image-archives-'));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await rm(dir, { recursive: true });
});

test('what was loaded and is gone is loaded again when it is asked for, and an archive that is broken is left out', async () => {
  for (const name of ['a.tar', 'broken.tar', 'notes.txt']) await writeFile(join(dir, name), name);
  const runtime = new FakeRuntime();
  const imports: string[] = [];
  const exec: Exec = {
    async run(_, args) {
      const path = args.at(-1) ?? '';
      imports.push(path.slice(dir.length + 1));
      if (path.endsWith('broken.tar')) return { code: 1, stdout: '', stderr: 'unexpected EOF' };
      runtime.present.add(NAME);
      return { code: 0, stdout: `unpacking ${NAME} (sha256:0)...done\n`, stderr: '' };
    },
  };
  const archives = new ImageArchives(
    {
      socketPath: '/s',
      ctrPath: 'ctr',
      directories: [dir, join(dir, 'missing')],
      recordPath: join(dir, 'record.json'),
    },
    { exec, clock: new FakeClock(), logger: silentLogger, images: runtime.images },
  );
  const ready = Promise.withResolvers<void>();
  const running = archives.run(stop.signal, ready.resolve);
  await ready.promise;
  expect(imports.splice(0)).toEqual(['a.tar', 'broken.tar']);

  runtime.present.clear();
  expect(await archives.restore('docker.io/library/b:1', signal)).toBe(false);
  expect(await Promise.all([archives.restore(NAME, signal), archives.restore(NAME, signal)])).toEqual([true, true]);
  expect(imports.splice(0)).toEqual(['a.tar']);
  expect([...runtime.present]).toEqual([NAME]);

  await archives.load(stop.signal);
  expect(imports.splice(0)).toEqual(['broken.tar']);
  stop.abort();
  await running;
});
