import type { Endpoint, Node } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { quantityMilliValue } from '../../api/quantity.ts';
import type { ReadService } from '../service-pods.ts';
import type { ReadSlice, SliceContent, SlicePlan } from '../slice-plan.ts';

type ReadNode = DeepReadonly<Node>;
type ReadEndpoint = DeepReadonly<Endpoint>;

/** How many endpoints a zone is to have hints for. */
interface Allocation {
  readonly minimum: number;
  readonly maximum: number;
  readonly desired: number;
}

/** A plan with hints, or one that takes them away and why. */
export interface HintedPlan {
  readonly plan: SlicePlan;
  readonly problem?: string;
}

/** By how much an endpoint may get more than its share. */
const OVERLOAD = 0.2;
const MODE = ['service.kubernetes.io/topology-aware-hints', 'service.kubernetes.io/topology-mode'];
const CONTROL_PLANE = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];
const INSUFFICIENT_NODES = 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes';

/** Whether a Service asks for hints by the share that each zone has of the cluster's processors. */
export function wantsTopologyHints({ metadata }: ReadService): boolean {
  const mode = MODE.map((name) => metadata.annotations?.[name]).find((value) => value !== undefined);
  return mode === 'Auto' || mode === 'auto';
}

/** What of a node counts for the shares; undefined: it does not count. */
export function capacityOf({ metadata, status }: ReadNode): { zone: string; milliCPU: number } | undefined {
  if (CONTROL_PLANE.some((label) => metadata.labels?.[label] !== undefined)) return undefined;
  if (status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True') return undefined;
  const zone = metadata.labels?.['topology.kubernetes.io/zone'] ?? '';
  return { zone, milliCPU: quantityMilliValue(status.allocatable?.['cpu'] ?? 0) };
}

/** Each zone's share of the processors of the nodes that are ready; undefined: not all say what they have, or all are in one zone. */
export function zoneShares(nodes: Iterable<ReadNode>): ReadonlyMap<string, number> | undefined {
  const byZone = new Map<string, number>();
  let total = 0;
  for (const node of nodes) {
    const capacity = capacityOf(node);
    if (capacity === undefined) continue;
    const { zone, milliCPU } = capacity;
    if (zone === '' || milliCPU === 0) return undefined;
    byZone.set(zone, (byZone.get(zone) ?? 0) + milliCPU);
    total += milliCPU;
  }
  if (byZone.size < 2) return undefined;
  return new Map([...byZone].sort(([a], [b]) => (a < b ? -1 : 1)).map(([zone, milliCPU]) => [zone, milliCPU / total]));
}

/**
 * Gives the endpoints of a plan hints, so that each zone has about its share of them: those of its own first, and of others
 * what it lacks. `unchanged`: the slices that the plan leaves as they are, whose hints stay while they fit.
 */
export function withTopologyHints(
  plan: SlicePlan,
  unchanged: readonly ReadSlice[],
  shares: ReadonlyMap<string, number> | undefined,
): HintedPlan {
  const contents = [...plan.create, ...plan.update.map(({ content }) => content), ...unchanged.map(contentOf)];
  const ready = contents.flatMap(({ endpoints }) => endpoints.filter(isReady));
  const allocations = allocate(shares, ready.length);
  if (typeof allocations === 'string') return { plan: withoutHints(plan, unchanged), problem: allocations };
  const given = new Map<string, number>();
  const update = [...plan.update];
  for (const slice of unchanged) {
    const hints = fittingHints(slice, given, allocations);
    if (hints === undefined) update.push({ slice, content: contentOf(slice) });
    else for (const [zone, count] of hints) add(given, zone, count);
  }
  const open = [...plan.create, ...update.map(({ content }) => content)].flatMap(({ endpoints }) =>
    endpoints.filter(isReady),
  );
  if (open.some(({ zone }) => zone === undefined || zone === ''))
    return { plan: withoutHints(plan, unchanged), problem: 'One or more endpoints do not have a zone specified' };
  const zones = new Map<ReadEndpoint, string>(open.map((endpoint) => [endpoint, endpoint.zone ?? '']));
  for (const zone of zones.values()) add(given, zone, 1);
  redistribute(zones, moves(allocations, given));
  const hinted = ({ ports, endpoints }: SliceContent): SliceContent => ({
    ports,
    endpoints: endpoints.map((endpoint) => {
      const zone = zones.get(endpoint);
      return zone === undefined ? bare(endpoint) : { ...endpoint, hints: { forZones: [{ name: zone }] } };
    }),
  });
  return {
    plan: {
      create: plan.create.map(hinted),
      update: update.map(({ slice, content }) => ({ slice, content: hinted(content) })),
      delete: plan.delete,
    },
  };
}

/** Takes all hints of this kind away. */
export function withoutHints(plan: SlicePlan, unchanged: readonly ReadSlice[]): SlicePlan {
  const stripped = unchanged
    .filter(({ endpoints }) => endpoints?.some(({ hints }) => hints !== undefined))
    .map((slice) => ({ slice, content: { ports: slice.ports ?? [], endpoints: (slice.endpoints ?? []).map(bare) } }));
  return { ...plan, update: [...plan.update, ...stripped] };
}

function allocate(
  shares: ReadonlyMap<string, number> | undefined,
  endpoints: number,
): Map<string, Allocation> | string {
  if (shares === undefined) return INSUFFICIENT_NODES;
  const counts = `(${endpoints} endpoints, ${shares.size} zones)`;
  if (shares.size > endpoints) return `Insufficient number of endpoints ${counts}`;
  const wanted = [...shares].map(([zone, share]) => {
    const desired = share * endpoints;
    const minimum = Math.ceil(desired / (1 + OVERLOAD));
    return { zone, minimum, desired: Math.max(desired, minimum) };
  });
  const spare = endpoints - wanted.reduce((sum, { minimum }) => sum + minimum, 0);
  if (spare < 0)
    return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counts}`;
  return new Map(wanted.map(({ zone, minimum, desired }) => [zone, { minimum, desired, maximum: minimum + spare }]));
}

/** The hints of a slice by zone; undefined: some are missing, or do not fit any more. */
function fittingHints(
  { endpoints }: ReadSlice,
  given: ReadonlyMap<string, number>,
  allocations: ReadonlyMap<string, Allocation>,
): ReadonlyMap<string, number> | undefined {
  const found = new Map<string, number>();
  for (const endpoint of (endpoints ?? []).filter(isReady)) {
    const zones = endpoint.hints?.forZones ?? [];
    if (zones.length === 0) return undefined;
    for (const { name } of zones) add(found, name, 1);
  }
  for (const [zone, count] of found)
    if (count + (given.get(zone) ?? 0) > (allocations.get(zone)?.maximum ?? 0)) return undefined;
  return found;
}

/** How many endpoints each zone gives away and takes: whole ones, from who has most to who lacks most. */
function moves(
  allocations: ReadonlyMap<string, Allocation>,
  given: ReadonlyMap<string, number>,
): { readonly giving: Map<string, number>; readonly taking: Map<string, number> } {
  const surplus = new Map<string, number>();
  const lack = new Map<string, number>();
  for (const [zone, { desired }] of allocations) {
    const difference = (given.get(zone) ?? 0) - desired;
    if (difference > 0) surplus.set(zone, difference);
    else if (difference < 0) lack.set(zone, -difference);
  }
  const giving = new Map<string, number>();
  const taking = new Map<string, number>();
  for (;;) {
    const [from, most] = largest(surplus);
    const [to, least] = largest(lack);
    if (from === '' || to === '' || most < 0.5 || least < 0.5 || (most < 1 && least < 1)) return { giving, taking };
    add(giving, from, 1);
    add(surplus, from, -1);
    add(taking, to, 1);
    add(lack, to, -1);
  }
}

function redistribute(
  zones: Map<ReadEndpoint, string>,
  { giving, taking }: { readonly giving: Map<string, number>; readonly taking: Map<string, number> },
): void {
  for (const [endpoint, zone] of zones) {
    const [to] = [...taking].find(([, count]) => count > 0) ?? [];
    if (to === undefined) return;
    if ((giving.get(zone) ?? 0) <= 0) continue;
    zones.set(endpoint, to);
    add(giving, zone, -1);
    add(taking, to, -1);
  }
}

function largest(counts: ReadonlyMap<string, number>): [zone: string, count: number] {
  let best: [string, number] = ['', 0];
  for (const entry of counts) if (entry[1] > best[1]) best = entry;
  return best;
}

function add(counts: Map<string, number>, zone: string, count: number): void {
  counts.set(zone, (counts.get(zone) ?? 0) + count);
}

function contentOf({ ports, endpoints }: ReadSlice): SliceContent {
  return { ports: ports ?? [], endpoints: endpoints ?? [] };
}

function isReady({ conditions }: ReadEndpoint): boolean {
  return conditions?.ready === true;
}

function bare({ hints: _, ...endpoint }: ReadEndpoint): ReadEndpoint {
  return endpoint;
}
