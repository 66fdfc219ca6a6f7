import type { PluginArgs } from '../config/plugin-args.ts';
import type { PluginHandle } from '../framework/handle.ts';
import type { SchedulerPlugin } from '../framework/plugin.ts';
import { defaultBinder } from './default-binder.ts';
import { defaultPreemption } from './default-preemption.ts';
import { dynamicResources } from './dynamic-resources.ts';
import { imageLocality } from './image-locality.ts';
import { interPodAffinity } from './inter-pod-affinity.ts';
import { nodeAffinity } from './node-affinity.ts';
import { nodeDeclaredFeatures } from './node-declared-features.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts';
import { nodeResourcesFit } from './node-resources-fit.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { nodeVolumeLimits } from './node-volume-limits.ts';
import { podTopologySpread } from './pod-topology-spread.ts';
import { prioritySort } from './priority-sort.ts';
import { schedulingGates } from './scheduling-gates.ts';
import { taintToleration } from './taint-toleration.ts';
import { volumeBinding } from './volume-binding.ts';
import { volumeRestrictions } from './volume-restrictions.ts';
import { volumeZone } from './volume-zone.ts';

export interface RegisteredPlugin {
  readonly name: string;
  /** How much its score counts in the default profile. */
  readonly weight: number;
  create(args: PluginArgs, handle: PluginHandle): SchedulerPlugin;
}

/** Every plugin, in the order and with the weights of upstream's default profile; the first filter to refuse gives the reason. */
export const registeredPlugins: readonly RegisteredPlugin[] = [
  { name: 'SchedulingGates', weight: 1, create: () => schedulingGates },
  { name: 'PrioritySort', weight: 1, create: () => prioritySort },
  { name: 'NodeUnschedulable', weight: 1, create: () => nodeUnschedulable },
  { name: 'NodeName', weight: 1, create: () => nodeName },
  { name: 'TaintToleration', weight: 3, create: () => taintToleration },
  { name: 'NodeAffinity', weight: 2, create: (args) => nodeAffinity(args.NodeAffinity) },
  { name: 'NodePorts', weight: 1, create: () => nodePorts },
  { name: 'NodeResourcesFit', weight: 1, create: (args, handle) => nodeResourcesFit(args.NodeResourcesFit, handle) },
  { name: 'VolumeRestrictions', weight: 1, create: (_args, handle) => volumeRestrictions(handle) },
  { name: 'NodeVolumeLimits', weight: 1, create: (_args, handle) => nodeVolumeLimits(handle) },
  { name: 'VolumeBinding', weight: 1, create: (args, handle) => volumeBinding(args.VolumeBinding, handle) },
  { name: 'VolumeZone', weight: 1, create: (_args, handle) => volumeZone(handle) },
  { name: 'PodTopologySpread', weight: 2, create: (args, handle) => podTopologySpread(args.PodTopologySpread, handle) },
  { name: 'InterPodAffinity', weight: 2, create: (args, handle) => interPodAffinity(args.InterPodAffinity, handle) },
  { name: 'DynamicResources', weight: 1, create: (args, handle) => dynamicResources(args.DynamicResources, handle) },
  { name: 'DefaultPreemption', weight: 1, create: (args, handle) => defaultPreemption(args.DefaultPreemption, handle) },
  {
    name: 'NodeResourcesBalancedAllocation',
    weight: 1,
    create: (args) => nodeResourcesBalancedAllocation(args.NodeResourcesBalancedAllocation),
  },
  { name: 'ImageLocality', weight: 1, create: (_args, handle) => imageLocality(handle) },
  { name: 'DefaultBinder', weight: 1, create: (_args, handle) => defaultBinder(handle) },
  { name: 'NodeDeclaredFeatures', weight: 1, create: () => nodeDeclaredFeatures },
];
