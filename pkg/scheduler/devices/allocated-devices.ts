import { parseQuantity } from '../../api/quantity.ts';
import { type AllocatedDevice, deviceID } from './device-id.ts';

/** Amounts of capacities by their names, in billionths. */
export type Amounts = ReadonlyMap<string, bigint>;

/**
 * Which devices are given away, and how much of those that several claims share. Kept up to date claim by claim, so that a
 * scheduling cycle need not look at claims. Access for administrators takes nothing. Upstream: AllocatedState.
 */
export class AllocatedDevices {
  /** Claims that have a device for themselves. */
  readonly #exclusive = new Map<string, number>();
  readonly #shared = new Map<string, { shares: number; readonly consumed: Map<string, bigint> }>();

  add(devices: readonly AllocatedDevice[]): void {
    for (const device of devices) this.#count(device, 1);
  }

  remove(devices: readonly AllocatedDevice[]): void {
    for (const device of devices) this.#count(device, -1);
  }

  /** Whether a claim has the device for itself. */
  isTaken(id: string): boolean {
    return this.#exclusive.has(id);
  }

  /** Whether any claim has the device or a share of it. */
  isUsed(id: string): boolean {
    return this.#exclusive.has(id) || this.#shared.has(id);
  }

  /** What is consumed of a shared device. */
  consumed(id: string): Amounts | undefined {
    return this.#shared.get(id)?.consumed;
  }

  #count(allocated: AllocatedDevice, sign: 1 | -1): void {
    if (allocated.adminAccess) return;
    const id = deviceID(allocated.driver, allocated.pool, allocated.device);
    if (allocated.shareID === undefined) {
      const count = (this.#exclusive.get(id) ?? 0) + sign;
      if (count > 0) this.#exclusive.set(id, count);
      else this.#exclusive.delete(id);
      return;
    }
    const shared = this.#shared.get(id) ?? { shares: 0, consumed: new Map<string, bigint>() };
    shared.shares += sign;
    for (const [name, amount] of Object.entries(allocated.consumedCapacity ?? {})) {
      const { nano } = parseQuantity(amount);
      shared.consumed.set(name, (shared.consumed.get(name) ?? 0n) + (sign === 1 ? nano : -nano));
    }
    if (shared.shares > 0) this.#shared.set(id, shared);
    else this.#shared.delete(id);
  }
}
