import type { Node } from '../api/generated/types.ts';
import type { DeepReadonly } from '../base/json.ts';
import { NodeInfo } from './framework/node-info.ts';
import type { PodInfo } from './framework/pod-info.ts';

/**
 * What the scheduler believes of the cluster: nodes and the pods on them. A pod that was just placed is assumed to be there
 * until the API server confirms it or the binding fails. Changed synchronously, so a cycle sees one consistent state.
 */
export class SchedulerCache {
  readonly #nodes = new Map<string, NodeInfo>();
  /** The nodes that exist, in the order they came. */
  #schedulable: NodeInfo[] = [];
  /** uid -> node of every pod counted. */
  readonly #placed = new Map<string, string>();

  get nodes(): readonly NodeInfo[] {
    return this.#schedulable;
  }

  get(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  setNode(node: DeepReadonly<Node>): NodeInfo {
    const info = this.#node(node.metadata.name);
    const isNew = info.node === undefined;
    info.setNode(node);
    if (isNew) this.#schedulable.push(info);
    return info;
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (info === undefined) return;
    info.node = undefined;
    this.#schedulable = this.#schedulable.filter((other) => other !== info);
    if (info.pods.size === 0) this.#nodes.delete(name);
  }

  /** Counts a pod on a node; a pod that was assumed elsewhere moves. */
  placePod(pod: PodInfo, nodeName: string): void {
    const before = this.#placed.get(pod.uid);
    if (before !== undefined && before !== nodeName) this.removePod(pod.uid);
    this.#placed.set(pod.uid, nodeName);
    this.#node(nodeName).addPod(pod);
  }

  removePod(uid: string): void {
    const nodeName = this.#placed.get(uid);
    if (nodeName === undefined) return;
    this.#placed.delete(uid);
    const info = this.#nodes.get(nodeName);
    info?.removePod(uid);
    if (info !== undefined && info.node === undefined && info.pods.size === 0) this.#nodes.delete(nodeName);
  }

  isPlaced(uid: string): boolean {
    return this.#placed.has(uid);
  }

  #node(name: string): NodeInfo {
    let info = this.#nodes.get(name);
    if (info === undefined) {
      info = new NodeInfo(name);
      this.#nodes.set(name, info);
    }
    return info;
  }
}
