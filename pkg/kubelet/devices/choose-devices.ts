import { maskOf, type NUMAMask, nodesOf } from '../topology/hints.ts';
import type { KnownDevices } from './device-hints.ts';

export interface DeviceChoice {
  readonly resource: string;
  readonly count: number;
  readonly devices: KnownDevices;
  readonly available: ReadonlySet<string>;
  /** Those that the pod had and may use again: they come first. */
  readonly reusable: ReadonlySet<string>;
  /** The NUMA nodes that were agreed upon. */
  readonly nodes?: NUMAMask;
  /** What the plugin would take of `available`, with `included` among them. */
  readonly preferred: (available: readonly string[], included: readonly string[]) => Promise<readonly string[]>;
}

/** The devices for one container, by upstream's rule. Throws an Error when there are too few. */
export async function chooseDevices(choice: DeviceChoice): Promise<string[]> {
  const { resource, count, available, reusable, nodes } = choice;
  const chosen = new Set<string>();
  const take = (ids: Iterable<string>): boolean => {
    for (const id of ids) if (chosen.size < count) chosen.add(id);
    return chosen.size >= count;
  };
  if (take(reusable)) return [...chosen];
  const needed = count - chosen.size;
  const free = available.difference(reusable);
  if (free.size < needed) {
    throw new Error(
      `requested number of devices unavailable for ${resource}. Requested: ${needed}, Available: ${free.size}`,
    );
  }
  const { aligned, others } = byAffinity(choice.devices, free, nodes);
  const wished = async (from: readonly string[]): Promise<string[]> => {
    const ids = await choice.preferred([...from, ...chosen], [...chosen]);
    return ids.filter((id) => from.includes(id));
  };
  // Where there is a choice within the nodes, it is the plugin's; and so is what has to come from elsewhere.
  if (needed < aligned.length) {
    if (!take(await wished(aligned))) take(aligned);
    return [...chosen];
  }
  if (!take(aligned) && !take(await wished([...aligned, ...others]))) take(others);
  return [...chosen];
}

/** Those on the nodes; and the others, the ones without any node last. */
function byAffinity(
  devices: KnownDevices,
  free: ReadonlySet<string>,
  mask: NUMAMask | undefined,
): { aligned: string[]; others: string[] } {
  const ids = [...free];
  if (mask === undefined) return { aligned: [], others: ids };
  const nodesOfDevice = (id: string): readonly number[] => devices.get(id)?.nodes ?? [];
  const isOn = (id: string, wanted: NUMAMask): boolean => (maskOf(nodesOfDevice(id)) & wanted) !== 0;
  const aligned = ids.filter((id) => isOn(id, mask));
  // What is near to few nodes of the others is of less use to anybody else.
  const onNode = (node: number): number => ids.filter((id) => isOn(id, maskOf([node]))).length;
  const sorted = nodesOf(mask).sort((a, b) => onNode(a) - onNode(b));
  const rank = (id: string): number => sorted.findIndex((node) => nodesOfDevice(id).includes(node));
  aligned.sort((a, b) => rank(a) - rank(b));
  const unaligned = ids.filter((id) => !isOn(id, mask) && nodesOfDevice(id).length > 0);
  return { aligned, others: [...unaligned, ...ids.filter((id) => nodesOfDevice(id).length === 0)] };
}
