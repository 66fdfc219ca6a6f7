import { resources } from '../api/generated/resources.ts';
import type { Node, Pod } from '../api/generated/types.ts';
import { type DeepReadonly, equalJSON } from '../base/json.ts';
import type { Informers } from '../client/index.ts';
import type { ClusterState } from './cluster/cluster-state.ts';
import type { Nominator } from './cluster/nominator.ts';
import type { DeviceState } from './devices/device-state.ts';
import type { ClusterEvent } from './framework/cluster-event.ts';
import type { SchedulerInformers } from './framework/handle.ts';
import { type PodInfo, podInfo } from './framework/pod-info.ts';
import type { SchedulingQueue } from './queue/scheduling-queue.ts';

export interface EventHandlersDeps {
  readonly cluster: ClusterState;
  readonly nominator: Nominator;
  readonly queue: SchedulingQueue;
  readonly devices: DeviceState;
  /** Whether a pod is ours to schedule. */
  readonly isOurs: (pod: DeepReadonly<Pod>) => boolean;
  /** Whether a pod is assumed on a node and being bound to it. */
  readonly isBinding: (uid: string) => boolean;
}

type ReadPod = DeepReadonly<Pod>;
type ReadNode = DeepReadonly<Node>;

/** Keeps the state of the cluster, the nominations and the queue as the API server has it, and wakes pods that may fit now. */
export class EventHandlers {
  readonly #deps: EventHandlersDeps;

  constructor(deps: EventHandlersDeps) {
    this.#deps = deps;
  }

  /** Starts listening; returns the end of it. */
  attach(shared: Informers, others: SchedulerInformers): () => void {
    const { cluster, queue } = this.#deps;
    const move = (event: ClusterEvent): void => queue.moveFor(event);
    const removals = [
      shared.for(resources.nodes).addHandler({
        onAdd: (node) => this.#onNode(node),
        onUpdate: (node, old) => (sameForScheduling(node, old) ? undefined : this.#onNode(node, old)),
        onDelete: (node) => {
          cluster.removeNode(node.metadata.name);
          move({ resource: 'Node', action: 'Delete', name: node.metadata.name });
        },
      }),
      shared.for(resources.pods).addHandler({
        onAdd: (pod) => this.#onPod(pod),
        onUpdate: (pod, old) => this.#onPod(pod, old),
        onDelete: (pod) => this.#onPodGone(pod),
      }),
      others.namespaces.addHandler({
        onUpdate(namespace, old) {
          if (equalJSON(namespace.metadata.labels, old.metadata.labels)) return;
          cluster.podCounts.namespaceChanged();
          move({ resource: 'Namespace', action: 'Update' });
        },
      }),
      ...attachStorage(others, move),
      ...attachDevices(this.#deps.devices, others, move),
    ];
    return () => {
      for (const remove of removals) remove();
    };
  }

  #onNode(node: ReadNode, old?: ReadNode): void {
    const { cluster, queue } = this.#deps;
    const info = cluster.setNode(node);
    queue.moveFor(
      old === undefined
        ? { resource: 'Node', action: 'Add', node: info }
        : { resource: 'Node', action: 'Update', node: info, old },
    );
  }

  #onPod(pod: ReadPod, old?: ReadPod): void {
    const { queue, nominator, isOurs } = this.#deps;
    const { uid } = pod.metadata;
    if (pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') {
      this.#onPodGone(pod);
    } else if (pod.spec.nodeName) {
      queue.remove(uid);
      nominator.remove(uid);
      this.#onAssigned(pod, pod.spec.nodeName, old);
    } else if (isOurs(pod) && pod.metadata.deletionTimestamp === undefined) {
      this.#onWaiting(pod, old);
    } else {
      queue.remove(uid);
      nominator.remove(uid);
    }
  }

  #onAssigned(pod: ReadPod, nodeName: string, old: ReadPod | undefined): void {
    const { cluster, queue } = this.#deps;
    const known = cluster.placedPod(pod.metadata.uid);
    if (known !== undefined && cluster.nodeOf(known.uid) === nodeName && takesTheSamePlace(pod, known.pod)) {
      cluster.refreshPod(pod);
      // Assumed until now.
      if (old !== undefined && !old.spec.nodeName)
        queue.moveFor({ resource: 'AssignedPod', action: 'Add', pod: known });
      return;
    }
    const info = podInfo(pod);
    cluster.placePod(info, nodeName);
    queue.moveFor(
      known === undefined || old === undefined
        ? { resource: 'AssignedPod', action: 'Add', pod: info }
        : { resource: 'AssignedPod', action: 'Update', pod: info, old: known },
    );
  }

  #onWaiting(pod: ReadPod, old: ReadPod | undefined): void {
    const { queue, nominator, isBinding } = this.#deps;
    if (isBinding(pod.metadata.uid)) return;
    const info = podInfo(pod);
    const nominated = pod.status.nominatedNodeName;
    const before = old?.status.nominatedNodeName;
    if (nominated) nominator.add(info, nominated);
    else if (before) nominator.remove(info.uid);
    if (before && before !== nominated) this.#onRoomGivenBack(info);
    // Only a change of what plugins look at can make it fit; our own status write is none.
    const changed = old !== undefined && !sameWish(pod, old);
    queue.add(info, changed ? { resource: 'Pod', action: 'Update', pod } : undefined);
  }

  #onPodGone(pod: ReadPod): void {
    const { cluster, queue, nominator } = this.#deps;
    const { uid } = pod.metadata;
    const wasNominated = nominator.nodeOf(uid) !== undefined;
    queue.remove(uid);
    nominator.remove(uid);
    const known = cluster.placedPod(uid);
    if (known === undefined) {
      if (wasNominated) this.#onRoomGivenBack(podInfo(pod));
      return;
    }
    cluster.removePod(uid);
    queue.moveFor({ resource: 'AssignedPod', action: 'Delete', pod: known });
  }

  /** A nominated pod counts as placed for those that are no more important: to them it is as if it were deleted. */
  #onRoomGivenBack(pod: PodInfo): void {
    this.#deps.queue.moveFor(
      { resource: 'AssignedPod', action: 'Delete', pod },
      ({ priority }) => priority <= pod.priority,
    );
  }
}

function attachStorage(informers: SchedulerInformers, move: (event: ClusterEvent) => void): (() => void)[] {
  return [
    informers.claims.addHandler({
      onAdd: (object) => move({ resource: 'PersistentVolumeClaim', action: 'Add', object }),
      onUpdate: (object) => move({ resource: 'PersistentVolumeClaim', action: 'Update', object }),
      onDelete: (object) => move({ resource: 'PersistentVolumeClaim', action: 'Delete', object }),
    }),
    informers.volumes.addHandler({
      onAdd: (object) => move({ resource: 'PersistentVolume', action: 'Add', object }),
      onUpdate: (object) => move({ resource: 'PersistentVolume', action: 'Update', object }),
    }),
    informers.storageClasses.addHandler({
      onAdd: (object) => move({ resource: 'StorageClass', action: 'Add', object }),
      onUpdate: (object) => move({ resource: 'StorageClass', action: 'Update', object }),
    }),
    informers.csiNodes.addHandler({
      onAdd: (object) => move({ resource: 'CSINode', action: 'Add', object }),
      onUpdate: (object) => move({ resource: 'CSINode', action: 'Update', object }),
    }),
    informers.csiStorageCapacities.addHandler({
      onAdd: (object) => move({ resource: 'CSIStorageCapacity', action: 'Add', object }),
      onUpdate: (object) => move({ resource: 'CSIStorageCapacity', action: 'Update', object }),
    }),
    informers.volumeAttachments.addHandler({
      onDelete: () => move({ resource: 'VolumeAttachment', action: 'Delete' }),
    }),
  ];
}

function attachDevices(
  devices: DeviceState,
  { resourceSlices, deviceClasses }: SchedulerInformers,
  move: (event: ClusterEvent) => void,
): (() => void)[] {
  return [
    devices.follow(),
    devices.claims.addHandler({
      onAdd: (object) => move({ resource: 'ResourceClaim', action: 'Add', object, old: undefined }),
      onUpdate: (object, old) => move({ resource: 'ResourceClaim', action: 'Update', object, old }),
      // Its devices are free.
      onDelete: (old) => move({ resource: 'ResourceClaim', action: 'Update', object: { ...old, status: {} }, old }),
    }),
    resourceSlices.addHandler({
      onAdd: () => move({ resource: 'ResourceSlice', action: 'Add' }),
      onUpdate: () => move({ resource: 'ResourceSlice', action: 'Update' }),
    }),
    deviceClasses.addHandler({
      onAdd: () => move({ resource: 'DeviceClass', action: 'Add' }),
      onUpdate: () => move({ resource: 'DeviceClass', action: 'Update' }),
    }),
  ];
}

/** Heartbeats change a node all the time; only this matters to plugins. */
function sameForScheduling(node: ReadNode, old: ReadNode): boolean {
  return (
    equalJSON(node.spec, old.spec) &&
    equalJSON(node.metadata.labels, old.metadata.labels) &&
    equalJSON(node.status.allocatable, old.status.allocatable) &&
    equalJSON(node.status.images, old.status.images)
  );
}

/** A placed pod whose sums, counts and matches stay as they are: most updates are of its status. */
function takesTheSamePlace(pod: ReadPod, old: ReadPod): boolean {
  const { generation } = pod.metadata;
  const sameSpec =
    generation !== undefined && generation === old.metadata.generation
      ? true
      : equalJSON({ ...pod.spec, nodeName: undefined }, { ...old.spec, nodeName: undefined });
  return (
    sameSpec &&
    (pod.metadata.deletionTimestamp === undefined) === (old.metadata.deletionTimestamp === undefined) &&
    equalJSON(pod.metadata.labels, old.metadata.labels) &&
    sameGivenResources(pod, old)
  );
}

/** What containers have been given: it changes while a pod is resized in place. */
function sameGivenResources({ status }: ReadPod, { status: old }: ReadPod): boolean {
  const given = (of: ReadPod['status']): unknown =>
    of.containerStatuses?.map(({ name, resources, allocatedResources }) => [name, resources, allocatedResources]);
  const resizing = (of: ReadPod['status']): unknown => of.conditions?.find(({ type }) => type === 'PodResizePending');
  return (
    (old.containerStatuses === undefined || equalJSON(given(status), given(old))) &&
    equalJSON(resizing(status), resizing(old))
  );
}

function sameWish(pod: ReadPod, old: ReadPod): boolean {
  return (
    equalJSON(pod.spec, old.spec) &&
    equalJSON(pod.metadata.labels, old.metadata.labels) &&
    equalJSON(pod.status.resourceClaimStatuses, old.status.resourceClaimStatuses)
  );
}
