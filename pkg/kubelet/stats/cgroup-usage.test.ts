import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cgroupUsage, processOf } from './cgroup-usage.ts';
import { writeCgroupFiles } from './testing/cgroup-files.ts';

let mount: string;
beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), 'cgroup-'));
});
afterEach(() => rm(mount, { recursive: true }));

const write = (files: Readonly<Record<string, string>>): Promise<void> => writeCgroupFiles(mount, files);

test('version 1', async () => {
  await write({
    'cpuacct/p/cpuacct.usage': '5000',
    'cpuacct/p/cpuacct.stat': 'user 3\nsystem 2',
    'cpu/p/cpu.stat': 'nr_periods 10\nnr_throttled 4\nthrottled_time 77',
    'memory/p/memory.usage_in_bytes': '1000',
    'memory/p/memory.stat': 'cache 1\ntotal_cache 300\ntotal_rss 400\ntotal_inactive_file 250',
    'memory/p/memory.limit_in_bytes': '9223372036854771712',
    'memory/p/cgroup.procs': '42\n43',
    'pids/p/pids.current': '2',
  });
  expect(await cgroupUsage(1, '/p', mount)).toMatchObject({
    cpu: { usageNanos: 5000, userNanos: 30_000_000, periods: 10, throttledPeriods: 4, throttledNanos: 77 },
    memory: { usageBytes: 1000, workingSetBytes: 750, rssBytes: 400, cacheBytes: 300 },
    threads: 2,
  });
  expect((await cgroupUsage(1, '/p', mount))?.memory).not.toHaveProperty('limitBytes');
  expect(await processOf(1, '/p', mount)).toBe(42);
});

test('version 2', async () => {
  await write({
    'p/cpu.stat': 'usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 1\nnr_throttled 0\nthrottled_usec 9',
    'p/memory.current': '100',
    'p/memory.stat': 'anon 40\nfile 60\ninactive_file 200',
    'p/memory.max': '4096',
    'p/cgroup.procs': '',
  });
  expect(await cgroupUsage(2, 'p', mount)).toMatchObject({
    cpu: { usageNanos: 5000, userNanos: 3000, systemNanos: 2000, throttledNanos: 9000 },
    memory: { usageBytes: 100, workingSetBytes: 0, rssBytes: 40, limitBytes: 4096 },
  });
  expect(await processOf(2, 'p', mount)).toBeUndefined();
});

test('a cgroup that is not there has no usage', async () => {
  expect(await cgroupUsage(1, '/gone', mount)).toBeUndefined();
  expect(await cgroupUsage(2, '/gone', mount)).toBeUndefined();
});
