import { resources } from '../../api/generated/resources.ts';
import type { Node } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { CIDRBlocks } from './cidr-blocks.ts';

export interface NodeIPAMOptions {
  /** The networks that pod addresses come from, at most one of each family. */
  readonly clusterCIDRs: readonly string[];
  /** Prefix length of a node's block. Default 24. */
  readonly nodeMaskSizeIPv4?: number;
  /** Default 64. */
  readonly nodeMaskSizeIPv6?: number;
}

export interface NodeIPAMReconcilerDeps {
  readonly client: Client;
  readonly nodes: Informer<Node>;
  readonly recorder: EventRecorder;
}

/** How long a node without a free block waits when no other node is deleted. */
const RETRY_MS = 30_000;

/** Gives each Node its blocks of the pod networks (spec.podCIDRs). Throws when the networks cannot be cut up. */
export function newNodeIPAMController(options: NodeIPAMOptions, deps: ControllerCommonDeps): Component {
  const nodes = deps.informers.for(resources.nodes);
  const recorder = recorderFor('cidrAllocator', deps);
  return new Controller(
    {
      name: 'node-ipam-controller',
      sources: [fromInformer(nodes, { updated: (node, old) => needsBlock(node) !== needsBlock(old) })],
      reconciler: new NodeIPAMReconciler(options, { client: deps.client, nodes, recorder }),
      // One allocation at a time: the next one must see it.
      workers: 1,
    },
    deps,
  );
}

export class NodeIPAMReconciler implements Reconciler {
  readonly #deps: NodeIPAMReconcilerDeps;
  readonly #networks: readonly CIDRBlocks[];
  /** Where to look for the next free block, so that the block of a node just deleted rests for a while. */
  readonly #next: number[];
  /** Given away, but not yet seen in the informer. */
  readonly #reserved = new Map<string, readonly string[]>();

  constructor(options: NodeIPAMOptions, deps: NodeIPAMReconcilerDeps) {
    const { clusterCIDRs, nodeMaskSizeIPv4 = 24, nodeMaskSizeIPv6 = 64 } = options;
    this.#deps = deps;
    this.#networks = clusterCIDRs.map(
      (cidr) => new CIDRBlocks(cidr, cidr.includes(':') ? nodeMaskSizeIPv6 : nodeMaskSizeIPv4),
    );
    this.#next = this.#networks.map(() => 0);
  }

  async reconcile({ name }: Request, signal: AbortSignal): Promise<ReconcileResult> {
    const node = this.#deps.nodes.lister.get(name);
    if (node === undefined || podCIDRsOf(node).length > 0) {
      this.#reserved.delete(name);
      return undefined;
    }
    if (!needsBlock(node)) return undefined;
    const podCIDRs = this.#reserved.get(name) ?? this.#allocate();
    if (podCIDRs === undefined) {
      this.#deps.recorder.event(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
      return { requeueAfterMs: RETRY_MS };
    }
    this.#reserved.set(name, podCIDRs);
    const patch = { metadata: { uid: node.metadata.uid }, spec: { podCIDR: podCIDRs[0], podCIDRs } };
    try {
      await ignoreNotFound(this.#deps.client.patch(resources.nodes, { name }, 'merge', patch, {}, signal));
    } catch (error) {
      if (!signal.aborted)
        this.#deps.recorder.event(
          node,
          'Normal',
          'CIDRAssignmentFailed',
          `Node ${name} status is now: CIDRAssignmentFailed`,
        );
      throw error;
    }
    return undefined;
  }

  /** A free block of each network; undefined when one has none left. */
  #allocate(): readonly string[] | undefined {
    const taken = [...this.#deps.nodes.lister.list()].flatMap(podCIDRsOf);
    for (const cidrs of this.#reserved.values()) taken.push(...cidrs);
    const indexes = this.#networks.map((network, at) => network.firstFree(taken, this.#next[at] ?? 0));
    const podCIDRs: string[] = [];
    for (const [at, network] of this.#networks.entries()) {
      const index = indexes[at];
      if (index === undefined) return undefined;
      podCIDRs.push(network.block(index));
    }
    indexes.forEach((index = 0, at) => {
      this.#next[at] = index + 1;
    });
    return podCIDRs;
  }
}

/** A node that no kubelet has reported yet runs no pods: it can wait, and blocks are few. */
function needsBlock(node: DeepReadonly<Node>): boolean {
  if (node.metadata.deletionTimestamp !== undefined || podCIDRsOf(node).length > 0) return false;
  return (node.status?.nodeInfo?.kubeletVersion ?? '') !== '';
}

function podCIDRsOf(node: DeepReadonly<Node>): readonly string[] {
  const { podCIDR = '', podCIDRs = [] } = node.spec ?? {};
  return podCIDRs.length > 0 || podCIDR === '' ? podCIDRs : [podCIDR];
}
