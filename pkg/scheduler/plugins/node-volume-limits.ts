import { quantityValue } from '../../api/quantity.ts';
import type { PluginHandle, SchedulerInformers } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Rejection, SchedulerPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { classOf } from './volume-claims.ts';

const NAME = 'NodeVolumeLimits';
const REJECTED: Rejection = { plugin: NAME, reasons: ['node(s) exceed max volume count'], resolvable: true };

/** Volumes of CSI drivers by an identity that two pods share when they share the volume -> driver. */
type Volumes = Map<string, string>;

/** A node attaches no more volumes of a CSI driver than its CSINode says. */
export function nodeVolumeLimits({ informers }: PluginHandle): SchedulerPlugin {
  return {
    name: NAME,
    preFilter: (_state, pod) => (pod.claims.length === 0 ? { skip: true } : undefined),
    filter(_state, pod, node) {
      const limits = limitsOf(node, informers);
      if (limits.size === 0) return undefined;
      const wanted = volumesOf(pod, informers);
      if (![...wanted.values()].some((driver) => limits.has(driver))) return undefined;
      const attached = attachedTo(node, informers);
      const counts = new Map<string, number>();
      for (const driver of attached.values()) counts.set(driver, (counts.get(driver) ?? 0) + 1);
      for (const [volume, driver] of wanted) {
        if (attached.has(volume)) continue;
        const count = (counts.get(driver) ?? 0) + 1;
        counts.set(driver, count);
        if (count > (limits.get(driver) ?? Number.POSITIVE_INFINITY)) return REJECTED;
      }
      return undefined;
    },
    mayHelp(event, pod) {
      if (event.resource === 'AssignedPod') return event.action === 'Delete' && event.pod.claims.length > 0;
      if (event.resource === 'PersistentVolumeClaim') return event.action !== 'Delete' && pod.claims.length > 0;
      return event.resource === 'CSINode' || event.resource === 'VolumeAttachment' || event.resource === 'Node';
    },
  };
}

function limitsOf(node: NodeInfo, { csiNodes }: SchedulerInformers): Map<string, number> {
  const limits = new Map<string, number>();
  for (const { name, allocatable } of csiNodes.lister.get(node.name)?.spec.drivers ?? []) {
    if (allocatable?.count !== undefined) limits.set(name, quantityValue(allocatable.count));
  }
  return limits;
}

function volumesOf({ claims }: PodInfo, informers: SchedulerInformers): Volumes {
  const found: Volumes = new Map();
  for (const key of claims) {
    const claim = informers.claims.lister.get(key);
    if (claim === undefined) continue;
    const volume = informers.volumes.lister.get(claim.spec.volumeName ?? '');
    if (volume?.spec.csi !== undefined) {
      const { driver, volumeHandle } = volume.spec.csi;
      found.set(`${driver}/${volumeHandle}`, driver);
    } else if (volume === undefined) {
      // Not there yet: the provisioner of its class will make it.
      const driver = classOf(claim, informers)?.provisioner;
      if (driver !== undefined) found.set(`${driver}/${key}`, driver);
    }
  }
  return found;
}

function attachedTo(node: NodeInfo, informers: SchedulerInformers): Volumes {
  const attached: Volumes = new Map();
  for (const other of node.pods.values()) {
    for (const [volume, driver] of volumesOf(other, informers)) attached.set(volume, driver);
  }
  for (const { spec } of informers.volumeAttachments.lister.list()) {
    if (spec.nodeName !== node.name) continue;
    const csi = informers.volumes.lister.get(spec.source.persistentVolumeName ?? '')?.spec.csi;
    if (csi !== undefined) attached.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
  }
  return attached;
}
