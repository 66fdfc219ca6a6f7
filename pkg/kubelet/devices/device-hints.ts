import { type Hint, maskOf, masksOf, nodeCount } from '../topology/hints.ts';

/** A device as its plugin last told of it. */
export interface KnownDevice {
  readonly healthy: boolean;
  /** The NUMA nodes that it is near to; undefined: none in particular. */
  readonly nodes?: readonly number[];
}

export type KnownDevices = ReadonlyMap<string, KnownDevice>;

export interface DeviceHintInput {
  /** Ids of the machine's NUMA nodes. */
  readonly nodes: readonly number[];
  readonly devices: KnownDevices;
  readonly available: ReadonlySet<string>;
  /** Those that are the pod's already: all of them have to be on the nodes. */
  readonly reusable: ReadonlySet<string>;
  readonly count: number;
}

/**
 * The sets of NUMA nodes that have enough devices; preferred those with no more nodes than would be needed if all devices were
 * free. Undefined: it does not matter, as no device is near to a node. Pure.
 */
export function deviceHints({ nodes, devices, available, reusable, count }: DeviceHintInput): Hint[] | undefined {
  if ([...devices.values()].every((device) => device.nodes === undefined)) return undefined;
  const free = available.difference(reusable);
  if (free.size + reusable.size < count) return [];
  let fewest = nodes.length;
  const masks: number[] = [];
  for (const mask of masksOf(nodes)) {
    const isOn = (id: string): boolean => (maskOf(devices.get(id)?.nodes ?? []) & mask) !== 0;
    const on = (ids: Iterable<string>): number => [...ids].filter(isOn).length;
    if (on(devices.keys()) >= count) fewest = Math.min(fewest, nodeCount(mask));
    const placed = [...reusable].filter((id) => devices.get(id)?.nodes !== undefined);
    if (placed.every(isOn) && placed.length + on(free) >= count) masks.push(mask);
  }
  return masks.map((mask) => ({ nodes: mask, preferred: nodeCount(mask) === fewest }));
}
