import type { Device } from '../../api/generated/types.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { AllocatedDevices } from './allocated-devices.ts';
import { deviceID } from './device-id.ts';
import type { Pool } from './pools.ts';

type ReadDevice = DeepReadonly<Device>;

/** What is left of the counters of one pool, which overlapping devices (partitions of one) take from. */
export class PoolCounters {
  /** `set/counter` -> what is left, in billionths; below zero where more is taken than there is. */
  readonly #left = new Map<string, bigint>();

  constructor(pool: Pool, allocated: AllocatedDevices) {
    for (const [set, counters] of pool.counters) {
      for (const [name, { value }] of Object.entries(counters))
        this.#left.set(`${set}/${name}`, parseQuantity(value).nano);
    }
    for (const { spec } of [...pool.slices, ...pool.otherSlices]) {
      for (const device of spec.devices ?? []) {
        if (allocated.isUsed(deviceID(spec.driver, spec.pool.name, device.name))) this.#change(device, -1n);
      }
    }
  }

  /** Takes what a device needs; false (and nothing taken) when there is not enough. */
  take(device: ReadDevice): boolean {
    this.#change(device, -1n);
    const isEnough = [...this.#left.values()].every((left) => left >= 0n);
    if (!isEnough) this.giveBack(device);
    return isEnough;
  }

  giveBack(device: ReadDevice): void {
    this.#change(device, 1n);
  }

  #change({ consumesCounters = [] }: ReadDevice, sign: bigint): void {
    for (const { counterSet, counters } of consumesCounters) {
      for (const [name, { value }] of Object.entries(counters)) {
        const key = `${counterSet}/${name}`;
        this.#left.set(key, (this.#left.get(key) ?? 0n) + sign * parseQuantity(value).nano);
      }
    }
  }
}
