import type { Device, DeviceAttribute, DeviceConstraint } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';

type ReadDevice = DeepReadonly<Device>;

/** A rule on the devices of a claim. Once it refuses a device, more devices do not change its mind. */
export interface Constraint {
  /** Takes a device in, or says that it does not go with those that are in. `request` is `name` or `name/subrequest`. */
  add(request: string, driver: string, device: ReadDevice): boolean;
  /** The device that was taken in last. */
  remove(request: string): void;
}

/** The rule of a claim's constraint; undefined for a kind that is not known. */
export function constraintOf(constraint: DeepReadonly<DeviceConstraint>): Constraint | undefined {
  const { matchAttribute, distinctAttribute, requests = [] } = constraint;
  const concerns = (request: string): boolean =>
    requests.length === 0 || requests.includes(request) || requests.includes(request.split('/', 1)[0] ?? '');
  if (matchAttribute !== undefined) {
    return new AttributeConstraint(
      matchAttribute,
      concerns,
      (value, values) => values.length === 0 || values[0] === value,
    );
  }
  if (distinctAttribute !== undefined) {
    return new AttributeConstraint(distinctAttribute, concerns, (value, values) => !values.includes(value));
  }
  return undefined;
}

class AttributeConstraint implements Constraint {
  readonly #attribute: string;
  readonly #concerns: (request: string) => boolean;
  readonly #allows: (value: string, values: readonly string[]) => boolean;
  /** Of the devices that are in, in the order in which they came. */
  readonly #values: string[] = [];

  constructor(
    attribute: string,
    concerns: (request: string) => boolean,
    allows: (value: string, values: readonly string[]) => boolean,
  ) {
    this.#attribute = attribute;
    this.#concerns = concerns;
    this.#allows = allows;
  }

  add(request: string, driver: string, device: ReadDevice): boolean {
    if (!this.#concerns(request)) return true;
    const value = typedValue(attributeOf(this.#attribute, driver, device));
    if (value === undefined || !this.#allows(value, this.#values)) return false;
    this.#values.push(value);
    return true;
  }

  remove(request: string): void {
    if (this.#concerns(request)) this.#values.pop();
  }
}

/** An attribute by its full name; the driver's own may be written without their domain. */
function attributeOf(
  name: string,
  driver: string,
  { attributes = {} }: ReadDevice,
): DeepReadonly<DeviceAttribute> | undefined {
  const full = attributes[name];
  if (full !== undefined) return full;
  const slash = name.indexOf('/');
  return slash >= 0 && name.slice(0, slash) === driver ? attributes[name.slice(slash + 1)] : undefined;
}

/** Equal for equal values of one type. */
function typedValue(attribute: DeepReadonly<DeviceAttribute> | undefined): string | undefined {
  const { string, int, bool, version } = attribute ?? {};
  for (const [type, value] of Object.entries({ string, int, bool, version })) {
    if (value !== undefined) return `${type}:${value}`;
  }
  return undefined;
}
