import type {
  AllocationResult,
  DeviceClass,
  DeviceRequestAllocationResult,
  ResourceResourceClaim,
  ResourceSlice,
} from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';

export type Claim = DeepReadonly<ResourceResourceClaim>;
export type Slice = DeepReadonly<ResourceSlice>;
export type ReadClass = DeepReadonly<DeviceClass>;
export type Allocation = DeepReadonly<AllocationResult>;
export type AllocatedDevice = DeepReadonly<DeviceRequestAllocationResult>;

/** `driver/pool/device`, as upstream prints it. Pools may contain slashes; drivers and devices do not. */
export function deviceID(driver: string, pool: string, device: string): string {
  return `${driver}/${pool}/${device}`;
}

/** `driver/pool`. */
export function poolID({ spec }: Slice): string {
  return `${spec.driver}/${spec.pool.name}`;
}

/** `namespace/name`, as upstream's messages have it. */
export function nameOf({ metadata }: Claim): string {
  return `${metadata.namespace}/${metadata.name}`;
}
