import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';

/** What went from and to one block device. */
export interface DeviceUsage {
  /** `/dev/vda` */
  readonly device: string;
  readonly readBytes: number;
  readonly reads: number;
  readonly writtenBytes: number;
  readonly writes: number;
}

/** What only those who look closely want to know of a cgroup. */
export interface CgroupDetails {
  /** Those in the cgroup itself. */
  readonly processes: number;
  /** 0: as many as there may be. */
  readonly maxThreads: number;
  readonly oomKills: number;
  readonly kernelBytes: number;
  readonly devices: readonly DeviceUsage[];
}

/** What cannot be read is 0. */
export async function cgroupDetails(version: 1 | 2, path: string, mount = MOUNT): Promise<CgroupDetails> {
  const at = (controller: string, file: string): Promise<string> =>
    readFile(join(mount, version === 1 ? controller : '', path, file), 'utf8').catch(() => '');
  const [processes, maxThreads, kernel, oom, io] = await Promise.all([
    at('memory', 'cgroup.procs'),
    at('pids', 'pids.max'),
    version === 1
      ? at('memory', 'memory.kmem.usage_in_bytes')
      : at('', 'memory.stat').then((text) => row(text, 'kernel')),
    at('memory', version === 1 ? 'memory.oom_control' : 'memory.events'),
    version === 1 ? devicesV1(at) : at('', 'io.stat').then(parseIOStat),
  ]);
  return {
    processes: processes.split('\n').filter((line) => line !== '').length,
    maxThreads: Number(maxThreads) || 0,
    oomKills: Number(row(oom, 'oom_kill')),
    kernelBytes: Number(kernel) || 0,
    devices: await named(io),
  };
}

/** The value in a line `NAME VALUE`. */
function row(text: string, name: string): string {
  return new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? '0';
}

type Numbered = ReadonlyMap<string, Omit<DeviceUsage, 'device'>>;

const NOTHING = { readBytes: 0, reads: 0, writtenBytes: 0, writes: 0 };

/** Lines `8:0 rbytes=1 wbytes=2 rios=3 wios=4 ...`, by `MAJOR:MINOR`. Pure. */
export function parseIOStat(text: string): Numbered {
  const devices = new Map<string, Omit<DeviceUsage, 'device'>>();
  for (const line of text.split('\n')) {
    const [number = '', ...fields] = line.split(' ');
    if (fields.length === 0) continue;
    const value = (name: string): number =>
      Number(fields.find((field) => field.startsWith(`${name}=`))?.slice(name.length + 1) ?? 0);
    devices.set(number, {
      readBytes: value('rbytes'),
      reads: value('rios'),
      writtenBytes: value('wbytes'),
      writes: value('wios'),
    });
  }
  return devices;
}

async function devicesV1(at: (controller: string, file: string) => Promise<string>): Promise<Numbered> {
  const [bytes, operations] = await Promise.all([
    at('blkio', 'blkio.throttle.io_service_bytes_recursive'),
    at('blkio', 'blkio.throttle.io_serviced_recursive'),
  ]);
  return mergeBlkio(bytes, operations);
}

/** Lines `8:0 Read 1`, `8:0 Write 2` and others, of bytes and of operations. Pure. */
export function mergeBlkio(bytes: string, operations: string): Numbered {
  const devices = new Map<string, Omit<DeviceUsage, 'device'>>();
  const read = (text: string, names: Readonly<Record<string, keyof typeof NOTHING>>): void => {
    for (const line of text.split('\n')) {
      const [number = '', kind = '', value] = line.split(' ');
      const name = names[kind];
      if (name !== undefined) devices.set(number, { ...(devices.get(number) ?? NOTHING), [name]: Number(value) });
    }
  };
  read(bytes, { Read: 'readBytes', Write: 'writtenBytes' });
  read(operations, { Read: 'reads', Write: 'writes' });
  return devices;
}

async function named(devices: Numbered): Promise<DeviceUsage[]> {
  return Promise.all(
    [...devices].map(async ([number, usage]) => {
      const uevent = await readFile(`/sys/dev/block/${number}/uevent`, 'utf8').catch(() => '');
      const name = /^DEVNAME=(.+)$/m.exec(uevent)?.[1];
      return { device: name === undefined ? number : `/dev/${name}`, ...usage };
    }),
  );
}
