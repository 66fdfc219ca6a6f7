import { randomUUID } from 'node:crypto';
import { matchesNodeSelector } from '../../api/scheduling/node-selector.ts';
import { describeError } from '../../base/errors.ts';
import { equalJSON } from '../../base/json.ts';
import type { PluginArgs } from '../config/plugin-args.ts';
import { Allocator } from '../devices/allocator.ts';
import type { Allocation, Claim } from '../devices/device-id.ts';
import { alternativesOf } from '../devices/device-request.ts';
import { AllocationError } from '../devices/device-search.ts';
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
import { claimsOfPod, isReservedFor } from './resource-claims.ts';

const NAME = 'DynamicResources';
/** Upstream's FirstAvailableDeviceRequestMaxSize. */
const MAX_ALTERNATIVES = 8;

interface State {
  /** As they were when the cycle began; then as the API server answered. */
  readonly claims: Claim[];
  /** Those of them that have no devices yet, by index. */
  readonly open: readonly number[];
  readonly allocator: Allocator | undefined;
  /** By node: an allocation for each open claim. */
  readonly found: Map<string, readonly Allocation[]>;
  /** Claims that keep the pod off some node, by index: giving their devices back may help. */
  readonly inTheWay: Set<number>;
}

/**
 * Devices for the claims of a pod: finds nodes where all claims can have theirs, keeps what it chose while the pod is being
 * bound, and writes allocations and reservations into the claims. Claims that have devices already keep the pod where these are.
 */
export function dynamicResources(args: PluginArgs['DynamicResources'], handle: PluginHandle): SchedulerPlugin {
  const { devices, clock, client } = handle;
  return {
    name: NAME,
    preEnqueue(pod) {
      if (!hasClaims(pod)) return undefined;
      const of = claimsOfPod(pod.pod, devices.claims);
      if ('problem' in of) return rejected(of.problem);
      if (devices.selectors !== undefined) return undefined;
      devices.load().then(
        () => handle.ungate(pod.uid),
        (error: unknown) => handle.logger.error({ err: error }, 'loading the engine of device selectors failed'),
      );
      return rejected('waiting for the engine of device selectors');
    },
    preFilter(state, pod) {
      if (!hasClaims(pod)) return { skip: true };
      const of = claimsOfPod(pod.pod, devices.claims);
      if ('problem' in of) return rejected(of.problem);
      if (of.claims.length === 0) return { skip: true };
      const problem = problemOf(of.claims, handle);
      if (problem !== undefined) return rejected(problem);
      state.write(NAME, stateOf(of.claims, args, handle));
      return undefined;
    },
    filter(state, _pod, node) {
      const own = state.read<State>(NAME);
      return own === undefined ? undefined : rejectionBy(own, node, args, handle);
    },
    postFilter: (state, pod) => postFilter(state.read<State>(NAME), pod, handle),
    preScore(state) {
      const own = state.read<State>(NAME);
      return own === undefined || !offersChoice(own);
    },
    score: (state, _pod, node) => scoreOf(state.read<State>(NAME), node),
    normalize: (scores) => normalizeByMaximum(scores, false),
    reserve(state, _pod, node) {
      const own = state.read<State>(NAME);
      for (const [claim, allocation] of chosen(own, node)) devices.claims.reserve(claim, allocation);
      return undefined;
    },
    unreserve(state, pod) {
      for (const claim of state.read<State>(NAME)?.claims ?? []) {
        devices.claims.release(claim.metadata.uid);
        if (claim.status?.allocation === undefined || !isReservedFor(claim, pod.uid)) continue;
        unbindClaim(claim, pod.uid, client).catch((error: unknown) => {
          // The next attempt gets here again.
          handle.logger.warn(
            { claim: claim.metadata.name, reason: describeError(error) },
            'unreserving a claim failed',
          );
        });
      }
    },
    async preBind(state, pod, node, signal) {
      const own = state.read<State>(NAME);
      if (own === undefined) return;
      const allocations = chosen(own, node);
      for (const [i, claim] of own.claims.entries()) {
        if (isReservedFor(claim, pod.uid)) continue;
        const bound = await bindClaim(claim, allocations.get(claim), pod.pod, { client, clock }, signal);
        devices.claims.assume(bound);
        own.claims[i] = bound;
      }
      if (!own.claims.some(hasBindingConditions)) return;
      const note = `waiting for binding conditions for device on node ${node.name}`;
      handle.recorder.event(pod.pod, 'Normal', 'BindingConditionsPending', note, { action: 'Scheduling' });
      await waitUntilReady(own.claims, devices.claims, args.bindingTimeoutMs, clock, signal);
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
  claims: readonly Claim[],
  { filterTimeoutMs }: PluginArgs['DynamicResources'],
  { devices, clock }: PluginHandle,
): State {
  const open = [...claims.keys()].filter((i) => claims[i]?.status?.allocation === undefined);
  const { selectors } = devices;
  if (open.length > 0 && selectors === undefined) throw new Error('the engine of device selectors is not loaded');
  const allocator =
    open.length === 0 || selectors === undefined
      ? undefined
      : new Allocator(
          open.map((i) => claims[i] as Claim),
          {
            slices: devices.slices,
            allocated: devices.claims.allocated,
            classOf: (name) => devices.classOf(name),
            selectors,
            newShareID: randomUUID,
            timeoutMs: filterTimeoutMs,
            clock,
          },
        );
  return { claims: [...claims], open, allocator, found: new Map(), inTheWay: new Set() };
}

/** Why a node is no place for the pod; for one that is, its allocations are kept. Throws when no node can be. */
function rejectionBy(
  state: State,
  node: NodeInfo,
  { bindingTimeoutMs }: PluginArgs['DynamicResources'],
  { clock }: PluginHandle,
): Rejection | undefined {
  const inTheWay = [...state.claims.keys()].filter((i) => {
    const claim = state.claims[i] as Claim;
    const { allocation } = claim.status ?? {};
    if (allocation === undefined) return false;
    if (allocation.nodeSelector !== undefined && !matchesNodeSelector(allocation.nodeSelector, node)) return true;
    const readiness = readinessOf(claim);
    return 'failed' in readiness || (!readiness.isReady && isOverdue(claim, bindingTimeoutMs, clock.now()));
  });
  let allocations: readonly Allocation[] | undefined;
  try {
    allocations = state.allocator?.allocate(node);
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    if (error.code !== 'claim') return rejected(error.message);
    throw new Error(`running "${NAME}" filter plugin: ${error.message}`);
  }
  if (state.allocator !== undefined && allocations === undefined) return rejected('cannot allocate all claims');
  for (const i of inTheWay) state.inTheWay.add(i);
  if (inTheWay.length > 0) return rejected('resourceclaim not available on the node');
  state.found.set(node.name, allocations ?? []);
  return undefined;
}

/** Gives the devices of a claim back that nobody else uses and that keeps the pod off a node. */
async function postFilter(state: State | undefined, pod: PodInfo, handle: PluginHandle): Promise<PostFilterResult> {
  if (!hasClaims(pod)) return { success: false };
  if (state === undefined) return { success: false, message: 'no new claims to deallocate' };
  for (const i of state.inTheWay) {
    const claim = state.claims[i] as Claim;
    if (!(claim.status?.reservedFor ?? []).every(({ uid }) => uid === pod.uid)) continue;
    await deallocateClaim(claim, handle.client);
    return { success: false, message: 'deallocation of ResourceClaim completed' };
  }
  return { success: false, message: 'still not schedulable' };
}

/** What each open claim gets on the node that was chosen. */
function chosen(state: State | undefined, node: NodeInfo): ReadonlyMap<Claim, Allocation> {
  const allocations = state?.found.get(node.name) ?? [];
  const found = new Map<Claim, Allocation>();
  for (const [i, allocation] of allocations.entries()) {
    const claim = state?.claims[state.open[i] ?? -1];
    if (claim !== undefined) found.set(claim, allocation);
  }
  return found;
}

/** Whether nodes may differ in which of a request's alternatives they offer. */
function offersChoice({ claims, open }: State): boolean {
  return open.some((i) =>
    (claims[i]?.spec.devices?.requests ?? []).some(({ firstAvailable }) => firstAvailable !== undefined),
  );
}

/** The better the alternatives, the higher: the first of a list counts the most. */
function scoreOf(state: State | undefined, node: NodeInfo): number {
  let score = 0;
  for (const [claim, { devices }] of chosen(state, node)) {
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
