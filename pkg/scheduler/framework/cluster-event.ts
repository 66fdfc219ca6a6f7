import type {
  CSINode,
  CSIStorageCapacity,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ResourceResourceClaim,
  StorageClass,
} from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/** What happened in the cluster that may make a pod fit; `old` is there for updates. */
export type ClusterEvent =
  | { readonly resource: 'Node'; readonly action: 'Add'; readonly node: NodeInfo }
  | {
      readonly resource: 'Node';
      readonly action: 'Update';
      readonly node: NodeInfo;
      readonly old: DeepReadonly<Node>;
    }
  | { readonly resource: 'Node'; readonly action: 'Delete'; readonly name: string }
  | { readonly resource: 'AssignedPod'; readonly action: 'Add' | 'Delete'; readonly pod: PodInfo }
  | { readonly resource: 'AssignedPod'; readonly action: 'Update'; readonly pod: PodInfo; readonly old: PodInfo }
  /** The waiting pod itself. */
  | { readonly resource: 'Pod'; readonly action: 'Update'; readonly pod: DeepReadonly<Pod> }
  | { readonly resource: 'Namespace'; readonly action: 'Add' | 'Update' }
  | StorageEvent
  | DeviceEvent;

/** Objects of storage that appeared or changed. */
export type StorageEvent =
  | {
      readonly resource: 'PersistentVolumeClaim';
      readonly action: 'Add' | 'Update' | 'Delete';
      readonly object: DeepReadonly<PersistentVolumeClaim>;
    }
  | {
      readonly resource: 'PersistentVolume';
      readonly action: 'Add' | 'Update' | 'Delete';
      readonly object: DeepReadonly<PersistentVolume>;
    }
  | {
      readonly resource: 'StorageClass';
      readonly action: 'Add' | 'Update';
      readonly object: DeepReadonly<StorageClass>;
    }
  | {
      readonly resource: 'CSINode';
      readonly action: 'Add' | 'Update';
      readonly object: DeepReadonly<CSINode>;
    }
  | {
      readonly resource: 'CSIStorageCapacity';
      readonly action: 'Add' | 'Update';
      readonly object: DeepReadonly<CSIStorageCapacity>;
    }
  | { readonly resource: 'VolumeAttachment'; readonly action: 'Delete' };

/** Devices and claims of them that appeared or changed. */
export type DeviceEvent =
  | {
      readonly resource: 'ResourceClaim';
      readonly action: 'Add' | 'Update';
      readonly object: DeepReadonly<ResourceResourceClaim>;
      readonly old: DeepReadonly<ResourceResourceClaim> | undefined;
    }
  | { readonly resource: 'ResourceSlice' | 'DeviceClass'; readonly action: 'Add' | 'Update' };

/** The event as upstream's metrics name it: `NodeAdd`, `AssignedPodDelete`. */
export function eventLabel({ resource, action }: ClusterEvent): string {
  return `${resource}${action}`;
}
