import type { FilesystemUsage } from '../../cri/index.ts';
import type { KubeletContext } from '../context.ts';
import { NODE_LABEL } from '../labels.ts';
import type { PodManager } from '../pod/pod-manager.ts';
import type { RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Container, Pod } from '../types.ts';
import { specContainers } from '../types.ts';
import { type CgroupDetails, cgroupDetails } from './cgroup-details.ts';
import { type CgroupUsage, cgroupUsage, processOf } from './cgroup-usage.ts';
import { type InterfaceUsage, networkUsage } from './network-usage.ts';
import { type OpenFiles, openFiles } from './open-files.ts';
import { cgroupPressures, type Pressures } from './pressure.ts';

/** What is asked for of cgroups: the usage alone, with the pressure beside it, or all that is known. */
export type UsageDepth = 'usage' | 'pressures' | 'details';

/** What is known of a cgroup, as far as it was asked for. */
export interface Measured {
  readonly used: CgroupUsage;
  /** Absent: the kernel does not tell. */
  readonly pressures?: Pressures;
  readonly details?: CgroupDetails;
}

export interface ContainerUsage extends Measured {
  readonly container: RuntimeContainer;
  readonly spec: Partial<Container>;
  /** Of its cgroup, which it is named by in metrics. */
  readonly path: string;
  readonly open?: OpenFiles;
}

/** `used` is absent where pods have no cgroups of their own. */
export interface PodUsage extends Partial<Measured> {
  readonly pod: Pod;
  readonly path: string;
  /** The interfaces of its network; none for pods in the node's. */
  readonly interfaces: readonly InterfaceUsage[];
  /** Those that run and were measured. */
  readonly containers: readonly ContainerUsage[];
}

/** What the pods that run use now. Ended containers, and those that end meanwhile, are left out. */
export async function podsUsage(context: KubeletContext, pods: PodManager, depth: UsageDepth): Promise<PodUsage[]> {
  const version = context.machine.cgroupVersion;
  const found: PodUsage[] = [];
  for (const { pod, runtime } of pods.workers()) {
    const running = runtime.containers.filter(({ state }) => state === 'running');
    if (running.length === 0) continue;
    const path = context.cgroups.path(pod);
    const specs = new Map(specContainers(pod.spec).map(({ container }) => [container.name, container]));
    const containers: ContainerUsage[] = [];
    for (const container of running) {
      const own = `${path}/${container.id}`;
      const measured = await measure(version, own, depth);
      if (measured === undefined) continue;
      const spec = (specs.get(container.name) ?? {}) as Partial<Container>;
      const open = depth === 'details' ? { open: await openFiles(version, own) } : {};
      containers.push({ container, spec, path: own, ...measured, ...open });
    }
    const measured = path === '' ? undefined : await measure(version, path, depth);
    const [first] = containers;
    const pid = first === undefined || pod.spec.hostNetwork === true ? undefined : await processOf(version, first.path);
    const interfaces = pid === undefined ? [] : await networkUsage(pid);
    found.push({ pod, path, interfaces, containers, ...measured });
  }
  return found;
}

/** Undefined: there is no such cgroup (any more). */
async function measure(version: 1 | 2, path: string, depth: UsageDepth): Promise<Measured | undefined> {
  const used = await cgroupUsage(version, path);
  if (used === undefined || depth === 'usage') return used && { used };
  const pressures = await cgroupPressures(version, path);
  return {
    used,
    ...(pressures === undefined ? {} : { pressures }),
    ...(depth === 'details' ? { details: await cgroupDetails(version, path) } : {}),
  };
}

/** What the containers wrote beside their volumes, by container id, as far as the runtime tells. */
export async function writableLayers(context: KubeletContext): Promise<ReadonlyMap<string, FilesystemUsage>> {
  const labelSelector = { [NODE_LABEL]: context.options.nodeName };
  const layers = new Map<string, FilesystemUsage>();
  for (const { attributes, writableLayer } of await context.deps.cri.runtime.listContainerStats({ labelSelector })) {
    if (writableLayer !== null) layers.set(attributes.id, writableLayer);
  }
  return layers;
}

/** The cgroups above those of pods. */
export interface GroupUsage extends Measured {
  readonly path: string;
}

/** What all pods use together, then those of each class of service that has a cgroup of its own. */
export async function groupUsages({ machine, cgroups }: KubeletContext, depth: UsageDepth): Promise<GroupUsage[]> {
  const found: GroupUsage[] = [];
  for (const path of cgroups.groups()) {
    const measured = await measure(machine.cgroupVersion, path, depth);
    if (measured !== undefined) found.push({ path, ...measured });
  }
  return found;
}
