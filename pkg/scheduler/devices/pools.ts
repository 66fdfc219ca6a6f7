import type { Device, NodeSelector } from '../../api/generated/types.ts';
import { matchesNodeSelector, type SelectableNode } from '../../api/scheduling/node-selector.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { poolID, type Slice } from './device-id.ts';
import type { SliceIndex } from './slice-index.ts';

/** The devices of one driver that are managed together, as far as one node may use them. */
export interface Pool {
  /** `driver/pool`. */
  readonly id: string;
  /** Slices of its newest generation are missing: nothing of it can be given away. */
  readonly isIncomplete: boolean;
  /** Its slices contradict each other. */
  readonly isInvalid: boolean;
  /** By name. */
  readonly slices: readonly Slice[];
  /** Slices of devices that the node cannot use; they use up the same counters. */
  readonly otherSlices: readonly Slice[];
  /** Counter set -> counter -> amount. */
  readonly counters: ReadonlyMap<string, Readonly<Record<string, { readonly value: string }>>>;
}

interface NodeSelection {
  readonly nodeName?: string | undefined;
  readonly allNodes?: boolean | undefined;
  readonly nodeSelector?: DeepReadonly<NodeSelector> | undefined;
}

/** Whether a slice or a device is for a node. */
export function isForNode({ nodeName, allNodes, nodeSelector }: NodeSelection, node: SelectableNode): boolean {
  if (nodeName) return nodeName === node.name;
  if (allNodes) return true;
  return nodeSelector !== undefined && matchesNodeSelector(nodeSelector, node);
}

/**
 * The pools that a node may use, in the order in which devices are taken from them: by driver and pool, those with devices
 * that are bound late (binding conditions) last. Out-dated slices are left out. Upstream: GatherPools.
 */
export function gatherPools(node: SelectableNode, index: SliceIndex): readonly Pool[] {
  const found: Pool[] = [];
  for (const [id, slices] of newestByPool(index.forNode(node.name).filter((slice) => isRelevant(slice, node)))) {
    const pool = poolOf(id, slices, index);
    if (pool !== undefined) found.push(pool);
  }
  return found.sort((a, b) => Number(isBoundLate(a)) - Number(isBoundLate(b)) || comparePools(a, b));
}

function isRelevant(slice: Slice, node: SelectableNode): boolean {
  const { spec } = slice;
  if ((spec.sharedCounters ?? []).length > 0) return true;
  if (!spec.perDeviceNodeSelection) return isForNode(spec, node);
  return (spec.devices ?? []).some((device) => isForNode(device, node));
}

/** Of each pool the slices of the newest generation. */
function newestByPool(slices: readonly Slice[]): ReadonlyMap<string, readonly Slice[]> {
  const pools = new Map<string, Slice[]>();
  for (const slice of slices) {
    const id = poolID(slice);
    const known = pools.get(id);
    const difference = slice.spec.pool.generation - (known?.[0]?.spec.pool.generation ?? slice.spec.pool.generation);
    if (known === undefined || difference > 0) pools.set(id, [slice]);
    else if (difference === 0) known.push(slice);
  }
  return pools;
}

/** Undefined: there is a newer generation that has nothing for the node. */
function poolOf(id: string, slices: readonly Slice[], index: SliceIndex): Pool | undefined {
  const [first] = slices;
  if (first === undefined) return undefined;
  const { generation, resourceSliceCount } = first.spec.pool;
  const nothing = { id, slices: [], otherSlices: [], counters: new Map() };
  let others: readonly Slice[] = [];
  if (slices.length !== resourceSliceCount) {
    const all = index.ofPool(id);
    if (all.some(({ spec }) => spec.pool.generation > generation)) return undefined;
    const current = all.filter(({ spec }) => spec.pool.generation === generation);
    if (current.length !== resourceSliceCount) return { ...nothing, isIncomplete: true, isInvalid: false };
    const names = new Set(slices.map(({ metadata }) => metadata.name));
    others = current.filter(({ metadata }) => !names.has(metadata.name));
  }
  const sorted = slices.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const withDevices = sorted.filter(({ spec }) => (spec.sharedCounters ?? []).length === 0);
  const counters = countersOf(sorted);
  if (
    counters === undefined ||
    !hasDistinctNames(withDevices) ||
    ![...sorted, ...others].every((slice) => usesKnownCounters(slice, counters))
  ) {
    return { ...nothing, isIncomplete: false, isInvalid: true };
  }
  return { id, isIncomplete: false, isInvalid: false, slices: withDevices, otherSlices: others, counters };
}

/** Undefined: two sets have one name. */
function countersOf(slices: readonly Slice[]): Pool['counters'] | undefined {
  const sets = new Map<string, Readonly<Record<string, { readonly value: string }>>>();
  for (const { name, counters } of slices.flatMap(({ spec }) => spec.sharedCounters ?? [])) {
    if (sets.has(name)) return undefined;
    sets.set(name, counters);
  }
  return sets;
}

function hasDistinctNames(slices: readonly Slice[]): boolean {
  const devices = slices.flatMap(({ spec }) => spec.devices ?? []);
  return new Set(devices.map(({ name }) => name)).size === devices.length;
}

function usesKnownCounters({ spec }: Slice, counters: Pool['counters']): boolean {
  return (spec.devices ?? []).every((device: DeepReadonly<Device>) =>
    (device.consumesCounters ?? []).every((used) => {
      const known = counters.get(used.counterSet);
      return known !== undefined && Object.keys(used.counters).every((name) => known[name] !== undefined);
    }),
  );
}

function isBoundLate({ slices }: Pool): boolean {
  return slices.some(({ spec }) =>
    (spec.devices ?? []).some(({ bindingConditions }) => bindingConditions !== undefined),
  );
}

/** The driver has no slash, so that ids order as driver, then pool. */
function comparePools(a: Pool, b: Pool): number {
  const [left, right] = [a.id.split('/', 1)[0] ?? '', b.id.split('/', 1)[0] ?? ''];
  if (left !== right) return left < right ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
