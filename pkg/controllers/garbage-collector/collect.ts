import { isStatusError } from '../../api/errors.ts';
import type { DeepReadonly, KubeObject, ObjectKey, ResourceType } from '../../api/object.ts';
import type { Logger } from '../../base/logger.ts';
import type { Client } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { FOREGROUND, type GraphNode, type ObjectGraph, ORPHAN, type OwnerRef } from './object-graph.ts';

export interface CollectorDeps {
  readonly client: Client;
  readonly logger: Logger;
  readonly graph: ObjectGraph;
  /** The type of an apiVersion and kind, of those that the server serves. */
  readonly typeOf: (apiVersion: string, kind: string) => ResourceType | undefined;
  /** Looks at an object again. */
  readonly touch: (uid: string) => void;
}

interface Classified {
  readonly solid: readonly OwnerRef[];
  readonly dangling: readonly OwnerRef[];
  /** Owners that wait for their dependents to go. */
  readonly waiting: readonly OwnerRef[];
}

/** The owner's kind is not served (any more, or yet): nothing is known about it. */
class UnknownOwnerKind extends Error {
  constructor(reference: OwnerRef) {
    super(`owner of unknown kind ${reference.apiVersion} ${reference.kind}`);
    this.name = 'UnknownOwnerKind';
  }
}

/** A cluster-scoped object names an owner of a kind that lives in namespaces: nothing follows from that, ever. */
class NamespacedOwner extends Error {
  override readonly name = 'NamespacedOwner';
}

/** Looks at one object (the request's name is its uid): deletes it, lets go of dead owners, ends foreground and orphan deletions. */
export class Collector implements Reconciler {
  readonly #deps: CollectorDeps;

  constructor(deps: CollectorDeps) {
    this.#deps = deps;
  }

  async reconcile({ name: uid }: Request): Promise<ReconcileResult> {
    const node = this.#deps.graph.get(uid);
    if (node === undefined) return undefined;
    if (node.orphaning) await this.#orphanDependents(node);
    else if (node.deletingDependents) await this.#awaitDependents(node);
    else if (!node.deleting && node.owners.length > 0) {
      try {
        await this.#attemptToDelete(node);
      } catch (error) {
        if (!(error instanceof NamespacedOwner)) throw error;
      }
    }
    return undefined;
  }

  async #attemptToDelete(node: GraphNode): Promise<void> {
    const { client } = this.#deps;
    const object = await ignoreNotFound(client.get<KubeObject>(node.type, keyOf(node)));
    // Gone, or another object of the same name: the informer will tell.
    if (object === undefined || object.metadata.uid !== node.uid) return;
    const { ownerReferences = [], finalizers = [] } = object.metadata;
    if (ownerReferences.length === 0) return;
    let { resourceVersion } = object.metadata;
    const { solid, dangling, waiting } = await this.#classify(node, ownerReferences);
    if (solid.length > 0) {
      if (dangling.length > 0 || waiting.length > 0) await this.#patchOwners(node, solid, resourceVersion);
      return;
    }
    let propagationPolicy = 'Background';
    if (finalizers.includes(ORPHAN)) propagationPolicy = 'Orphan';
    else if (finalizers.includes(FOREGROUND)) propagationPolicy = 'Foreground';
    if (waiting.length > 0 && node.dependents.size > 0) {
      propagationPolicy = 'Foreground';
      // Perhaps a circle, in which each would wait for the next: this one holds up its owners no more.
      if ([...node.dependents].some(({ deletingDependents }) => deletingDependents)) {
        resourceVersion = (await this.#unblockOwners(node, ownerReferences, resourceVersion)) ?? resourceVersion;
      }
    }
    const preconditions = { uid: node.uid, resourceVersion };
    await ignoreNotFound(client.delete(node.type, keyOf(node), { preconditions, propagationPolicy }));
  }

  async #classify(node: GraphNode, references: readonly OwnerRef[]): Promise<Classified> {
    const solid: OwnerRef[] = [];
    const dangling: OwnerRef[] = [];
    const waiting: OwnerRef[] = [];
    for (const reference of references) {
      const owner = await this.#findOwner(node, reference);
      if (owner === undefined) dangling.push(reference);
      else if (owner === 'waiting') waiting.push(reference);
      else solid.push(reference);
    }
    return { solid, dangling, waiting };
  }

  async #findOwner(node: GraphNode, reference: OwnerRef): Promise<'solid' | 'waiting' | undefined> {
    const known = this.#deps.graph.get(reference.uid);
    if (known !== undefined && known.name === reference.name && known.type.kind === reference.kind) {
      if (!known.type.namespaced || known.namespace === node.namespace) {
        return known.deletingDependents ? 'waiting' : 'solid';
      }
    }
    const type = this.#deps.typeOf(reference.apiVersion, reference.kind);
    if (type === undefined) throw new UnknownOwnerKind(reference);
    if (type.namespaced && node.namespace === '') throw new NamespacedOwner();
    const key = type.namespaced ? { namespace: node.namespace, name: reference.name } : { name: reference.name };
    const owner = await ignoreNotFound(this.#deps.client.get<KubeObject>(type, key));
    if (owner === undefined || owner.metadata.uid !== reference.uid) return undefined;
    const { deletionTimestamp, finalizers } = owner.metadata;
    return deletionTimestamp !== undefined && finalizers?.includes(FOREGROUND) ? 'waiting' : 'solid';
  }

  /** Foreground: the object goes when no dependent is left that blocks it. */
  async #awaitDependents(node: GraphNode): Promise<void> {
    const blocking = [...node.dependents].filter((dependent) =>
      dependent.owners.some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion === true),
    );
    if (blocking.length === 0) {
      await this.#removeFinalizer(node, FOREGROUND);
      return;
    }
    for (const dependent of blocking) if (!dependent.deletingDependents) this.#deps.touch(dependent.uid);
  }

  /** Returns the object's new version; undefined: nothing was blocked. */
  async #unblockOwners(
    node: GraphNode,
    owners: readonly OwnerRef[],
    resourceVersion: string,
  ): Promise<string | undefined> {
    if (!owners.some(({ blockOwnerDeletion }) => blockOwnerDeletion)) return undefined;
    const unblocked = owners.map((reference) => ({ ...reference, blockOwnerDeletion: false }));
    return (await this.#patchOwners(node, unblocked, resourceVersion))?.metadata.resourceVersion;
  }

  async #orphanDependents(node: GraphNode): Promise<void> {
    await Promise.all(
      [...node.dependents].map(async (dependent) => {
        const object = await ignoreNotFound(this.#deps.client.get<KubeObject>(dependent.type, keyOf(dependent)));
        if (object === undefined || object.metadata.uid !== dependent.uid) return;
        const { ownerReferences = [], resourceVersion } = object.metadata;
        const kept = ownerReferences.filter(({ uid }) => uid !== node.uid);
        if (kept.length < ownerReferences.length) await this.#patchOwners(dependent, kept, resourceVersion);
      }),
    );
    await this.#removeFinalizer(node, ORPHAN);
  }

  /** A merge patch, which every resource knows, guarded by the version that was read. */
  #patchOwners(
    node: GraphNode,
    owners: readonly OwnerRef[],
    resourceVersion: string,
  ): Promise<DeepReadonly<KubeObject> | undefined> {
    const ownerReferences = owners.length === 0 ? null : owners;
    const patch = { metadata: { uid: node.uid, resourceVersion, ownerReferences } };
    return ignoreNotFound(this.#deps.client.patch<KubeObject>(node.type, keyOf(node), 'merge', patch));
  }

  async #removeFinalizer(node: GraphNode, finalizer: string): Promise<void> {
    const { client } = this.#deps;
    const object: DeepReadonly<KubeObject> | undefined = await ignoreNotFound(client.get(node.type, keyOf(node)));
    if (object === undefined || object.metadata.uid !== node.uid) return;
    const { finalizers = [], resourceVersion } = object.metadata;
    if (!finalizers.includes(finalizer)) return;
    const kept = finalizers.filter((name) => name !== finalizer);
    const patch = { metadata: { resourceVersion, finalizers: kept.length === 0 ? null : kept } };
    try {
      await client.patch(node.type, keyOf(node), 'merge', patch);
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  }
}

function keyOf(node: GraphNode): ObjectKey {
  return node.type.namespaced ? { namespace: node.namespace, name: node.name } : { name: node.name };
}
