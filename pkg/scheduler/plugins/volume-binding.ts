import { resources } from '../../api/generated/resources.ts';
import type { PluginArgs } from '../config/plugin-args.ts';
import type { ClusterEvent } from '../framework/cluster-event.ts';
import type { PluginHandle } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Rejection, SchedulerPlugin } from '../framework/plugin.ts';
import { waitUntilBound } from './claims-bound.ts';
import {
  type Claim,
  claimKey,
  classOf,
  isFullyBound,
  SELECTED_NODE,
  usableClaims,
  waitsForConsumer,
} from './volume-claims.ts';
import { canProvision, findVolume, reachable, requestedBytes, type Volume } from './volume-match.ts';

const NAME = 'VolumeBinding';
const UNBOUND_IMMEDIATE = 'pod has unbound immediate PersistentVolumeClaims';
const NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity";
const BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind";
const VOLUME_GONE = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)';
const NOT_ENOUGH_SPACE = 'node(s) did not have enough free storage';

/** What has to be done for a pod's claims when it goes to a certain node. */
interface Plan {
  readonly bind: readonly { readonly claim: Claim; readonly volume: Volume }[];
  readonly provision: readonly Claim[];
}

interface State {
  readonly bound: readonly Claim[];
  readonly toBind: readonly Claim[];
  readonly plans: Map<string, Plan>;
}

/**
 * Volumes that wait for their first consumer: finds nodes where every claim has a volume or can be given one, holds what it
 * chose while the pod is being bound, and waits until the claims are bound. Claims bound already must be reachable.
 */
export function volumeBinding(args: PluginArgs['VolumeBinding'], handle: PluginHandle): SchedulerPlugin {
  const { informers, client, clock } = handle;
  /** Volumes promised to claims by pods that are being bound: volume name -> claim. */
  const promised = new Map<string, string>();
  const isTaken = ({ metadata }: Volume): boolean => promised.has(metadata.name);
  return {
    name: NAME,
    preFilter(state, pod) {
      if (pod.claims.length === 0) return { skip: true };
      const usable = usableClaims(pod, informers);
      if ('problem' in usable) return rejected(usable.problem);
      const bound = usable.claims.filter(isFullyBound);
      const others = usable.claims.filter((claim) => !isFullyBound(claim));
      if (!others.every((claim) => !claim.spec.volumeName && waitsForConsumer(claim, informers))) {
        return rejected(UNBOUND_IMMEDIATE);
      }
      const toBind = others.toSorted((a, b) => requestedBytes(a) - requestedBytes(b));
      state.write(NAME, { bound, toBind, plans: new Map() } satisfies State);
      return undefined;
    },
    filter(state, _pod, node) {
      const own = state.read<State>(NAME);
      if (own === undefined) return undefined;
      const reasons: string[] = [];
      const conflict = boundConflict(own.bound, node, handle);
      if (conflict !== undefined) reasons.push(conflict);
      const plan = planFor(own.toBind, node, handle, isTaken);
      if (typeof plan === 'string') reasons.push(plan);
      else own.plans.set(node.name, plan);
      return reasons.length === 0 ? undefined : rejected(...reasons);
    },
    reserve(state, _pod, node) {
      for (const { claim, volume } of planOf(state.read<State>(NAME), node).bind) {
        promised.set(volume.metadata.name, claimKey(claim));
      }
      return undefined;
    },
    unreserve(state, _pod, node) {
      for (const { volume } of planOf(state.read<State>(NAME), node).bind) promised.delete(volume.metadata.name);
    },
    async preBind(state, _pod, node, signal) {
      const plan = planOf(state.read<State>(NAME), node);
      const claims = [...plan.bind.map(({ claim }) => claim), ...plan.provision];
      if (claims.length === 0) return;
      for (const { claim, volume } of plan.bind) {
        await client.patch(
          resources.persistentvolumes,
          { name: volume.metadata.name },
          'merge',
          claimPatch(claim),
          {},
          signal,
        );
      }
      for (const claim of plan.provision) {
        const { namespace = '', name, resourceVersion } = claim.metadata;
        const patch = { metadata: { resourceVersion, annotations: { [SELECTED_NODE]: node.name } } };
        await client.patch(resources.persistentvolumeclaims, { namespace, name }, 'merge', patch, {}, signal);
      }
      const provisioned = new Set(plan.provision.map(claimKey));
      await waitUntilBound(
        claims,
        provisioned,
        node.name,
        args.bindTimeoutSeconds * 1000,
        informers.claims,
        clock,
        signal,
      );
      for (const { volume } of plan.bind) promised.delete(volume.metadata.name);
    },
    mayHelp: (event, pod) => mayHelp(event, pod.claims),
  };
}

function rejected(...reasons: readonly string[]): Rejection {
  return { plugin: NAME, reasons, resolvable: false };
}

function planOf(state: State | undefined, node: NodeInfo): Plan {
  return state?.plans.get(node.name) ?? { bind: [], provision: [] };
}

function boundConflict(claims: readonly Claim[], node: NodeInfo, { informers }: PluginHandle): string | undefined {
  for (const { spec } of claims) {
    const volume = informers.volumes.lister.get(spec.volumeName ?? '');
    if (volume === undefined) return VOLUME_GONE;
    if (!reachable(volume, node)) return NODE_CONFLICT;
  }
  return undefined;
}

/** A volume or a provisioner for every claim, or why there is none. */
function planFor(
  claims: readonly Claim[],
  node: NodeInfo,
  { informers }: PluginHandle,
  isTaken: (volume: Volume) => boolean,
): Plan | string {
  const bind: { claim: Claim; volume: Volume }[] = [];
  const provision: Claim[] = [];
  for (const claim of claims) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    if (selected !== undefined && selected !== node.name) return BIND_CONFLICT;
    const chosen = new Set(bind.map(({ volume }) => volume.metadata.name));
    const volume =
      selected !== undefined
        ? undefined
        : findVolume(
            claim,
            node,
            informers.volumes.lister.list(),
            (one) => isTaken(one) || chosen.has(one.metadata.name),
          );
    if (volume !== undefined) {
      bind.push({ claim, volume });
      continue;
    }
    const possible = canProvision(claim, classOf(claim, informers), node, informers);
    if (possible === 'no') return BIND_CONFLICT;
    if (possible === 'not enough space') return NOT_ENOUGH_SPACE;
    provision.push(claim);
  }
  return { bind, provision };
}

/** Reserves a volume for a claim; the volume controller does the rest. */
function claimPatch({ metadata }: Claim): object {
  const { namespace, name, uid, resourceVersion } = metadata;
  return {
    metadata: { annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } },
    spec: { claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion } },
  };
}

function mayHelp(event: ClusterEvent, claims: readonly string[]): boolean {
  switch (event.resource) {
    case 'PersistentVolumeClaim':
      return event.action !== 'Delete' && claims.includes(claimKey(event.object));
    case 'PersistentVolume':
    case 'StorageClass':
    case 'CSINode':
    case 'CSIStorageCapacity':
      return event.action !== 'Delete';
    case 'Node':
      return event.action !== 'Delete';
    case 'Pod':
      return true;
    default:
      return false;
  }
}
