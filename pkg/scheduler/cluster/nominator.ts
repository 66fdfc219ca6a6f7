import type { PodInfo } from '../framework/pod-info.ts';

const NONE: ReadonlyMap<string, PodInfo> = new Map();

/** Pods that wait for room which preemption makes for them, by the node that they will (most likely) get. */
export class Nominator {
  readonly #byNode = new Map<string, Map<string, PodInfo>>();
  readonly #nodeOf = new Map<string, string>();

  get size(): number {
    return this.#nodeOf.size;
  }

  add(pod: PodInfo, node: string): void {
    this.remove(pod.uid);
    this.#nodeOf.set(pod.uid, node);
    const pods = this.#byNode.get(node);
    if (pods === undefined) this.#byNode.set(node, new Map([[pod.uid, pod]]));
    else pods.set(pod.uid, pod);
  }

  remove(uid: string): void {
    const node = this.#nodeOf.get(uid);
    if (node === undefined) return;
    this.#nodeOf.delete(uid);
    const pods = this.#byNode.get(node);
    pods?.delete(uid);
    if (pods?.size === 0) this.#byNode.delete(node);
  }

  nodeOf(uid: string): string | undefined {
    return this.#nodeOf.get(uid);
  }

  on(node: string): ReadonlyMap<string, PodInfo> {
    return this.#byNode.get(node) ?? NONE;
  }
}
