import type { NodeInfo } from '../framework/node-info.ts';
import type { Rejection } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';

/** A resource that a node has too little of for a pod. */
export interface Lack {
  /** `pods` when there are too many of them. */
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly allocatable: number;
}

const FIRST = ['cpu', 'memory', 'ephemeral-storage'];

/** What one pod asks of nodes, in the order in which upstream looks: CPU, memory, ephemeral storage, others by name. */
export class ResourceDemands {
  readonly #plugin: string;
  /** Resources that nodes without them may have by devices. */
  readonly #byDevices: ReadonlySet<string>;
  readonly #amounts: readonly (readonly [name: string, amount: number])[];
  /** By what is lacking: thousands of nodes lack the same. */
  readonly #rejections = new Map<number, Rejection>();

  constructor(
    plugin: string,
    { requests }: PodInfo,
    isIgnored: (name: string) => boolean = () => false,
    isByDevices: (name: string) => boolean = () => false,
  ) {
    this.#plugin = plugin;
    const others = [...requests.keys()].filter((name) => !FIRST.includes(name)).sort();
    this.#amounts = [...FIRST, ...others]
      .map((name) => [name, requests.get(name) ?? 0] as const)
      .filter(([name, amount]) => amount > 0 && !isIgnored(name));
    this.#byDevices = new Set(others.filter(isByDevices));
  }

  fits(node: NodeInfo): boolean {
    return this.rejectionOf(node) === undefined;
  }

  /** Undefined when there is enough of everything. */
  rejectionOf(node: NodeInfo): Rejection | undefined {
    let lacking = node.pods.size + 1 > (node.allocatable.get('pods') ?? 0) ? 1 : 0;
    let tooLarge = 0;
    let bit = 2;
    for (const demand of this.#amounts) {
      const allocatable = node.allocatable.get(demand[0]) ?? 0;
      if (
        demand[1] > allocatable - (node.requested.get(demand[0]) ?? 0) &&
        !this.#isByDevices(demand[0], allocatable)
      ) {
        lacking += bit;
        // What exceeds the whole node is not helped by removing pods.
        if (demand[1] > allocatable) tooLarge = 1;
      }
      bit *= 2;
    }
    if (lacking === 0) return undefined;
    const key = lacking + tooLarge * bit;
    let rejection = this.#rejections.get(key);
    if (rejection === undefined) {
      const reasons = this.lacks(node).map(({ resource }) =>
        resource === 'pods' ? 'Too many pods' : `Insufficient ${resource}`,
      );
      rejection = { plugin: this.#plugin, reasons, resolvable: tooLarge === 0 };
      this.#rejections.set(key, rejection);
    }
    return rejection;
  }

  /** Everything that there is too little of. */
  lacks(node: NodeInfo): Lack[] {
    const lacking: Lack[] = [];
    const maxPods = node.allocatable.get('pods') ?? 0;
    if (node.pods.size + 1 > maxPods) {
      lacking.push({ resource: 'pods', requested: 1, used: node.pods.size, allocatable: maxPods });
    }
    for (const [resource, requested] of this.#amounts) {
      const allocatable = node.allocatable.get(resource) ?? 0;
      const used = node.requested.get(resource) ?? 0;
      if (requested > allocatable - used && !this.#isByDevices(resource, allocatable))
        lacking.push({ resource, requested, used, allocatable });
    }
    return lacking;
  }

  #isByDevices(resource: string, allocatable: number): boolean {
    return allocatable === 0 && this.#byDevices.has(resource);
  }
}
