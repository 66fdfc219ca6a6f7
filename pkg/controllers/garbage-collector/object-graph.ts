import type { OwnerReference } from '../../api/generated/types.ts';
import type { DeepReadonly, KubeObject, ResourceType } from '../../api/object.ts';

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

export type OwnerRef = DeepReadonly<OwnerReference>;

/** One object and its place between owners and dependents. */
export interface GraphNode {
  readonly uid: string;
  readonly type: ResourceType;
  readonly namespace: string;
  readonly name: string;
  owners: readonly OwnerRef[];
  readonly dependents: Set<GraphNode>;
  /** Being deleted. */
  deleting: boolean;
  /** Waits for its dependents to go (foregroundDeletion). */
  deletingDependents: boolean;
  /** Waits for its dependents to be released (orphan). */
  orphaning: boolean;
}

const NO_OWNERS: readonly OwnerRef[] = [];

/**
 * All objects by uid with their owner references, fed by informers. Every change names the uids that are to be looked at
 * (`touch`). An owner that has not been seen is kept as a set of dependents; whether it exists is asked when they are
 * looked at. Corresponds to upstream's GraphBuilder.
 */
export class ObjectGraph {
  readonly #nodes = new Map<string, GraphNode>();
  /** Dependents of owners that are not in the graph. */
  readonly #waiting = new Map<string, Set<GraphNode>>();
  readonly #touch: (uid: string) => void;
  readonly #elsewhere: (dependent: GraphNode, reference: OwnerRef) => void;

  /** `elsewhere`: an object names an owner that lives in another namespace. */
  constructor(touch: (uid: string) => void, elsewhere: (dependent: GraphNode, reference: OwnerRef) => void) {
    this.#touch = touch;
    this.#elsewhere = elsewhere;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** An object was added or has changed. */
  put(type: ResourceType, object: DeepReadonly<KubeObject>): void {
    const { uid, name, namespace = '', ownerReferences = NO_OWNERS, deletionTimestamp, finalizers } = object.metadata;
    let node = this.#nodes.get(uid);
    if (node === undefined) {
      node = {
        uid,
        type,
        namespace,
        name,
        owners: NO_OWNERS,
        dependents: this.#waiting.get(uid) ?? new Set(),
        deleting: false,
        deletingDependents: false,
        orphaning: false,
      };
      this.#waiting.delete(uid);
      this.#nodes.set(uid, node);
      for (const dependent of node.dependents) this.#verify(dependent, node);
    }
    if (ownerReferences.length > 0 || node.owners.length > 0) this.#link(node, ownerReferences);
    const deleting = deletionTimestamp !== undefined;
    const deletingDependents = deleting && (finalizers?.includes(FOREGROUND) ?? false);
    const orphaning = deleting && (finalizers?.includes(ORPHAN) ?? false);
    if (deletingDependents && !node.deletingDependents) {
      this.#touch(uid);
      for (const dependent of node.dependents) this.#touch(dependent.uid);
    }
    if (orphaning && !node.orphaning) this.#touch(uid);
    node.deleting = deleting;
    node.deletingDependents = deletingDependents;
    node.orphaning = orphaning;
  }

  /** An object is gone: its dependents may have to go too, and its owners may have waited for it. */
  remove(uid: string): void {
    const node = this.#nodes.get(uid);
    if (node === undefined) return;
    this.#nodes.delete(uid);
    this.#link(node, NO_OWNERS);
    if (node.dependents.size === 0) return;
    this.#waiting.set(uid, node.dependents);
    for (const dependent of node.dependents) this.#touch(dependent.uid);
  }

  #link(node: GraphNode, owners: readonly OwnerRef[]): void {
    const before = node.owners;
    node.owners = owners;
    for (const { uid, blockOwnerDeletion } of before) {
      const kept = owners.find((owner) => owner.uid === uid);
      if (kept === undefined) this.#unlink(uid, node);
      // An owner in foreground deletion may have waited for this one.
      if (kept === undefined || (blockOwnerDeletion && !kept.blockOwnerDeletion)) {
        if (this.#nodes.get(uid)?.deletingDependents) this.#touch(uid);
      }
    }
    for (const { uid } of owners) {
      if (before.some((owner) => owner.uid === uid)) continue;
      const owner = this.#nodes.get(uid);
      if (owner !== undefined) {
        owner.dependents.add(node);
        if (owner.deletingDependents) this.#touch(node.uid);
        this.#verify(node, owner);
        continue;
      }
      const waiting = this.#waiting.get(uid);
      if (waiting === undefined) this.#waiting.set(uid, new Set([node]));
      else waiting.add(node);
      this.#touch(node.uid);
    }
  }

  /** What a reference says of an owner may be wrong, though there is an object with that uid: then others decide. */
  #verify(dependent: GraphNode, owner: GraphNode): void {
    const reference = dependent.owners.find(({ uid }) => uid === owner.uid);
    if (reference === undefined) return;
    const isElsewhere = owner.namespace !== '' && owner.namespace !== dependent.namespace;
    if (isElsewhere) this.#elsewhere(dependent, reference);
    if (isElsewhere || reference.name !== owner.name || reference.kind !== owner.type.kind) this.#touch(dependent.uid);
  }

  #unlink(uid: string, node: GraphNode): void {
    const owner = this.#nodes.get(uid);
    if (owner !== undefined) {
      owner.dependents.delete(node);
      return;
    }
    const waiting = this.#waiting.get(uid);
    waiting?.delete(node);
    if (waiting?.size === 0) this.#waiting.delete(uid);
  }
}
