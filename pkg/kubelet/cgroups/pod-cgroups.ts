import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PodSpec as ApiPodSpec } from '../../api/generated/types.ts';
import { podQOS } from '../../api/kinds/pod-qos.ts';
import type { Clock } from '../../base/clock.ts';
import { errnoCode } from '../../base/errors.ts';
import { CPU_PERIOD_US, cpuQuota, cpuShares, kernelPageSize, podAmount } from '../container/resources.ts';
import { exclusiveCPUs } from '../topology/exclusive-request.ts';
import type { Pod } from '../types.ts';

/** Controllers that pods' cgroups are configured in (v1: one hierarchy each). */
const V2_CONTROLLERS = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids'];

export interface PodCgroupsOptions {
  /** Where the cgroup file systems are: /sys/fs/cgroup. */
  readonly mount: string;
  readonly version: 1 | 2;
  readonly enabled: boolean;
  /** `/` or `/some/group`. */
  readonly root: string;
  readonly allocatable: PodLimits;
  /** Absent: as many processes as the node has. */
  readonly podPidsLimit?: number;
  /** Containers may have CPUs to themselves: their pods have no quota then. */
  readonly exclusiveCPUs: boolean;
  /** Page size (`2Mi`) -> bytes in huge pages that pods may have, of sizes that cgroups limit. */
  readonly hugepages: ReadonlyMap<string, number>;
}

export interface PodLimits {
  readonly milliCPU: number;
  readonly memoryBytes: number;
}

interface Settings {
  readonly shares: number;
  readonly quotaUs?: number;
  readonly memoryBytes?: number;
  readonly pids?: number;
  /** By page size (`2Mi`); of other sizes there is no limit. */
  readonly hugepages?: ReadonlyMap<string, number>;
}

/**
 * The cgroup tree of the node by cgroupfs: ROOT/kubepods for what may be used, below it one group each for Burstable and
 * BestEffort, and in those (Guaranteed: directly in kubepods) one per pod. The runtime makes containers' groups in the pod's.
 */
export class PodCgroups {
  readonly #options: PodCgroupsOptions;
  readonly #clock: Clock;
  readonly #pods = new Map<string, string>();
  /** What burstable pods request, by uid. */
  readonly #burstableMilliCPU = new Map<string, number>();
  #burstableShares = cpuShares(0);

  constructor(options: PodCgroupsOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  get kubepods(): string {
    return join('/', this.#options.root, 'kubepods');
  }

  /** Makes the tree above the pods. */
  async prepare(): Promise<void> {
    if (!this.#options.enabled) return;
    const { milliCPU, memoryBytes } = this.#options.allocatable;
    await this.#apply(this.kubepods, {
      shares: cpuShares(milliCPU),
      ...(memoryBytes > 0 ? { memoryBytes } : {}),
      hugepages: this.#options.hugepages,
    });
    for (const qos of ['burstable', 'besteffort'])
      await this.#apply(join(this.kubepods, qos), { shares: cpuShares(0) });
  }

  /** The paths of the cgroups above the pods', the one that all are in first. */
  groups(): string[] {
    return this.#options.enabled ? ['', 'burstable', 'besteffort'].map((qos) => join(this.kubepods, qos)) : [];
  }

  /** The pod's cgroup path, as the runtime wants it. */
  path(pod: Pod): string {
    if (!this.#options.enabled) return '';
    const qos = podQOS(pod.spec as ApiPodSpec).toLowerCase();
    return join(this.kubepods, qos === 'guaranteed' ? '' : qos, `pod${pod.metadata.uid}`);
  }

  async create(pod: Pod): Promise<void> {
    if (!this.#options.enabled) return;
    const path = this.path(pod);
    this.#pods.set(pod.metadata.uid, path);
    const { containers, initContainers = [] } = pod.spec;
    const limited = (resource: string): boolean =>
      pod.spec.resources?.limits?.[resource] !== undefined ||
      [...containers, ...initContainers].every((container) => container.resources?.limits?.[resource] !== undefined);
    const exclusive =
      this.#options.exclusiveCPUs && [...containers, ...initContainers].some((one) => exclusiveCPUs(pod, one) > 0);
    const quotaUs = limited('cpu') && !exclusive ? cpuQuota(podAmount(pod, 'limits', 'cpu')) : undefined;
    const memoryBytes = limited('memory') ? podAmount(pod, 'limits', 'memory') : undefined;
    const milliCPU = podAmount(pod, 'requests', 'cpu');
    if (podQOS(pod.spec as ApiPodSpec) === 'Burstable') this.#burstableMilliCPU.set(pod.metadata.uid, milliCPU);
    await this.#shareWithBurstable();
    const { podPidsLimit: pids } = this.#options;
    await this.#apply(path, {
      shares: cpuShares(milliCPU),
      ...(quotaUs ? { quotaUs } : {}),
      ...(memoryBytes ? { memoryBytes } : {}),
      ...(pids === undefined ? {} : { pids }),
      hugepages: this.#hugepages(pod),
    });
  }

  #hugepages(pod: Pod): Map<string, number> {
    const sizes = [...this.#options.hugepages.keys()];
    return new Map(sizes.map((size) => [size, podAmount(pod, 'limits', `hugepages-${size}`)]));
  }

  /** Ends every process of the pod at once, whatever the runtime knows of them. */
  async kill(pod: Pod): Promise<void> {
    if (!this.#options.enabled) return;
    const { version, mount } = this.#options;
    for (const pid of await processesBelow(join(mount, version === 2 ? '' : 'memory', this.path(pod)))) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if (errnoCode(error) !== 'ESRCH') throw error;
      }
    }
  }

  /** Removes the cgroup of a pod and whatever is left in it; nothing must run there any more. */
  async remove(uid: string): Promise<void> {
    const known = this.#pods.get(uid);
    const places = ['', 'burstable', 'besteffort'].map((qos) => join(this.kubepods, qos, `pod${uid}`));
    for (const path of known === undefined ? places : [known]) {
      for (const hierarchy of await this.#hierarchies()) await removeTree(join(hierarchy, path), this.#clock);
    }
    this.#pods.delete(uid);
    if (this.#burstableMilliCPU.delete(uid)) await this.#shareWithBurstable();
  }

  /** Burstable pods have a group in common: beside Guaranteed ones it weighs what they request together. */
  async #shareWithBurstable(): Promise<void> {
    const requests = [...this.#burstableMilliCPU.values()];
    const shares = cpuShares(requests.reduce((sum, milliCPU) => sum + milliCPU, 0));
    if (shares === this.#burstableShares) return;
    this.#burstableShares = shares;
    await this.#apply(join(this.kubepods, 'burstable'), { shares });
  }

  /** Removes the whole tree, and the root it was made in when that is empty then. */
  async removeAll(): Promise<void> {
    const { root } = this.#options;
    for (const hierarchy of await this.#hierarchies()) {
      await removeTree(join(hierarchy, this.kubepods), this.#clock);
      if (root !== '/' && root !== '') await rmdir(join(hierarchy, root)).catch(() => {});
    }
  }

  /** The uids of the pods that have a cgroup. */
  async list(): Promise<Set<string>> {
    const uids = new Set<string>();
    for (const hierarchy of await this.#hierarchies()) {
      for (const qos of ['', 'burstable', 'besteffort']) {
        for (const name of await directories(join(hierarchy, this.kubepods, qos))) {
          if (name.startsWith('pod')) uids.add(name.slice('pod'.length));
        }
      }
    }
    return uids;
  }

  async #hierarchies(): Promise<string[]> {
    if (!this.#options.enabled) return [];
    const { version, mount } = this.#options;
    if (version === 2) return [mount];
    // Names like `cpu,cpuacct` and links to them both appear; removing twice does no harm.
    return (await readdir(mount)).map((name) => join(mount, name));
  }

  async #apply(path: string, settings: Settings): Promise<void> {
    const { version, mount } = this.#options;
    const pages = [...(settings.hugepages ?? [])];
    if (version === 2) {
      const dir = await makeV2(mount, path);
      await set(dir, 'cpu.weight', String(weightOf(settings.shares)));
      if (settings.quotaUs !== undefined) await set(dir, 'cpu.max', `${settings.quotaUs} ${CPU_PERIOD_US}`);
      if (settings.memoryBytes !== undefined) await set(dir, 'memory.max', String(settings.memoryBytes));
      if (settings.pids !== undefined) await set(dir, 'pids.max', String(settings.pids));
      for (const [size, bytes] of pages) await set(dir, `hugetlb.${kernelPageSize(size)}.max`, String(bytes));
      return;
    }
    const dir = (controller: string): string => join(mount, controller, path);
    const controllers = ['cpu', 'memory', 'pids', ...(pages.length === 0 ? [] : ['hugetlb'])];
    for (const controller of controllers) await mkdir(dir(controller), { recursive: true });
    await set(dir('cpu'), 'cpu.shares', String(settings.shares));
    if (settings.quotaUs !== undefined) {
      await set(dir('cpu'), 'cpu.cfs_period_us', String(CPU_PERIOD_US));
      await set(dir('cpu'), 'cpu.cfs_quota_us', String(settings.quotaUs));
    }
    if (settings.memoryBytes !== undefined)
      await set(dir('memory'), 'memory.limit_in_bytes', String(settings.memoryBytes));
    if (settings.pids !== undefined) await set(dir('pids'), 'pids.max', String(settings.pids));
    for (const [size, bytes] of pages) {
      await set(dir('hugetlb'), `hugetlb.${kernelPageSize(size)}.limit_in_bytes`, String(bytes));
    }
  }
}

/** cgroup v2's weight of a v1 share, as runc converts it. */
export function weightOf(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262_142);
}

/** Makes a v2 group with every controller that its parents can hand down. */
async function makeV2(mount: string, path: string): Promise<string> {
  let current = mount;
  for (const part of path.split('/').filter((name) => name !== '')) {
    const available = (await readFile(join(current, 'cgroup.controllers'), 'utf8')).trim().split(' ');
    const wanted = V2_CONTROLLERS.filter((controller) => available.includes(controller));
    await set(current, 'cgroup.subtree_control', wanted.map((controller) => `+${controller}`).join(' '));
    current = join(current, part);
    await mkdir(current, { recursive: true });
  }
  return current;
}

/** Some kernels lack single files (no CFS bandwidth, no swap accounting): what is not there cannot be set. */
async function set(dir: string, file: string, value: string): Promise<void> {
  try {
    await writeFile(join(dir, file), value);
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT' && errnoCode(error) !== 'EACCES') throw error;
  }
}

async function directories(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

async function processesBelow(path: string): Promise<number[]> {
  const own = await readFile(join(path, 'cgroup.procs'), 'utf8').catch(() => '');
  const below = await Promise.all((await directories(path)).map((name) => processesBelow(join(path, name))));
  const pids = own.split('\n').filter((line) => line !== '');
  return [...pids.map(Number), ...below.flat()];
}

const REMOVE_TRIES = 20;

async function removeTree(path: string, clock: Clock): Promise<void> {
  for (const name of await directories(path)) await removeTree(join(path, name), clock);
  for (let tries = 0; tries < REMOVE_TRIES; tries++) {
    try {
      await rmdir(path);
      return;
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') return;
      // The kernel needs a moment to let go of the last process.
      await clock.sleep(25);
    }
  }
}
