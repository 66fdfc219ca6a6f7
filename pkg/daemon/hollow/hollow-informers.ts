import { resources } from '../../api/generated/resources.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import type { ResourceType } from '../../api/object.ts';
import { aborted } from '../../base/abort.ts';
import type { Component } from '../../base/lifecycle.ts';
import {
  type Client,
  createInformers,
  type Informer,
  type InformerOptions,
  type Informers,
  type InformersDeps,
  PartitionedInformer,
} from '../../client/index.ts';

const POD_NODE = 'hollow-pod-node';
const NODE_NAME = 'hollow-node-name';
const podNode = (pod: { readonly spec: { readonly nodeName?: string } }): string => pod.spec.nodeName ?? '';
const nodeName = (node: { readonly metadata: { readonly name: string } }): string => node.metadata.name;

/** One watch of pods, one of nodes and one of Services for all hollow nodes of the process. */
export class HollowInformers implements Component {
  readonly name = 'informers';
  readonly #shared: Informers & Component;
  readonly #pods: PartitionedInformer<Pod>;
  readonly #nodes: PartitionedInformer<Node>;

  /** `selector`: labels of the nodes. */
  constructor(client: Client, selector: string, deps: InformersDeps) {
    this.#shared = createInformers(client, deps);
    const pods = this.#shared.for(resources.pods, {
      fieldSelector: 'spec.nodeName!=',
      indexers: { [POD_NODE]: (pod) => [podNode(pod)] },
    });
    const nodes = this.#shared.for(resources.nodes, {
      labelSelector: selector,
      indexers: { [NODE_NAME]: (node) => [nodeName(node)] },
    });
    this.#pods = new PartitionedInformer(pods, POD_NODE, podNode);
    this.#nodes = new PartitionedInformer(nodes, NODE_NAME, nodeName);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const ends = [this.#pods.start(), this.#nodes.start()];
    try {
      await this.#shared.run(signal, ready);
      await aborted(signal);
    } finally {
      for (const end of ends) end();
    }
  }

  /** What the kubelet of a node sees. */
  forNode(name: string): Informers {
    const pods = this.#pods.partition(name);
    const nodes = this.#nodes.partition(name);
    return {
      for: <T>(type: ResourceType<T>, options?: InformerOptions<T>): Informer<T> => {
        const { fieldSelector } = options ?? {};
        if (fieldSelector === `spec.nodeName=${name}`) return pods as unknown as Informer<T>;
        if (fieldSelector === `metadata.name=${name}`) return nodes as unknown as Informer<T>;
        return this.#shared.for(type, options);
      },
      release: (type) => this.#shared.release(type),
    };
  }
}
