import { resources } from '../../api/generated/resources.ts';
import type { Node } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer, Lister } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request, Source } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { CIDRBlocks } from './cidr-blocks.ts';
import { TakenBlocks } from './taken-blocks.ts';

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
  readonly nodes: Lister<Node>;
  readonly recorder: EventRecorder;
}

/** How long a node without a free block waits when no other node is deleted. */
const RETRY_MS = 30_000;

/** Gives each Node its blocks of the pod networks (spec.podCIDRs). Throws when the networks cannot be cut up. */
export function newNodeIPAMController(options: NodeIPAMOptions, deps: ControllerCommonDeps): Component {
  const nodes = deps.informers.for(resources.nodes);
  const recorder = recorderFor('cidrAllocator', deps);
  const reconciler = new NodeIPAMReconciler(options, { client: deps.client, nodes: nodes.lister, recorder });
  const taken: Source = {
    async start(_, signal) {
      signal.addEventListener('abort', reconciler.follow(nodes), { once: true });
    },
  };
  return new Controller(
    {
      name: 'node-ipam-controller',
      // What is taken is known before anybody asks for a block.
      sources: [taken, fromInformer(nodes, { updated: (node, old) => needsBlock(node) !== needsBlock(old) })],
      reconciler,
      // One allocation at a time: the next one must see it.
      workers: 1,
    },
    deps,
  );
}

export class NodeIPAMReconciler implements Reconciler {
  readonly #deps: NodeIPAMReconcilerDeps;
  /** Of each network. */
  readonly #blocks: readonly TakenBlocks[];
  /** What each node has, and what was given to it but is not yet seen in the informer. */
  readonly #owned = new Map<string, readonly string[]>();

  constructor(options: NodeIPAMOptions, deps: NodeIPAMReconcilerDeps) {
    const { clusterCIDRs, nodeMaskSizeIPv4 = 24, nodeMaskSizeIPv6 = 64 } = options;
    this.#deps = deps;
    this.#blocks = clusterCIDRs.map(
      (cidr) => new TakenBlocks(new CIDRBlocks(cidr, cidr.includes(':') ? nodeMaskSizeIPv6 : nodeMaskSizeIPv4)),
    );
  }

  /** Keeps what is taken equal to what the nodes have; returns the end of it. */
  follow(nodes: Informer<Node>): () => void {
    return nodes.addHandler({
      onAdd: (node) => this.#note(node),
      onUpdate: (node) => this.#note(node),
      onDelete: ({ metadata }) => this.#own(metadata.name, []),
    });
  }

  #note(node: DeepReadonly<Node>): void {
    const podCIDRs = podCIDRsOf(node);
    if (podCIDRs.length > 0) this.#own(node.metadata.name, podCIDRs);
  }

  #own(name: string, podCIDRs: readonly string[]): void {
    const before = this.#owned.get(name) ?? [];
    if (equalJSON(before, podCIDRs)) return;
    for (const blocks of this.#blocks) {
      for (const cidr of before) blocks.release(cidr);
      for (const cidr of podCIDRs) blocks.take(cidr);
    }
    if (podCIDRs.length === 0) this.#owned.delete(name);
    else this.#owned.set(name, podCIDRs);
  }

  async reconcile({ name }: Request, signal: AbortSignal): Promise<ReconcileResult> {
    const node = this.#deps.nodes.get(name);
    if (node === undefined || !needsBlock(node)) return undefined;
    const podCIDRs = this.#owned.get(name) ?? this.#allocate();
    if (podCIDRs === undefined) {
      this.#deps.recorder.event(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
      return { requeueAfterMs: RETRY_MS };
    }
    this.#own(name, podCIDRs);
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
    const free = this.#blocks.map((blocks) => blocks.free());
    if (!free.every((index) => index !== undefined)) return undefined;
    return this.#blocks.map((blocks, at) => blocks.give(free[at] ?? 0));
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
