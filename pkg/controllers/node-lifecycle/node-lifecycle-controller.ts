import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Lease, Node, Pod } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { ReconcileResult, Reconciler, Request, Source } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { isPodTerminal } from '../pod-status.ts';
import {
  hasEvictionTaint,
  labelsFor,
  notReadyStatus,
  type ReadNode,
  readyStatus,
  taintsFor,
  unknownConditions,
} from './node-conditions.ts';
import { NodeZones, type ZoneTurn, zoneLabels } from './node-zones.ts';

const TYPE = resources.nodes;
const LEASES = 'kube-node-lease';

/** A node that has given no sign of life for so long is not ready. Upstream's default of --node-monitor-grace-period. */
const GRACE_MS = 50_000;
/** The same of a node whose kubelet has never said anything (--node-startup-grace-period). */
const STARTUP_GRACE_MS = 60_000;
/** Silence is noticed when the grace period is over; by so much later only where we ourselves stood still. */
const LATE_MS = 5_000;

export interface NodeLifecycleDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly nodes: Informer<Node>;
  /** With the index `node` (the pod's spec.nodeName). */
  readonly pods: Informer<Pod>;
  readonly signs: SignsOfLife;
  readonly zones: NodeZones;
}

/** Notices nodes that no longer report, says so in conditions and taints, and takes their pods out of Services. */
export function newNodeLifecycleController(deps: ControllerCommonDeps): Component {
  const nodes = deps.informers.for(TYPE);
  const leases = deps.informers.for(resources.leases, { namespace: LEASES });
  const pods = deps.informers.for(resources.pods, { indexers: { node: nodeIndex } });
  const signs = new SignsOfLife(deps.clock);
  const zones = new NodeZones(deps.clock);
  const recorder = recorderFor('node-controller', deps);
  return new Controller(
    {
      name: 'node-lifecycle-controller',
      sources: [
        lifeSource(nodes, leases, signs),
        conditionSource(nodes, zones, signs),
        {
          start: (_, signal) => pods.syncedIfServed(signal),
        },
      ],
      reconciler: new NodeLifecycleReconciler({ ...deps, nodes, pods, signs, zones, recorder }),
    },
    deps,
  );
}

export function nodeIndex(pod: { readonly spec: { readonly nodeName?: string } }): readonly string[] {
  return pod.spec.nodeName ? [pod.spec.nodeName] : [];
}

/** When each node was last heard of, by our own clock. */
export class SignsOfLife {
  readonly #clock: Clock;
  readonly #seenMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(node: string): void {
    this.#seenMs.set(node, this.#clock.monotonic());
  }

  /** Nobody could be heard: all get their time anew. */
  noteAll(): void {
    for (const node of this.#seenMs.keys()) this.note(node);
  }

  forget(node: string): void {
    this.#seenMs.delete(node);
  }

  /** Milliseconds since the last sign; 0 for a node that is seen for the first time. */
  silenceMs(node: string): number {
    const seenMs = this.#seenMs.get(node);
    if (seenMs !== undefined) return this.#clock.monotonic() - seenMs;
    this.note(node);
    return 0;
  }
}

export class NodeLifecycleReconciler implements Reconciler {
  readonly #deps: NodeLifecycleDeps;

  /** The Ready status of each node when it was last looked at. */
  readonly #lastReady = new Map<string, { readonly status: string; readonly uid: string }>();

  constructor(deps: NodeLifecycleDeps) {
    this.#deps = deps;
  }

  async reconcile({ name }: Request): Promise<ReconcileResult> {
    const { nodes, signs } = this.#deps;
    const node = nodes.lister.get(name);
    if (node === undefined) {
      signs.forget(name);
      this.#noteGone(name);
      return undefined;
    }
    try {
      let leftMs = graceMs(node) - signs.silenceMs(name);
      if (leftMs < -LATE_MS && readyStatus(node) === 'True') {
        // A machine that was paused has heard nobody meanwhile.
        signs.noteAll();
        leftMs = graceMs(node);
      }
      // A write that changes anything brings the node here again, with its zone as it is then.
      if (leftMs <= 0 && (await this.#markUnknown(node))) return undefined;
      await this.#noteReady(node);
      const turnMs = await this.#taint(node);
      await this.#label(node);
      // A node that is known to be lost is only looked at again when it changes, or when it is its turn.
      const nextMs = Math.min(leftMs > 0 ? leftMs : Number.POSITIVE_INFINITY, turnMs ?? Number.POSITIVE_INFINITY);
      return Number.isFinite(nextMs) ? { requeueAfterMs: nextMs } : undefined;
    } catch (error) {
      if (isStatusError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  #noteGone(name: string): void {
    const known = this.#lastReady.get(name);
    if (known === undefined) return;
    this.#lastReady.delete(name);
    const message = `Node ${name} event: Removing Node ${name} from Controller`;
    this.#announce({ name, uid: known.uid }, 'RemovingNode', message);
  }

  /** Whether that had to be written. */
  async #markUnknown(node: ReadNode): Promise<boolean> {
    const { client, clock } = this.#deps;
    const conditions = unknownConditions(node, clock.now());
    if (equalJSON(conditions, node.status?.conditions ?? [])) return false;
    await client.updateStatus(TYPE, { ...node, status: { ...node.status, conditions } });
    return true;
  }

  /** Returns in how many milliseconds it is the node's turn to have its pods driven away, if it has to wait for it. */
  async #taint(node: ReadNode): Promise<number | undefined> {
    const { client, clock, zones } = this.#deps;
    const { name } = node.metadata;
    const ready = readyStatus(node);
    const mayEvict = !zones.isOutage && (ready === 'False' || ready === 'Unknown');
    const turnMs = mayEvict && !hasEvictionTaint(node) ? zones.take(name) : 0;
    const taints = taintsFor(node, mayEvict && turnMs === 0, clock.now());
    if (!equalJSON(taints, node.spec.taints ?? [])) {
      const { taints: _, ...spec } = node.spec;
      await client.update(TYPE, { ...node, spec: { ...spec, ...(taints.length === 0 ? {} : { taints }) } });
    }
    return turnMs === 0 ? undefined : turnMs;
  }

  async #label(node: ReadNode): Promise<void> {
    const labels = labelsFor(node);
    if (labels === undefined) return;
    await this.#deps.client.patch(TYPE, { name: node.metadata.name }, 'merge', { metadata: { labels } });
  }

  /** The pods of a node that is not ready are not ready either, whatever they last said. */
  async #markPods(node: ReadNode): Promise<void> {
    const { client, clock, pods, recorder } = this.#deps;
    for (const pod of pods.lister.byIndex('node', node.metadata.name)) {
      if (isPodTerminal(pod)) continue;
      const status = notReadyStatus(pod, clock.now());
      if (status === undefined) continue;
      recorder.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
      try {
        await client.updateStatus(resources.pods, { ...pod, status });
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    }
  }

  /** Tells of nodes that are new and of those that have just become not ready. */
  async #noteReady(node: ReadNode): Promise<void> {
    const { name, uid } = node.metadata;
    const before = this.#lastReady.get(name)?.status;
    const status = readyStatus(node) ?? 'Unknown';
    if (before === undefined) {
      this.#announce({ name, uid }, 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`);
      // It may have been lost while nobody looked.
      if (status !== 'True') await this.#markPods(node);
    } else if (before === 'True' && status !== 'True') {
      this.#announce({ name, uid }, 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
      await this.#markPods(node);
    }
    // Only now: when marking fails, it is tried again.
    this.#lastReady.set(name, { status, uid });
  }

  #announce(metadata: { readonly name: string; readonly uid: string }, reason: string, message: string): void {
    const subject = { apiVersion: 'v1', kind: 'Node', metadata };
    this.#deps.recorder.event(subject, 'Normal', reason, message);
  }
}

/**
 * A node that changes is looked at, and others only when their zone comes into another state by it: else a thousand nodes that
 * come or fail would be a million looks.
 */
function conditionSource(nodes: Informer<Node>, zones: NodeZones, signs: SignsOfLife): Source {
  return {
    async start(enqueue, signal) {
      const look = (name: string, { concerned, endsOutage }: ZoneTurn): void => {
        if (endsOutage) signs.noteAll();
        for (const other of new Set([name, ...concerned])) enqueue({ namespace: '', name: other });
      };
      const remove = nodes.addHandler({
        onAdd: (node) => look(node.metadata.name, zones.note(node)),
        onUpdate(node, old) {
          if (!equalJSON(relevant(node), relevant(old))) look(node.metadata.name, zones.note(node));
        },
        onDelete: ({ metadata: { name } }) => look(name, zones.forget(name)),
      });
      signal.addEventListener('abort', remove, { once: true });
      await nodes.syncedIfServed(signal);
    },
  };
}

/** Signs of life are only noted: a healthy node costs no reconciling. A lost one that reports again is looked at. */
function lifeSource(nodes: Informer<Node>, leases: Informer<Lease>, signs: SignsOfLife): Source {
  return {
    async start(enqueue, signal) {
      const stops = [
        nodes.addHandler({
          onAdd: (node) => signs.note(node.metadata.name),
          onUpdate(node, old) {
            if (!equalJSON(heartbeat(node), heartbeat(old))) signs.note(node.metadata.name);
          },
        }),
        leases.addHandler({
          onAdd: (lease) => signs.note(lease.metadata.name),
          onUpdate(lease, old) {
            if (lease.spec.renewTime === old.spec.renewTime) return;
            signs.note(lease.metadata.name);
            const node = nodes.lister.get(lease.metadata.name);
            if (node !== undefined && readyStatus(node) === 'Unknown') {
              enqueue({ namespace: '', name: lease.metadata.name });
            }
          },
        }),
      ];
      signal.addEventListener('abort', () => stops.forEach((stop) => void stop()), { once: true });
      await leases.syncedIfServed(signal);
    },
  };
}

function heartbeat(node: ReadNode): unknown {
  return node.status?.conditions?.map(({ lastHeartbeatTime }) => lastHeartbeatTime);
}

function relevant(node: ReadNode): unknown {
  const conditions = node.status?.conditions?.map(({ type, status }) => [type, status]);
  return [conditions, node.spec.taints, node.spec.unschedulable, zoneLabels(node), labelsFor(node)];
}

function graceMs(node: ReadNode): number {
  return readyStatus(node) === undefined ? STARTUP_GRACE_MS : GRACE_MS;
}
