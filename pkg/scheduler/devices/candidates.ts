import type { Device } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { deviceID, type Slice } from './device-id.ts';
import type { Pool } from './pools.ts';

/** A device that may be given away. */
export interface Candidate {
  /** `driver/pool/device`. */
  readonly id: string;
  readonly device: DeepReadonly<Device>;
  readonly slice: Slice;
  readonly pool: Pool;
}

/** The devices of a pool that the node may use, in the order in which they are given away. */
export function candidatesOf(pool: Pool): readonly Candidate[] {
  return pool.slices.flatMap((slice) =>
    (slice.spec.devices ?? []).map((device) => ({
      id: deviceID(slice.spec.driver, slice.spec.pool.name, device.name),
      device,
      slice,
      pool,
    })),
  );
}
