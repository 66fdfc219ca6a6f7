import { readFile, stat, statfs } from 'node:fs/promises';
import { arch, cpus, totalmem } from 'node:os';
import { hasCapability } from '../../cri/index.ts';
import { readHugepages } from '../topology/machine-layout.ts';

/** Facts about the machine that do not change while it runs. */
export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly machineID: string;
  readonly systemUUID: string;
  readonly bootID: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly architecture: string;
  /** Page size (`2Mi`) -> bytes reserved in pages of that size. */
  readonly hugepages: ReadonlyMap<string, number>;
  /** The lowest oom_score_adj that may be given to a container here. */
  readonly minOOMScoreAdj: number;
  readonly cgroupVersion: 1 | 2;
  /** Sizes of huge pages that cgroups of this machine limit. */
  readonly limitedPageSizes: readonly string[];
}

const CAP_SYS_RESOURCE = 24n;
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ia32: '386' };

/** `dir`: a directory on the file system whose size is the node's ephemeral storage. */
export async function readMachine(dir: string): Promise<Machine> {
  const read = (path: string): Promise<string> =>
    readFile(path, 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
  const [machineID, productUUID, bootID, kernelVersion, release, status, ownScore, hugepages, controllers, disk] =
    await Promise.all([
      read('/etc/machine-id'),
      read('/sys/class/dmi/id/product_uuid'),
      read('/proc/sys/kernel/random/boot_id'),
      read('/proc/sys/kernel/osrelease'),
      read('/etc/os-release'),
      read('/proc/self/status'),
      read('/proc/self/oom_score_adj'),
      readHugepages('/sys/kernel/mm/hugepages'),
      read('/sys/fs/cgroup/cgroup.controllers'),
      statfs(dir),
    ]);
  const cgroupVersion = controllers === '' ? 1 : 2;
  const limitsPages =
    cgroupVersion === 1 ? await isDirectory('/sys/fs/cgroup/hugetlb') : /\bhugetlb\b/.test(controllers);
  return {
    cpus: cpus().length,
    memoryBytes: totalmem(),
    diskBytes: disk.blocks * disk.bsize,
    machineID,
    systemUUID: productUUID || machineID,
    bootID,
    kernelVersion,
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release)?.[1] ?? 'Linux',
    architecture: ARCHITECTURES[arch()] ?? arch(),
    hugepages,
    minOOMScoreAdj: hasCapability(status, CAP_SYS_RESOURCE) ? -1000 : Number(ownScore || 0),
    cgroupVersion,
    limitedPageSizes: limitsPages ? [...hugepages.keys()] : [],
  };
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}
