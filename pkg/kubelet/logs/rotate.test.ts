import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { KubeletContext } from '../context.ts';
import type { PodManager } from '../pod/pod-manager.ts';
import { LogRotation, type RotationPlan, removeLogs, rotationPlan } from './rotate.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rotate-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** Looks at a log of `size` bytes (undefined: there is none) once; what is there afterwards. */
async function look(
  size: number | undefined,
  reopenContainerLog: (path: string) => Promise<void>,
  maxLogFiles = 2,
): Promise<string[]> {
  const clock = new FakeClock();
  const logPath = join(dir, '0.log');
  if (size !== undefined) await writeFile(logPath, 'x'.repeat(size));
  const done = Promise.withResolvers<void>();
  const runtime = {
    reopenContainerLog: () => reopenContainerLog(logPath).finally(() => setImmediate(() => done.resolve())),
  };
  const context = {
    options: { maxLogSizeBytes: 11, maxLogFiles },
    deps: { clock, logger: silentLogger, cri: { runtime } },
  } as unknown as KubeletContext;
  const pods = { runningContainers: () => [{ id: 'c', logPath }] } as unknown as PodManager;
  const stop = new AbortController();
  const running = new LogRotation(context, pods).run(stop.signal, () => {});
  await clock.advance(10_000);
  if (size !== 10) await done.promise;
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

test('a log that somebody took away is opened anew', async () => {
  expect(await look(undefined, (path) => writeFile(path, 'new'))).toEqual(['0.log']);
});

test('what was put aside before is compressed, and can be read', async () => {
  await writeFile(join(dir, '0.log.20200101-000000'), 'long ago');
  const files = await look(11, (path) => writeFile(path, 'new'), 3);
  expect(files).toEqual(['0.log', '0.log.20200101-000000.gz', expect.stringMatching(/^0\.log\.\d{8}-\d{6}$/)]);
  expect(gunzipSync(await readFile(join(dir, '0.log.20200101-000000.gz'))).toString()).toBe('long ago');
});

const aside = (day: number, suffix = ''): string => `0.log.2026010${day}-000000${suffix}`;

test.each<[string, string[], number, RotationPlan]>([
  ['nothing but the log', ['0.log'], 5, { remove: [], compress: [] }],
  ['one was put aside', ['0.log', aside(1)], 5, { remove: [], compress: [aside(1)] }],
  [
    'the oldest are too many',
    [aside(2), aside(1), aside(3)],
    4,
    { remove: [aside(1)], compress: [aside(2), aside(3)] },
  ],
  ['compressed ones count', [aside(1, '.gz'), aside(2)], 3, { remove: [aside(1, '.gz')], compress: [aside(2)] }],
  ['two files are the least', [aside(1)], 1, { remove: [aside(1)], compress: [] }],
  ['compressed already', [aside(1), aside(1, '.gz')], 5, { remove: [aside(1)], compress: [] }],
  ['cut off', [aside(1), aside(1, '.tmp')], 5, { remove: [aside(1, '.tmp')], compress: [aside(1)] }],
  ['other runs', ['10.log.20260101-000000', '1.log'], 2, { remove: [], compress: [] }],
])('before the next rotation: %s', (_, names, maxFiles, plan) => {
  expect(rotationPlan('0.log', names, maxFiles)).toEqual(plan);
});

test('a run goes with everything that was put aside of it', async () => {
  for (const name of ['0.log', aside(1), aside(2, '.gz'), '1.log', '10.log']) await writeFile(join(dir, name), '');
  await removeLogs(join(dir, '0.log'));
  expect((await readdir(dir)).sort()).toEqual(['1.log', '10.log']);
});
