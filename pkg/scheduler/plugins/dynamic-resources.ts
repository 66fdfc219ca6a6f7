import { randomUUID } from 'node:crypto';
import type { DeviceSelectors } from '../../api/scheduling/device-selectors.ts';
import { matchesNodeSelector } from '../../api/scheduling/node-selector.ts';
import { describeError } from '../../base/errors.ts';
import { equalJSON } from '../../base/json.ts';
import type { PluginArgs } from '../config/plugin-args.ts';
import { Allocator } from '../devices/allocator.ts';
import type { Allocation, Claim } from '../devices/device-id.ts';
import { alternativesOf } from '../devices/device-request.ts';
import { AllocationError } from '../devices/device-search.ts';
import { type ExtendedClaim, extendedClaim, madeClaim } from '../devices/extended-resources.ts';
import type { ClusterEvent } from '../framework/cluster-event.ts';
import type { PluginHandle } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import {
  normalizeByMaximum,
  type PostFilterResult,
  type Rejection,
  type SchedulerPlugin,
} from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { hasBindingConditions, isOverdue, readinessOf, waitUntilReady } from './binding-conditions.ts';
import { bindClaim, deallocateClaim, unbindClaim } from './claim-binding.ts';
import { createExtendedClaim, deleteExtendedClaim, tellPod } from './extended-claim.ts';
import { claimsOfPod, isReservedFor } from './resource-claims.ts';

const NAME = 'DynamicResources';
/** Upstream's FirstAvailableDeviceRequestMaxSize. */
/** Key of the cycle state: the plugin had its turn before the filters. */
const ASKED = 'DynamicResources/asked';
const MAX_ALTERNATIVES = 8;

interface State {
  /** As they were when the cycle began; then as the API server answered. */
  readonly claims: Claim[];
  /** Those of them that had no devices then. */
  readonly open: readonly Claim[];
  readonly allocator: Allocator;
  /** What the pod wants of extended resources that devices may stand for; empty when none does. */
  readonly extended: readonly (readonly [name: string, amount: number])[];
  /** The claim that was made for them in an attempt that failed. */
  readonly leftOver: Claim | undefined;
  /** The one that this attempt has made. */
  made: Claim | undefined;
  readonly found: Map<string, Found>;
  /** Claims that keep the pod off some node, by index: giving their devices back may help. */
  readonly inTheWay: Set<number>;
}

/** What a pod gets on one node. */
interface Found {
  readonly allocations: ReadonlyMap<Claim, Allocation>;
  /** For the extended resources that the node has no device plugin for. */
  readonly extended: ExtendedClaim | undefined;
}

/**
 * Devices for the claims of a pod: finds nodes where all claims can have theirs, keeps what it chose while the pod is being
 * bound, and writes allocations and reservations into the claims. Claims that have devices already keep the pod where these are.
 */
export function dynamicResources(args: PluginArgs['DynamicResources'], handle: PluginHandle): SchedulerPlugin {
  const { devices, clock } = handle;
  /** Has the engine loaded, and the pod tried again then. */
  const waitForEngine = ({ uid }: PodInfo, retry: (uid: string) => void): Rejection => {
    devices.load().then(
      () => retry(uid),
      (error: unknown) => handle.logger.error({ err: error }, 'loading the engine of device selectors failed'),
    );
    return rejected('waiting for the engine of device selectors');
  };
  return {
    name: NAME,
    preEnqueue(pod) {
      if (!wantsDevices(pod, handle)) return undefined;
      const of = claimsOfPod(pod.pod, devices.claims);
      if ('problem' in of) return rejected(of.problem);
      return devices.selectors === undefined ? waitForEngine(pod, handle.ungate) : undefined;
    },
    preFilter(state, pod) {
      state.write(ASKED, true);
      if (!wantsDevices(pod, handle)) return { skip: true };
      const of = claimsOfPod(pod.pod, devices.claims);
      if ('problem' in of) return rejected(of.problem);
      const extended = devices.extendedResources(pod);
      if (of.claims.length === 0 && extended.length === 0) return { skip: true };
      const problem = problemOf(of.claims, handle);
      if (problem !== undefined) return rejected(problem);
      // A class may have come while the pod was on its way.
      if (devices.selectors === undefined) return waitForEngine(pod, handle.activate);
      state.write(NAME, stateOf(pod, of.claims, extended, devices.selectors, args, handle));
      return undefined;
    },
    filter(state, pod, node) {
      const own = state.read<State>(NAME);
      return own === undefined ? undefined : rejectionBy(own, pod, node, args, handle);
    },
    postFilter(state, pod) {
      // What refused the pod before this plugin was asked has left nothing to work with: upstream's message for that.
      if (state.read(ASKED) === undefined) return { success: false, message: 'not found', isFinal: true };
      return postFilter(state.read<State>(NAME), pod, handle);
    },
    preScore(state) {
      const own = state.read<State>(NAME);
      return own === undefined || !offersChoice(own);
    },
    score: (state, _pod, node) => scoreOf(state.read<State>(NAME), node),
    normalize: (scores) => normalizeByMaximum(scores, false),
    reserve(state, _pod, node) {
      const { allocations = [] } = state.read<State>(NAME)?.found.get(node.name) ?? {};
      for (const [claim, allocation] of allocations) devices.claims.reserve(claim, allocation);
      return undefined;
    },
    unreserve(state, pod, node) {
      const own = state.read<State>(NAME);
      if (own !== undefined) unreserve(own, pod, node, handle);
    },
    async preBind(state, pod, node, signal) {
      const own = state.read<State>(NAME);
      if (own === undefined) return;
      await bindClaims(own, pod, node, handle, signal);
      const bound = own.made === undefined ? own.claims : [...own.claims, own.made];
      if (!bound.some(hasBindingConditions)) return;
      const note = `waiting for binding conditions for device on node ${node.name}`;
      handle.recorder.event(pod.pod, 'Normal', 'BindingConditionsPending', note, { action: 'Scheduling' });
      await waitUntilReady(bound, devices.claims, args.bindingTimeoutMs, clock, signal);
    },
    mayHelp: (event, pod) => mayHelp(event, pod, handle),
  };
}

function rejected(reason: string): Rejection {
  return { plugin: NAME, reasons: [reason], resolvable: false };
}

function hasClaims({ pod }: PodInfo): boolean {
  return (pod.spec.resourceClaims ?? []).length > 0;
}

/** Costs nothing for the pods that want none. */
function wantsDevices(pod: PodInfo, { devices }: PluginHandle): boolean {
  return hasClaims(pod) || devices.extendedResources(pod).length > 0;
}

/** Why claims cannot be allocated on any node now. */
function problemOf(claims: readonly Claim[], { devices }: PluginHandle): string | undefined {
  for (const claim of claims) {
    if (claim.status?.allocation !== undefined) continue;
    const name = `${claim.metadata.namespace}/${claim.metadata.name}`;
    if (devices.claims.isPending(claim.metadata.uid))
      return `resource claim ${name} is in the process of being allocated`;
    for (const request of claim.spec.devices?.requests ?? []) {
      const alternatives = alternativesOf(request);
      if (alternatives.length === 0) return `resource claim ${name}, request ${request.name}: unknown request type`;
      const missing = alternatives.find(({ deviceClassName }) => devices.classOf(deviceClassName) === undefined);
      if (missing !== undefined)
        return `request ${missing.ref}: device class ${missing.deviceClassName} does not exist`;
    }
  }
  return undefined;
}

function stateOf(
  { pod }: PodInfo,
  claims: readonly Claim[],
  extended: State['extended'],
  selectors: DeviceSelectors,
  { filterTimeoutMs }: PluginArgs['DynamicResources'],
  { devices, clock, informers }: PluginHandle,
): State {
  const open = claims.filter(({ status }) => status?.allocation === undefined);
  const allocator = new Allocator({
    slices: devices.slices,
    allocated: devices.claims.allocated,
    classOf: (name) => devices.classOf(name),
    selectors,
    newShareID: randomUUID,
    timeoutMs: filterTimeoutMs,
    clock,
  });
  const own = extended.length === 0 ? [] : informers.resourceClaims.lister.list(pod.metadata.namespace);
  const leftOver = madeClaim(pod, own);
  const nothing = { made: undefined, found: new Map<string, Found>(), inTheWay: new Set<number>() };
  return { claims: [...claims], open, allocator, extended, leftOver, ...nothing };
}

/** Why a node is no place for the pod; for one that is, its allocations are kept. Throws when no node can be. */
function rejectionBy(
  state: State,
  { pod }: PodInfo,
  node: NodeInfo,
  args: PluginArgs['DynamicResources'],
  handle: PluginHandle,
): Rejection | undefined {
  if (state.leftOver !== undefined) return rejected('cannot schedule extended resource claim');
  const classes = classesOn(state, node, handle);
  if (classes === undefined) return rejected('cannot fit resource');
  const extended = classes.size === 0 ? undefined : extendedClaim(pod, classes);
  const wanted = extended === undefined ? state.open : [...state.open, extended.claim];
  const inTheWay = [...state.claims.keys()].filter((i) => isInTheWay(state.claims[i] as Claim, node, args, handle));
  let allocations: readonly Allocation[] | undefined = [];
  try {
    if (wanted.length > 0) allocations = state.allocator.allocate(node, wanted);
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    if (error.code !== 'claim') return rejected(error.message);
    throw new Error(`running "${NAME}" filter plugin: ${error.message}`);
  }
  if (allocations === undefined) return rejected('cannot allocate all claims');
  for (const i of inTheWay) state.inTheWay.add(i);
  if (inTheWay.length > 0) return rejected('resourceclaim not available on the node');
  const found = allocations.map((allocation, i) => [wanted[i] as Claim, allocation] as const);
  state.found.set(node.name, { allocations: new Map(found), extended });
  return undefined;
}

/** The classes of the extended resources that a node has only by devices; undefined: it has one of them in no way. */
function classesOn(
  { extended }: State,
  node: NodeInfo,
  { devices }: PluginHandle,
): ReadonlyMap<string, string> | undefined {
  const classes = new Map<string, string>();
  for (const [name] of extended) {
    const known = devices.classForResource(name);
    if (known !== undefined && (node.allocatable.get(name) ?? 0) === 0) classes.set(name, known.metadata.name);
    else if (!node.allocatable.has(name)) return undefined;
  }
  return classes;
}

/** Whether the devices that a claim has keep its pods off a node. */
function isInTheWay(
  claim: Claim,
  node: NodeInfo,
  { bindingTimeoutMs }: PluginArgs['DynamicResources'],
  { clock }: PluginHandle,
): boolean {
  const { allocation } = claim.status ?? {};
  if (allocation === undefined) return false;
  if (allocation.nodeSelector !== undefined && !matchesNodeSelector(allocation.nodeSelector, node)) return true;
  const readiness = readinessOf(claim);
  return 'failed' in readiness || (!readiness.isReady && isOverdue(claim, bindingTimeoutMs, clock.now()));
}

/** Writes what was chosen into the claims, and makes the one for extended resources. */
async function bindClaims(
  state: State,
  pod: PodInfo,
  node: NodeInfo,
  handle: PluginHandle,
  signal: AbortSignal,
): Promise<void> {
  const { devices, client } = handle;
  const { allocations, extended } = state.found.get(node.name) ?? { allocations: new Map(), extended: undefined };
  for (const [i, claim] of state.claims.entries()) {
    if (isReservedFor(claim, pod.uid)) continue;
    const bound = await bindClaim(claim, allocations.get(claim), pod.pod, handle, signal);
    devices.claims.assume(bound);
    state.claims[i] = bound;
  }
  if (extended === undefined) return;
  state.made = await createExtendedClaim(extended.claim, client, signal);
  state.made = await bindClaim(state.made, allocations.get(extended.claim), pod.pod, handle, signal);
  devices.claims.assume(state.made);
  devices.claims.release(extended.claim.metadata.uid);
  await tellPod(pod.pod, state.made, extended.mappings, client, signal);
}

/** The pod does not go to the node after all. What fails here is done by the next attempt. */
function unreserve(state: State, pod: PodInfo, node: NodeInfo, { devices, client, logger }: PluginHandle): void {
  const failed = (claim: Claim) => (error: unknown) =>
    logger.warn({ claim: claim.metadata.name, reason: describeError(error) }, 'unreserving a claim failed');
  for (const claim of state.found.get(node.name)?.allocations.keys() ?? []) devices.claims.release(claim.metadata.uid);
  for (const claim of state.claims) {
    if (claim.status?.allocation === undefined || !isReservedFor(claim, pod.uid)) continue;
    unbindClaim(claim, pod.uid, client).catch(failed(claim));
  }
  if (state.made !== undefined) deleteExtendedClaim(state.made, client).catch(failed(state.made));
}

/** Gives the devices of a claim back that nobody else uses and that keeps the pod off a node. */
async function postFilter(state: State | undefined, pod: PodInfo, handle: PluginHandle): Promise<PostFilterResult> {
  if (state === undefined) return { success: false, message: 'no new claims to deallocate' };
  for (const i of state.inTheWay) {
    const claim = state.claims[i] as Claim;
    if (!(claim.status?.reservedFor ?? []).every(({ uid }) => uid === pod.uid)) continue;
    await deallocateClaim(claim, handle.client);
    return { success: false, message: 'deallocation of ResourceClaim completed' };
  }
  if (state.leftOver !== undefined) {
    await deleteExtendedClaim(state.leftOver, handle.client);
    return { success: false, message: 'deletion of ResourceClaim completed' };
  }
  return { success: false, message: 'still not schedulable' };
}

/** Whether nodes may differ in which of a request's alternatives they offer. */
function offersChoice({ open }: State): boolean {
  return open.some(({ spec }) =>
    (spec.devices?.requests ?? []).some(({ firstAvailable }) => firstAvailable !== undefined),
  );
}

/** The better the alternatives, the higher: the first of a list counts the most. */
function scoreOf(state: State | undefined, node: NodeInfo): number {
  let score = 0;
  for (const [claim, { devices }] of state?.found.get(node.name)?.allocations ?? []) {
    const refs = new Set((devices?.results ?? []).map(({ request }) => request));
    for (const { name, firstAvailable = [] } of claim.spec.devices?.requests ?? []) {
      for (const [i, alternative] of firstAvailable.entries()) {
        if (refs.has(`${name}/${alternative.name}`)) score += MAX_ALTERNATIVES - i;
      }
    }
  }
  return score;
}

function mayHelp(event: ClusterEvent, { pod }: PodInfo, { devices }: PluginHandle): boolean {
  switch (event.resource) {
    case 'ResourceSlice':
    case 'DeviceClass':
      return true;
    case 'Node':
      if (event.action !== 'Update') return event.action === 'Add';
      return (
        !equalJSON(event.node.labels, event.old.metadata.labels ?? {}) ||
        !equalJSON(event.node.node?.status.allocatable, event.old.status.allocatable)
      );
    case 'Pod':
      return event.pod.metadata.uid === pod.metadata.uid && !('problem' in claimsOfPod(event.pod, devices.claims));
    case 'ResourceClaim': {
      const of = claimsOfPod(pod, devices.claims);
      if ('problem' in of) return false;
      const { object, old } = event;
      if (old?.status?.allocation !== undefined && object.status?.allocation === undefined) return true;
      if (!of.claims.some(({ metadata }) => metadata.uid === object.metadata.uid)) return false;
      return old === undefined || !equalJSON(old.status, object.status);
    }
    default:
      return false;
  }
}
