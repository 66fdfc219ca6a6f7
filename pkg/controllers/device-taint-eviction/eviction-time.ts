import type {
  DeviceRequestAllocationResult,
  DeviceTaint,
  ResourceResourceClaim,
  ResourceSlice,
} from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { toleratesDeviceTaint } from '../../api/scheduling/device-tolerations.ts';
import { parseTime } from '../../api/time.ts';

type Result = DeepReadonly<DeviceRequestAllocationResult>;
export type ReadClaim = DeepReadonly<ResourceResourceClaim>;
export type ReadSlice = DeepReadonly<ResourceSlice>;

/** `driver/pool`. */
export function poolsOf({ status }: ReadClaim): readonly string[] {
  const results = status?.allocation?.devices?.results ?? [];
  return [...new Set(results.map(({ driver, pool }) => `${driver}/${pool}`))];
}

export function poolOf({ spec }: ReadSlice): string {
  return `${spec.driver}/${spec.pool.name}`;
}

/**
 * When the pods of a claim have to go, in milliseconds since 1970: the earliest time at which a NoExecute taint of one of its
 * devices is tolerated no longer; undefined: never. `slices` are those of a pool, of any generation.
 */
export function evictionTime(
  { status }: ReadClaim,
  slices: (pool: string) => readonly ReadSlice[],
): number | undefined {
  let earliest: number | undefined;
  for (const result of status?.allocation?.devices?.results ?? []) {
    for (const taint of taintsOf(result, slices(`${result.driver}/${result.pool}`))) {
      const time = toleratedUntil(result, taint);
      if (time !== undefined && time < (earliest ?? Number.POSITIVE_INFINITY)) earliest = time;
    }
  }
  return earliest;
}

/** Those that evict, by the newest generation of the pool. */
function taintsOf({ device }: Result, slices: readonly ReadSlice[]): readonly DeepReadonly<DeviceTaint>[] {
  const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation));
  const found = slices
    .filter(({ spec }) => spec.pool.generation === newest)
    .flatMap(({ spec }) => spec.devices ?? [])
    .find(({ name }) => name === device);
  return evicting(found?.taints);
}

export function evicting(taints: readonly DeepReadonly<DeviceTaint>[] = []): readonly DeepReadonly<DeviceTaint>[] {
  return taints.filter(({ effect }) => effect === 'NoExecute');
}

/** Undefined: for ever. */
function toleratedUntil({ tolerations = [] }: Result, taint: DeepReadonly<DeviceTaint>): number | undefined {
  if (taint.timeAdded === undefined) return undefined;
  const applying = tolerations.filter(
    (toleration) => toleration.effect === 'NoExecute' && toleratesDeviceTaint(toleration, taint),
  );
  if (applying.some(({ tolerationSeconds }) => tolerationSeconds === undefined)) return undefined;
  const seconds = applying.map(({ tolerationSeconds = 0 }) => Math.max(0, tolerationSeconds));
  return parseTime(taint.timeAdded) + (seconds.length === 0 ? 0 : Math.min(...seconds)) * 1000;
}
