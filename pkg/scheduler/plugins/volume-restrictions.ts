import type { Volume } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { PluginHandle } from '../framework/handle.ts';
import type { Rejection, SchedulerPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';

const NAME = 'VolumeRestrictions';
const DISK_CONFLICT: Rejection = { plugin: NAME, reasons: ['node(s) had no available disk'], resolvable: true };
const CLAIM_CONFLICT: Rejection = {
  plugin: NAME,
  reasons: ['node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'],
  resolvable: true,
};

class State {
  /** The pod's ReadWriteOncePod claims. */
  readonly claims: ReadonlySet<string>;
  /** How many uses of them there are anywhere. */
  conflicts: number;

  constructor(claims: ReadonlySet<string>, conflicts: number) {
    this.claims = claims;
    this.conflicts = conflicts;
  }

  clone(): State {
    return new State(this.claims, this.conflicts);
  }

  change({ claims }: PodInfo, amount: 1 | -1): void {
    for (const claim of claims) if (this.claims.has(claim)) this.conflicts += amount;
  }
}

/** Disks that only one pod can use: ReadWriteOncePod claims anywhere, old in-tree disks on the node. */
export function volumeRestrictions({ cluster, informers }: PluginHandle): SchedulerPlugin {
  return {
    name: NAME,
    preFilter(state, pod) {
      const claims = new Set<string>();
      let conflicts = 0;
      for (const { persistentVolumeClaim } of pod.pod.spec.volumes ?? []) {
        // Generic ephemeral volumes are of this pod alone.
        if (persistentVolumeClaim === undefined) continue;
        const { claimName } = persistentVolumeClaim;
        const key = `${pod.pod.metadata.namespace}/${claimName}`;
        const claim = informers.claims.lister.get(key);
        if (claim === undefined) {
          return { plugin: NAME, reasons: [`persistentvolumeclaim "${claimName}" not found`], resolvable: false };
        }
        if (!claim.spec.accessModes?.includes('ReadWriteOncePod')) continue;
        claims.add(key);
        conflicts += cluster.claimUsers(key)?.size ?? 0;
      }
      state.write(NAME, new State(claims, conflicts));
      return { skip: claims.size === 0 && diskVolumes(pod).length === 0 };
    },
    addPod: (state, _pod, other) => state.read<State>(NAME)?.change(other, 1),
    removePod: (state, _pod, other) => state.read<State>(NAME)?.change(other, -1),
    filter(state, pod, node) {
      const disks = diskVolumes(pod);
      if (disks.length > 0) {
        for (const other of node.pods.values()) {
          if (diskVolumes(other).some((used) => disks.some((disk) => conflict(disk, used)))) return DISK_CONFLICT;
        }
      }
      return (state.read<State>(NAME)?.conflicts ?? 0) > 0 ? CLAIM_CONFLICT : undefined;
    },
    mayHelp(event, pod) {
      if (event.resource === 'AssignedPod') {
        if (event.action !== 'Delete') return false;
        return diskVolumes(event.pod).length > 0 || event.pod.claims.some((claim) => pod.claims.includes(claim));
      }
      if (event.resource === 'PersistentVolumeClaim') {
        const { namespace, name } = event.object.metadata;
        return event.action !== 'Delete' && pod.claims.includes(`${namespace}/${name}`);
      }
      return event.resource === 'Node' && event.action === 'Add';
    },
  };
}

type Disk = DeepReadonly<Volume>;

function diskVolumes({ pod }: PodInfo): Disk[] {
  return (pod.spec.volumes ?? []).filter(
    ({ gcePersistentDisk, awsElasticBlockStore, iscsi, rbd }) =>
      gcePersistentDisk !== undefined || awsElasticBlockStore !== undefined || iscsi !== undefined || rbd !== undefined,
  );
}

/** The same disk, and not read-only on both sides (EBS volumes never twice). */
function conflict(a: Disk, b: Disk): boolean {
  if (a.gcePersistentDisk !== undefined && b.gcePersistentDisk !== undefined) {
    const same = a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName;
    return same && !(a.gcePersistentDisk.readOnly === true && b.gcePersistentDisk.readOnly === true);
  }
  if (a.awsElasticBlockStore !== undefined && b.awsElasticBlockStore !== undefined) {
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID;
  }
  if (a.iscsi !== undefined && b.iscsi !== undefined) {
    return a.iscsi.iqn === b.iscsi.iqn && !(a.iscsi.readOnly === true && b.iscsi.readOnly === true);
  }
  if (a.rbd !== undefined && b.rbd !== undefined) {
    const sharesMonitor = a.rbd.monitors.some((monitor) => b.rbd?.monitors.includes(monitor));
    const same = sharesMonitor && (a.rbd.pool ?? 'rbd') === (b.rbd.pool ?? 'rbd') && a.rbd.image === b.rbd.image;
    return same && !(a.rbd.readOnly === true && b.rbd.readOnly === true);
  }
  return false;
}
