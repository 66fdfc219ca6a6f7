import { resources } from '../../api/generated/resources.ts';
import type { Pod, ResourceResourceClaim } from '../../api/generated/types.ts';
import type { Client, Lister } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import { type ReconcileResult, type Reconciler, type Request, TerminalError } from '../../controller/controller.ts';
import { type Consumer, FINALIZER, isDone, isProtected, type ReadClaim, statusFor } from './claim-plan.ts';

export interface ClaimReleaseReconcilerDeps {
  readonly client: Client;
  readonly pods: Lister<Pod>;
  readonly claims: Lister<ResourceResourceClaim>;
}

/**
 * Takes pods that have ended out of a claim's reservations, gives its devices back after the last of them, and deletes a claim
 * that was made for a pod that has ended.
 */
export class ClaimReleaseReconciler implements Reconciler {
  readonly #deps: ClaimReleaseReconcilerDeps;

  constructor(deps: ClaimReleaseReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const claim = this.#deps.claims.get(`${namespace}/${name}`);
    if (claim === undefined) return undefined;
    const left = await this.#left(claim);
    await ignoreNotFound(this.#release(claim, left));
    if (left.length === 0) await this.#deleteForEnded(claim);
    return undefined;
  }

  /** The consumers that still are there. */
  async #left(claim: ReadClaim): Promise<readonly Consumer[]> {
    const left: Consumer[] = [];
    for (const consumer of claim.status?.reservedFor ?? []) {
      const { apiGroup = '', resource } = consumer;
      if (apiGroup !== '' || resource !== 'pods') {
        throw new TerminalError(`unsupported ReservedFor entry: ${JSON.stringify(consumer)}`);
      }
      if (await this.#isInUse(claim.metadata.namespace, consumer)) left.push(consumer);
    }
    return left;
  }

  async #isInUse(namespace: string, { name, uid }: Consumer): Promise<boolean> {
    const known = this.#deps.pods.get(`${namespace}/${name}`);
    if (known !== undefined) return known.metadata.uid === uid && !isDone(known);
    // It may only not be known yet, and the scheduler be about to bind it.
    const pod = await ignoreNotFound(this.#deps.client.get(resources.pods, { namespace, name }));
    return pod?.metadata.uid === uid;
  }

  async #release(claim: ReadClaim, left: readonly Consumer[]): Promise<void> {
    const { client } = this.#deps;
    const status = statusFor(claim, left);
    const updated =
      status === undefined ? claim : await client.updateStatus(resources.resourceclaims, { ...claim, status });
    const isNeeded = updated.status?.allocation !== undefined;
    const isLeaving = status !== undefined || claim.metadata.deletionTimestamp !== undefined;
    if (isNeeded || !isLeaving || left.length > 0 || !isProtected(updated)) return;
    const finalizers = (updated.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    await client.update(resources.resourceclaims, { ...updated, metadata: { ...updated.metadata, finalizers } });
  }

  /** The garbage collector does it when the pod is deleted, which may be much later. */
  async #deleteForEnded({ metadata }: ReadClaim): Promise<void> {
    const owner = metadata.ownerReferences?.find(({ kind, controller }) => kind === 'Pod' && controller);
    const pod = owner === undefined ? undefined : this.#deps.pods.get(`${metadata.namespace}/${owner.name}`);
    if (pod === undefined || metadata.deletionTimestamp !== undefined) return;
    if (pod.metadata.uid === owner?.uid && !isDone(pod)) return;
    await ignoreNotFound(this.#deps.client.delete(resources.resourceclaims, metadata));
  }
}
