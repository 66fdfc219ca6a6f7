import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { KubeletContext } from '../context.ts';
import type { PodManager } from '../pod/pod-manager.ts';
import { LogRotation, surplus } from './rotate.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rotate-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** Looks at a log of `size` bytes once; what is there afterwards. */
async function look(size: number, reopenContainerLog: (path: string) => Promise<void>): Promise<string[]> {
  const clock = new FakeClock();
  const logPath = join(dir, '0.log');
  await writeFile(logPath, 'x'.repeat(size));
  const done = Promise.withResolvers<void>();
  const runtime = {
    reopenContainerLog: () => reopenContainerLog(logPath).finally(() => setImmediate(() => done.resolve())),
  };
  const context = {
    options: { maxLogSizeBytes: 10, maxLogFiles: 2 },
    deps: { clock, logger: silentLogger, cri: { runtime } },
  } as unknown as KubeletContext;
  const pods = { runningContainers: () => [{ id: 'c', logPath }] } as unknown as PodManager;
  const stop = new AbortController();
  const running = new LogRotation(context, pods).run(stop.signal, () => {});
  await clock.advance(10_000);
  if (size > 10) await done.promise;
  stop.abort();
  await running;
  return (await readdir(dir)).sort();
}

test('a log that is too large is moved away, and the runtime opens a new one', async () => {
  const files = await look(11, (path) => writeFile(path, 'new'));
  expect(files).toEqual(['0.log', expect.stringMatching(/^0\.log\.\d{8}-\d{6}$/)]);
  expect(await readFile(join(dir, '0.log'), 'utf8')).toBe('new');
});

test('a log stays in its place when the runtime opens no new one', async () => {
  expect(await look(11, () => Promise.reject(new Error('the container is not running')))).toEqual(['0.log']);
  expect(await readFile(join(dir, '0.log'), 'utf8')).toHaveLength(11);
});

test('a log that is not too large is left alone', async () => {
  expect(await look(10, () => Promise.resolve())).toEqual(['0.log']);
});

test('the oldest beyond the limit are surplus', () => {
  const names = [
    '0.log',
    '0.log.20260101-000000',
    '0.log.20260103-000000',
    '0.log.20260102-000000',
    '1.log.20250101-000000',
  ];
  expect(surplus('0.log', names, 3)).toEqual(['0.log.20260101-000000']);
});
