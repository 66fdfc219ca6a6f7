import type {
  CapacityRequirements,
  DeviceRequest,
  DeviceSelector,
  DeviceToleration,
} from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';

/** One way to satisfy a request: the request itself, or one of its subrequests. */
export interface WantedDevices {
  /** `request`, or `request/subrequest`: how results and configurations name it. */
  readonly ref: string;
  /** Without the request's for a subrequest. */
  readonly name: string;
  readonly deviceClassName: string;
  readonly isAll: boolean;
  /** Of `ExactCount`. */
  readonly count: number;
  readonly adminAccess: boolean;
  readonly selectors: readonly DeepReadonly<DeviceSelector>[];
  readonly tolerations: readonly DeepReadonly<DeviceToleration>[] | undefined;
  readonly capacity: DeepReadonly<CapacityRequirements> | undefined;
}

/** The ways to satisfy a request, the best one first; empty for a kind of request that is not known. */
export function alternativesOf(request: DeepReadonly<DeviceRequest>): readonly WantedDevices[] {
  if (request.exactly !== undefined) return [wanted(request.name, request.name, request.exactly)];
  return (request.firstAvailable ?? []).map((sub) => wanted(`${request.name}/${sub.name}`, sub.name, sub));
}

function wanted(
  ref: string,
  name: string,
  from: DeepReadonly<Omit<NonNullable<DeviceRequest['exactly']>, 'name'>>,
): WantedDevices {
  return {
    ref,
    name,
    deviceClassName: from.deviceClassName,
    isAll: from.allocationMode === 'All',
    count: from.count ?? 1,
    adminAccess: from.adminAccess ?? false,
    selectors: from.selectors ?? [],
    tolerations: from.tolerations,
    capacity: from.capacity,
  };
}
