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

export interface ContainerUsage {
  readonly container: RuntimeContainer;
  readonly spec: Partial<Container>;
  /** Of its cgroup, which it is named by in metrics. */
  readonly path: string;
  readonly used: CgroupUsage;
  /** Where they were asked for. */
  readonly details?: CgroupDetails;
}

export interface PodUsage {
  readonly pod: Pod;
  readonly path: string;
  /** Absent: pods have no cgroups of their own here. */
  readonly used?: CgroupUsage;
  readonly details?: CgroupDetails;
  /** The interfaces of its network; none for pods in the node's. */
  readonly interfaces: readonly InterfaceUsage[];
  /** Those that run and were measured. */
  readonly containers: readonly ContainerUsage[];
}

/** What the pods that run use now. Ended containers, and those that end meanwhile, are left out. `detailed`: with the details. */
export async function podsUsage(context: KubeletContext, pods: PodManager, detailed = false): Promise<PodUsage[]> {
  const version = context.machine.cgroupVersion;
  const details = async (path: string): Promise<{ details?: CgroupDetails }> =>
    detailed ? { details: await cgroupDetails(version, path) } : {};
  const found: PodUsage[] = [];
  for (const { pod, runtime } of pods.workers()) {
    const running = runtime.containers.filter(({ state }) => state === 'running');
    if (running.length === 0) continue;
    const path = context.cgroups.path(pod);
    const specs = new Map(specContainers(pod.spec).map(({ container }) => [container.name, container]));
    const containers: ContainerUsage[] = [];
    for (const container of running) {
      const own = `${path}/${container.id}`;
      const used = await cgroupUsage(version, own);
      if (used === undefined) continue;
      const spec = (specs.get(container.name) ?? {}) as Partial<Container>;
      containers.push({ container, spec, path: own, used, ...(await details(own)) });
    }
    const used = path === '' ? undefined : await cgroupUsage(version, path);
    const [first] = containers;
    const pid = first === undefined || pod.spec.hostNetwork === true ? undefined : await processOf(version, first.path);
    const interfaces = pid === undefined ? [] : await networkUsage(pid);
    found.push({
      pod,
      path,
      interfaces,
      containers,
      ...(used === undefined ? {} : { used, ...(await details(path)) }),
    });
  }
  return found;
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
export interface GroupUsage {
  readonly path: string;
  readonly used: CgroupUsage;
  readonly details: CgroupDetails;
}

/** What all pods use together, then those of each class of service that has a cgroup of its own. */
export async function groupUsages({ machine, cgroups }: KubeletContext): Promise<GroupUsage[]> {
  const found: GroupUsage[] = [];
  for (const path of cgroups.groups()) {
    const used = await cgroupUsage(machine.cgroupVersion, path);
    if (used !== undefined) found.push({ path, used, details: await cgroupDetails(machine.cgroupVersion, path) });
  }
  return found;
}
