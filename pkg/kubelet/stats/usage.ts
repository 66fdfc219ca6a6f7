import type { FilesystemUsage } from '../../cri/index.ts';
import type { KubeletContext } from '../context.ts';
import { NODE_LABEL } from '../labels.ts';
import type { PodManager } from '../pod/pod-manager.ts';
import type { RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Container, Pod } from '../types.ts';
import { specContainers } from '../types.ts';
import { type CgroupUsage, cgroupUsage, processOf } from './cgroup-usage.ts';
import { type InterfaceUsage, networkUsage } from './network-usage.ts';

export interface ContainerUsage {
  readonly container: RuntimeContainer;
  readonly spec: Partial<Container>;
  /** Of its cgroup, which it is named by in metrics. */
  readonly path: string;
  readonly used: CgroupUsage;
}

export interface PodUsage {
  readonly pod: Pod;
  readonly path: string;
  /** Absent: pods have no cgroups of their own here. */
  readonly used?: CgroupUsage;
  /** The interfaces of its network; none for pods in the node's. */
  readonly interfaces: readonly InterfaceUsage[];
  /** Those that run and were measured. */
  readonly containers: readonly ContainerUsage[];
}

/** What the pods that run use now. Ended containers, and those that end meanwhile, are left out. */
export async function podsUsage(context: KubeletContext, pods: PodManager): Promise<PodUsage[]> {
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
      const used = await cgroupUsage(version, own);
      if (used === undefined) continue;
      containers.push({ container, spec: (specs.get(container.name) ?? {}) as Partial<Container>, path: own, used });
    }
    const used = path === '' ? undefined : await cgroupUsage(version, path);
    const [first] = containers;
    const pid = first === undefined || pod.spec.hostNetwork === true ? undefined : await processOf(version, first.path);
    const interfaces = pid === undefined ? [] : await networkUsage(pid);
    found.push({ pod, path, interfaces, containers, ...(used === undefined ? {} : { used }) });
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
