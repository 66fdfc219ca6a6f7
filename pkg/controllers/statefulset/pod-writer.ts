import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { PersistentVolumeClaim } from '../../api/generated/types.ts';
import { keyOf } from '../../api/object.ts';
import type { Client, Lister } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import { newControllerRef } from '../owner.ts';
import { isNamespaceTerminating, messageOf } from '../pod-control.ts';
import type { ReadPod } from '../pod-status.ts';
import { type ReadRevision, templateOf } from '../revision-history.ts';
import { claimOwners } from './claim-retention.ts';
import {
  claimsOf,
  missingLabels,
  ordinalOf,
  podFor,
  podName,
  type ReadClaim,
  type ReadStatefulSet,
} from './identity.ts';

export interface PodWriterDeps {
  readonly client: Client;
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly recorder: EventRecorder;
}

/** Writes the pods and claims of a StatefulSet and tells so in its events. Upstream: StatefulPodControl. */
export class PodWriter {
  readonly #deps: PodWriterDeps;

  constructor(deps: PodWriterDeps) {
    this.#deps = deps;
  }

  /** False: a claim of its predecessor is still going away. */
  async create(set: ReadStatefulSet, revision: ReadRevision, ordinal: number): Promise<boolean> {
    const name = podName(set, ordinal);
    if (this.#hasStaleClaim(set, ordinal)) return false;
    try {
      await this.#createClaims(set, ordinal);
      const { metadata, spec } = podFor(set, templateOf(revision), revision.metadata.name, ordinal);
      const ownerReferences = [newControllerRef(resources.statefulsets, set)];
      await this.#deps.client.create(resources.pods, { metadata: { ...metadata, ownerReferences }, spec });
      this.#tell(set, 'Create', name);
    } catch (error) {
      if (isNamespaceTerminating(error) || isNamespaceTerminating((error as Error).cause)) return false;
      if (!isStatusError(error, 'AlreadyExists')) this.#tell(set, 'Create', name, error);
      throw error;
    }
    return true;
  }

  async remove(set: ReadStatefulSet, pod: ReadPod): Promise<void> {
    const { metadata } = pod;
    try {
      await this.#deps.client.delete(resources.pods, metadata, { preconditions: { uid: metadata.uid } });
    } catch (error) {
      // Replaced by its successor.
      if (isStatusError(error, 'Conflict')) return;
      if (!isStatusError(error, 'NotFound')) {
        this.#tell(set, 'Delete', metadata.name, error);
        throw error;
      }
    }
    this.#tell(set, 'Delete', metadata.name);
  }

  /** Puts right what has been changed on a pod that stays, and on its claims. */
  async keep(set: ReadStatefulSet, pod: ReadPod, ordinal: number): Promise<void> {
    const labels = missingLabels(pod, ordinal);
    if (labels !== undefined) {
      await ignoreNotFound(
        this.#deps.client.patch(resources.pods, pod.metadata, 'strategic', { metadata: { labels } }),
      );
      this.#tell(set, 'Update', pod.metadata.name);
    }
    if (pod.status?.phase === 'Pending') await this.#createClaims(set, ordinal);
    await this.syncClaimOwners(set, pod, false);
  }

  async syncClaimOwners(set: ReadStatefulSet, pod: ReadPod, isScaledDown: boolean): Promise<void> {
    const ordinal = ordinalOf(set, pod);
    if (ordinal === undefined) return;
    for (const claim of this.#presentClaims(set, ordinal)) {
      const ownerReferences = claimOwners(set, claim, pod, isScaledDown);
      if (ownerReferences === undefined) continue;
      const metadata = { ...claim.metadata, ownerReferences };
      await ignoreNotFound(this.#deps.client.update(resources.persistentvolumeclaims, { ...claim, metadata }));
    }
  }

  #presentClaims(set: ReadStatefulSet, ordinal: number): ReadClaim[] {
    const present: ReadClaim[] = [];
    for (const wanted of claimsOf(set, ordinal).values()) {
      const claim = this.#deps.claims.get(keyOf(wanted));
      if (claim !== undefined) present.push(claim);
    }
    return present;
  }

  /** A claim that goes with the pod of the same name that was there before. */
  #hasStaleClaim(set: ReadStatefulSet, ordinal: number): boolean {
    const name = podName(set, ordinal);
    return this.#presentClaims(set, ordinal).some(({ metadata }) =>
      metadata.ownerReferences?.some((owner) => owner.kind === 'Pod' && owner.name === name && owner.controller),
    );
  }

  /** Creates what is missing of a pod's claims: each is tried, and what failed is told together. */
  async #createClaims(set: ReadStatefulSet, ordinal: number): Promise<void> {
    const failures: string[] = [];
    let refusal: unknown;
    for (const claim of claimsOf(set, ordinal).values()) {
      const { name } = claim.metadata;
      const present = this.#deps.claims.get(keyOf(claim));
      if (present?.metadata.deletionTimestamp !== undefined) failures.push(`pvc ${name} is being deleted`);
      if (present !== undefined) continue;
      try {
        await this.#createClaim(set, claim, ordinal);
      } catch (error) {
        refusal ??= error;
        failures.push(`failed to create PVC ${name}: ${messageOf(error)}`);
      }
    }
    const [first] = failures;
    if (first === undefined) return;
    throw new Error(failures.length === 1 ? first : `[${failures.join(', ')}]`, { cause: refusal });
  }

  async #createClaim(set: ReadStatefulSet, claim: ReadClaim, ordinal: number): Promise<void> {
    const { name } = claim.metadata;
    const ownerReferences = claimOwners(set, { ...claim, metadata: { ...claim.metadata } }, undefined, false);
    const metadata = { ...claim.metadata, ...(ownerReferences === undefined ? {} : { ownerReferences }) };
    const where = `Pod ${podName(set, ordinal)} in StatefulSet ${set.metadata.name}`;
    try {
      await this.#deps.client.create(resources.persistentvolumeclaims, { ...claim, metadata });
    } catch (error) {
      if (isStatusError(error, 'AlreadyExists')) return;
      const message = `Create Claim ${name} for ${where} failed error: ${messageOf(error)}`;
      if (!isNamespaceTerminating(error)) this.#deps.recorder.event(set, 'Warning', 'FailedCreate', message);
      throw error;
    }
    this.#deps.recorder.event(set, 'Normal', 'SuccessfulCreate', `Create Claim ${name} ${where} success`);
  }

  #tell(set: ReadStatefulSet, verb: 'Create' | 'Delete' | 'Update', pod: string, error?: unknown): void {
    const what = `${verb} Pod ${pod} in StatefulSet ${set.metadata.name}`;
    if (error === undefined) this.#deps.recorder.event(set, 'Normal', `Successful${verb}`, `${what} successful`);
    else this.#deps.recorder.event(set, 'Warning', `Failed${verb}`, `${what} failed error: ${messageOf(error)}`);
  }
}
