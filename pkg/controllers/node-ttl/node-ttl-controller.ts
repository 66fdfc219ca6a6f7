import { resources } from '../../api/generated/resources.ts';
import type { Node } from '../../api/generated/types.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer, requestOf } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';

const TTL = 'node.alpha.kubernetes.io/ttl';

/** How long kubelets may go without asking for Secrets and ConfigMaps again, by the size of the cluster. */
const STEPS = [
  { min: 0, max: 100, seconds: 0 },
  { min: 90, max: 500, seconds: 15 },
  { min: 450, max: 1000, seconds: 30 },
  { min: 900, max: 2000, seconds: 60 },
  { min: 1800, max: Number.POSITIVE_INFINITY, seconds: 300 },
] as const;

/** The step for a cluster of `nodes`: the present one as long as it fits, so that nothing flaps at a boundary. */
export function stepFor(nodes: number, present: number): number {
  let step = present;
  while (nodes > (STEPS[step]?.max ?? Number.POSITIVE_INFINITY)) step++;
  while (nodes < (STEPS[step]?.min ?? 0)) step--;
  return step;
}

/** Annotates nodes with the time for which kubelets may keep what they have read. */
export function newNodeTTLController(deps: ControllerCommonDeps): Component {
  const nodes = deps.informers.for(resources.nodes);
  const reconciler = new NodeTTLReconciler({ ...deps, nodes: nodes.lister });
  return new Controller(
    {
      name: 'ttl-controller',
      sources: [
        fromInformer(nodes, {
          map: (node) => (reconciler.resize() ? [...nodes.lister.list()].flatMap(requestOf) : requestOf(node)),
          updated: (node, old) => node.metadata.annotations?.[TTL] !== old.metadata.annotations?.[TTL],
        }),
      ],
      reconciler,
    },
    deps,
  );
}

export interface NodeTTLReconcilerDeps {
  readonly client: Client;
  readonly nodes: Lister<Node>;
}

export class NodeTTLReconciler implements Reconciler {
  readonly #deps: NodeTTLReconcilerDeps;
  #step = 0;

  constructor(deps: NodeTTLReconcilerDeps) {
    this.#deps = deps;
  }

  /** True: the cluster has become so much larger or smaller that all nodes get another time. */
  resize(): boolean {
    const before = this.#step;
    this.#step = stepFor(this.#deps.nodes.size, before);
    return this.#step !== before;
  }

  async reconcile({ name }: Request): Promise<ReconcileResult> {
    const { client, nodes } = this.#deps;
    const node = nodes.get(name);
    const ttl = String(STEPS[this.#step]?.seconds ?? 0);
    if (node === undefined || node.metadata.annotations?.[TTL] === ttl) return undefined;
    const patch = { metadata: { annotations: { [TTL]: ttl } } };
    await ignoreNotFound(client.patch(resources.nodes, { name }, 'strategic', patch));
    return undefined;
  }
}
