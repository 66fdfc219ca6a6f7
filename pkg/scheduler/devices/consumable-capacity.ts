import type { CapacityRequirements, Device, DeviceCapacity } from '../../api/generated/types.ts';
import { formatQuantity, parseQuantity, type Quantity, quantityOf } from '../../api/quantity.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Amounts } from './allocated-devices.ts';

type ReadCapacity = DeepReadonly<DeviceCapacity>;
type Requirements = DeepReadonly<CapacityRequirements> | undefined;

/** What a request takes of each capacity of a device, or undefined when the device cannot give that much any more. */
export function consumption(
  device: DeepReadonly<Device>,
  requirements: Requirements,
  taken: readonly (Amounts | undefined)[],
): ReadonlyMap<string, Quantity> | undefined {
  const capacities = device.capacity ?? {};
  const requests = requirements?.requests ?? {};
  if (Object.keys(requests).some((name) => capacities[name] === undefined)) return undefined;
  const consumed = new Map<string, Quantity>();
  for (const [name, capacity] of Object.entries(capacities)) {
    const amount = amountOf(requests[name], capacity);
    if (breaksPolicy(amount, capacity)) return undefined;
    const used = taken.reduce((sum, amounts) => sum + (amounts?.get(name) ?? 0n), amount.nano);
    if (used > parseQuantity(capacity.value).nano) return undefined;
    consumed.set(name, amount);
  }
  return consumed;
}

/** As `consumedCapacity` of an allocation has it. */
export function formatConsumption(consumed: ReadonlyMap<string, Quantity>): Record<string, string> {
  return Object.fromEntries([...consumed].map(([name, amount]) => [name, formatQuantity(amount)]));
}

/** What is asked for, rounded up to what the policy allows; without a wish the default, or all of it. */
function amountOf(requested: string | undefined, { value, requestPolicy }: ReadCapacity): Quantity {
  if (requested === undefined) return parseQuantity(requestPolicy?.default ?? value);
  const wanted = parseQuantity(requested);
  const { validRange, validValues } = requestPolicy ?? {};
  if (validRange !== undefined) {
    const min = parseQuantity(validRange.min);
    if (wanted.nano < min.nano) return min;
    if (validRange.step === undefined) return wanted;
    const [start, step, amount] = [unitsOf(min), unitsOf(parseQuantity(validRange.step)), unitsOf(wanted)];
    return quantityOf(start + ((amount - start + step - 1n) / step) * step, 'BinarySI');
  }
  return validValues?.map(parseQuantity).find(({ nano }) => wanted.nano <= nano) ?? wanted;
}

function breaksPolicy({ nano }: Quantity, { requestPolicy }: ReadCapacity): boolean {
  const { default: preset, validRange, validValues = [] } = requestPolicy ?? {};
  if (preset !== undefined && parseQuantity(preset).nano === nano) return false;
  if (validRange !== undefined) {
    if (validRange.max !== undefined && nano > parseQuantity(validRange.max).nano) return true;
    if (validRange.step === undefined) return false;
    const above = unitsOf({ nano, format: 'BinarySI' }) - unitsOf(parseQuantity(validRange.min));
    return above % unitsOf(parseQuantity(validRange.step)) !== 0n;
  }
  return validValues.length > 0 && !validValues.some((value) => parseQuantity(value).nano === nano);
}

/** In whole units, rounded up. */
function unitsOf({ nano }: Quantity): bigint {
  return (nano + 999_999_999n) / 1_000_000_000n;
}
