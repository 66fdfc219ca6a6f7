import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cgroupDetails, mergeBlkio, parseIOStat } from './cgroup-details.ts';
import { openFiles } from './open-files.ts';
import { cgroupPressures, parsePressure } from './pressure.ts';
import { writeCgroupFiles } from './testing/cgroup-files.ts';

let mount: string;
beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), 'cgroup-'));
});
afterEach(() => rm(mount, { recursive: true }));

const write = (files: Readonly<Record<string, string>>): Promise<void> => writeCgroupFiles(mount, files);

const pressure = 'some avg10=1.50 avg60=0.25 avg300=0.00 total=1234\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=56';

test('version 1', async () => {
  await write({
    'memory/p/cgroup.procs': String(process.pid),
    'memory/p/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 3',
    'memory/p/memory.kmem.usage_in_bytes': '4096',
    'pids/p/pids.max': 'max',
    'blkio/p/blkio.throttle.io_service_bytes_recursive': '0:0 Read 10\n0:0 Write 20\n0:0 Sync 30\nTotal 30',
    'blkio/p/blkio.throttle.io_serviced_recursive': '0:0 Read 1\n0:0 Write 2\nTotal 3',
  });
  expect(await cgroupDetails(1, '/p', mount)).toEqual({
    processes: 1,
    maxThreads: 0,
    oomKills: 3,
    kernelBytes: 4096,
    devices: [{ device: '0:0', readBytes: 10, reads: 1, writtenBytes: 20, writes: 2 }],
  });
  const { files, sockets } = await openFiles(1, '/p', mount);
  expect(files).toBeGreaterThan(sockets);
  expect(await cgroupPressures(1, '/p', mount)).toBeUndefined();
});

test('version 2', async () => {
  await write({
    'p/cgroup.procs': '',
    'p/memory.events': 'low 0\noom 2\noom_kill 1\noom_group_kill 0',
    'p/memory.stat': 'anon 1\nkernel 8192\nkernel_stack 5',
    'p/pids.max': '64',
    'p/io.stat': '',
    'p/cpu.pressure': pressure,
    'p/memory.pressure': pressure,
    'p/io.pressure': pressure,
  });
  const expected = { processes: 0, maxThreads: 64, oomKills: 1, kernelBytes: 8192, devices: [] };
  expect(await cgroupDetails(2, 'p', mount)).toEqual(expected);
  expect(await openFiles(2, 'p', mount)).toEqual({ files: 0, sockets: 0 });
  expect(await cgroupPressures(2, 'p', mount)).toMatchObject({
    io: { some: { totalMicros: 1234 }, full: { totalMicros: 56 } },
  });
});

test('tables of block devices', () => {
  const usage = { readBytes: 1, reads: 3, writtenBytes: 2, writes: 4 };
  expect(parseIOStat('8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n')).toEqual(new Map([['8:0', usage]]));
  const [bytes, operations] = ['8:0 Read 1\n8:0 Write 2\n8:0 Total 3\n', '8:0 Read 3\n8:0 Write 4\n'];
  expect(mergeBlkio(bytes, operations)).toEqual(new Map([['8:0', usage]]));
});

test('pressure', () => {
  expect(parsePressure(pressure)).toEqual({
    some: { totalMicros: 1234, avg10: 1.5, avg60: 0.25, avg300: 0 },
    full: { totalMicros: 56, avg10: 0, avg60: 0, avg300: 0 },
  });
});
