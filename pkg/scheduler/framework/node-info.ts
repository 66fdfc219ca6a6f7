import type { Node } from '../../api/generated/types.ts';
import { type ResourceAmounts, resourceAmounts } from '../../api/scheduling/pod-requests.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { HostPort, PodInfo } from './pod-info.ts';

/** A node with the pods on it (also those that are only assumed to be), summed up. */
export class NodeInfo {
  readonly name: string;
  /** Absent while only pods of it are known. */
  node: DeepReadonly<Node> | undefined;
  labels: Readonly<Record<string, string>> = {};
  allocatable: ResourceAmounts = new Map();
  /** Sizes of the images on it by name. */
  images: ReadonlyMap<string, number> = new Map();
  readonly pods = new Map<string, PodInfo>();
  readonly requested = new Map<string, number>();
  scoredCPU = 0;
  scoredMemory = 0;

  constructor(name: string) {
    this.name = name;
  }

  setNode(node: DeepReadonly<Node>): void {
    this.node = node;
    this.labels = node.metadata.labels ?? {};
    this.allocatable = resourceAmounts(node.status.allocatable);
    this.images = new Map(
      (node.status.images ?? []).flatMap((image) => (image.names ?? []).map((name) => [name, image.sizeBytes ?? 0])),
    );
  }

  addPod(info: PodInfo): void {
    if (this.pods.has(info.uid)) this.removePod(info.uid);
    this.pods.set(info.uid, info);
    this.#sum(info, 1);
  }

  removePod(uid: string): void {
    const info = this.pods.get(uid);
    if (info === undefined) return;
    this.pods.delete(uid);
    this.#sum(info, -1);
  }

  /** A copy for trying something out. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.name);
    copy.node = this.node;
    copy.labels = this.labels;
    copy.allocatable = this.allocatable;
    copy.images = this.images;
    for (const [uid, info] of this.pods) copy.pods.set(uid, info);
    for (const [name, amount] of this.requested) copy.requested.set(name, amount);
    copy.scoredCPU = this.scoredCPU;
    copy.scoredMemory = this.scoredMemory;
    return copy;
  }

  /** Whether a pod on this node has a host port that collides; 0.0.0.0 collides with every address. */
  portTaken(wanted: HostPort): boolean {
    for (const { hostPorts } of this.pods.values()) {
      for (const used of hostPorts) {
        const sameAddress = used.ip === wanted.ip || used.ip === '0.0.0.0' || wanted.ip === '0.0.0.0';
        if (sameAddress && used.port === wanted.port && used.protocol === wanted.protocol) return true;
      }
    }
    return false;
  }

  #sum(info: PodInfo, sign: 1 | -1): void {
    for (const [name, amount] of info.requests)
      this.requested.set(name, (this.requested.get(name) ?? 0) + sign * amount);
    this.scoredCPU += sign * info.scoredCPU;
    this.scoredMemory += sign * info.scoredMemory;
  }
}
