import type { Node, Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { NodeInfo } from '../framework/node-info.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { interleaveZones } from './node-list.ts';
import { PodCounts } from './pod-counts.ts';
import { TermIndex } from './term-index.ts';

/**
 * What the scheduler believes of the cluster: nodes and the pods on them. A pod that was just placed is assumed to be there
 * until the API server confirms it or the binding fails. Changed synchronously, so a cycle sees one consistent state without
 * a snapshot; sums are kept up to date with each change, so a cycle need not look at pods.
 */
export class ClusterState {
  readonly #nodes = new Map<string, NodeInfo>();
  /** The nodes that exist, zones taking turns; undefined when it has to be made again. */
  #list: readonly NodeInfo[] | undefined;
  /** uid -> node of every pod counted. */
  readonly #placed = new Map<string, string>();
  /** Image name -> nodes that have it. */
  readonly #imageNodes = new Map<string, number>();
  /** Values of a node label -> nodes with it; undefined entries have to be made again. */
  readonly #domains = new Map<string, ReadonlyMap<string, number>>();
  /** Claim -> uids of the placed pods that use it. */
  readonly #claimUsers = new Map<string, Set<string>>();
  readonly podCounts: PodCounts;
  readonly terms: TermIndex;

  constructor() {
    const labelsOf = (name: string): Readonly<Record<string, string>> | undefined => {
      const info = this.#nodes.get(name);
      return info?.node === undefined ? undefined : info.labels;
    };
    this.podCounts = new PodCounts({ labelsOf, placed: () => this.#allPlaced() });
    this.terms = new TermIndex(labelsOf);
  }

  get nodes(): readonly NodeInfo[] {
    this.#list ??= interleaveZones(this.#existing());
    return this.#list;
  }

  get podCount(): number {
    return this.#placed.size;
  }

  get(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  setNode(node: DeepReadonly<Node>): NodeInfo {
    const info = this.#node(node.metadata.name);
    const isNew = info.node === undefined;
    const before = info.labels;
    this.#countImages(info, -1);
    info.setNode(node);
    this.#countImages(info, 1);
    if (isNew || !sameLabels(before, info.labels)) this.#topologyChanged(info.name);
    return info;
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (info === undefined) return;
    this.#countImages(info, -1);
    info.node = undefined;
    info.images = new Map();
    this.#topologyChanged(name);
    if (info.pods.size === 0) this.#nodes.delete(name);
  }

  /** Counts a pod on a node; a pod that was assumed elsewhere moves. */
  placePod(pod: PodInfo, nodeName: string): void {
    if (this.#placed.has(pod.uid)) this.removePod(pod.uid);
    this.#placed.set(pod.uid, nodeName);
    this.#node(nodeName).addPod(pod);
    this.podCounts.change(pod, nodeName, 1);
    this.terms.change(pod, nodeName, 1);
    for (const claim of pod.claims) {
      const users = this.#claimUsers.get(claim);
      if (users === undefined) this.#claimUsers.set(claim, new Set([pod.uid]));
      else users.add(pod.uid);
    }
  }

  /** Takes over a newer version of a placed pod that takes the same place. */
  refreshPod(pod: DeepReadonly<Pod>): void {
    const info = this.placedPod(pod.metadata.uid);
    if (info !== undefined) this.#nodes.get(this.nodeOf(info.uid) ?? '')?.pods.set(info.uid, { ...info, pod });
  }

  removePod(uid: string): void {
    const nodeName = this.#placed.get(uid);
    if (nodeName === undefined) return;
    this.#placed.delete(uid);
    const info = this.#nodes.get(nodeName);
    const pod = info?.pods.get(uid);
    if (info === undefined || pod === undefined) return;
    info.removePod(uid);
    this.podCounts.change(pod, nodeName, -1);
    this.terms.change(pod, nodeName, -1);
    for (const claim of pod.claims) {
      const users = this.#claimUsers.get(claim);
      users?.delete(uid);
      if (users?.size === 0) this.#claimUsers.delete(claim);
    }
    if (info.node === undefined && info.pods.size === 0) this.#nodes.delete(nodeName);
  }

  nodeOf(uid: string): string | undefined {
    return this.#placed.get(uid);
  }

  placedPod(uid: string): PodInfo | undefined {
    const nodeName = this.#placed.get(uid);
    return nodeName === undefined ? undefined : this.#nodes.get(nodeName)?.pods.get(uid);
  }

  /** How many nodes have an image. */
  nodesWithImage(image: string): number {
    return this.#imageNodes.get(image) ?? 0;
  }

  /** The placed pods that use a claim. */
  claimUsers(claim: string): ReadonlySet<string> | undefined {
    return this.#claimUsers.get(claim);
  }

  /** The values that the nodes have for a label, with the number of nodes of each. */
  domains(topologyKey: string): ReadonlyMap<string, number> {
    let domains = this.#domains.get(topologyKey);
    if (domains === undefined) {
      const counts = new Map<string, number>();
      for (const { labels } of this.#existing()) {
        const value = labels[topologyKey];
        if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
      }
      domains = counts;
      this.#domains.set(topologyKey, domains);
    }
    return domains;
  }

  *#existing(): Iterable<NodeInfo> {
    for (const info of this.#nodes.values()) if (info.node !== undefined) yield info;
  }

  *#allPlaced(): Iterable<readonly [PodInfo, string]> {
    for (const info of this.#nodes.values()) for (const pod of info.pods.values()) yield [pod, info.name];
  }

  #topologyChanged(name: string): void {
    this.#list = undefined;
    this.#domains.clear();
    this.podCounts.nodeChanged(name);
    this.terms.nodeChanged(name);
  }

  #countImages({ images }: NodeInfo, amount: 1 | -1): void {
    for (const name of images.keys()) this.#imageNodes.set(name, (this.#imageNodes.get(name) ?? 0) + amount);
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

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
