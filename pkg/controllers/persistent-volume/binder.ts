import { resources } from '../../api/generated/resources.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
} from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { quantityValue } from '../../api/quantity.ts';
import { equalJSON } from '../../base/json.ts';
import type { Client } from '../../client/client.ts';
import {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  type Claim,
  isReservedFor,
  STORAGE_PROVISIONER,
  type Volume,
} from './claims-and-volumes.ts';
import type { Latest } from './latest.ts';
import { unbound } from './volume-plan.ts';

export interface BinderDeps {
  readonly client: Client;
  readonly claims: Latest<PersistentVolumeClaim>;
  readonly volumes: Latest<PersistentVolume>;
}

/** The writes of the volume controller. Each writes only what differs; all throw when somebody else wrote in between. */
export class Binder {
  readonly #deps: BinderDeps;

  constructor(deps: BinderDeps) {
    this.#deps = deps;
  }

  /** The volume is written first: from then on no other claim can have it, whatever happens to us. */
  async bind(volume: Volume, claim: Claim): Promise<void> {
    const isNew = volume.spec.claimRef === undefined && volume.status?.phase === 'Pending';
    const free = isNew ? await this.setPhase(volume, 'Available') : volume;
    const reserved = await this.#updateVolume(free, reservedFor(free, claim));
    const bound = await this.setPhase(reserved, 'Bound');
    const pointing = await this.#updateClaim(claim, pointingTo(claim, bound));
    await this.setClaimStatus(pointing, 'Bound', bound);
  }

  async unbind(volume: Volume): Promise<void> {
    await this.setPhase(await this.#updateVolume(volume, unbound(volume)), 'Available');
  }

  async setPhase(volume: Volume, phase: string, message?: string): Promise<Volume> {
    if (volume.status?.phase === phase) return volume;
    const { message: _, ...status } = volume.status ?? {};
    const next = { ...volume, status: { ...status, phase, ...(message === undefined ? {} : { message }) } };
    return this.#deps.volumes.note(await this.#deps.client.updateStatus(resources.persistentvolumes, next));
  }

  /** Without a volume the claim has neither modes nor capacity. */
  async setClaimStatus(claim: Claim, phase: string, volume?: Volume): Promise<Claim> {
    const status = claimStatus(claim, phase, volume);
    if (equalJSON(status, claim.status ?? {})) return claim;
    const next = { ...claim, status };
    return this.#deps.claims.note(await this.#deps.client.updateStatus(resources.persistentvolumeclaims, next));
  }

  async setClass(claim: Claim, storageClassName: string): Promise<void> {
    await this.#updateClaim(claim, { ...claim, spec: { ...claim.spec, storageClassName } });
  }

  /** Tells provisioners that the claim is theirs. */
  async setProvisioner(claim: Claim, provisioner: string): Promise<Claim> {
    const marks = { [STORAGE_PROVISIONER]: provisioner, [BETA_STORAGE_PROVISIONER]: provisioner };
    return this.#updateClaim(claim, annotated(claim, marks));
  }

  async #updateVolume(volume: Volume, next: Volume): Promise<Volume> {
    if (next === volume || equalJSON(next, volume)) return volume;
    return this.#deps.volumes.note(await this.#deps.client.update(resources.persistentvolumes, next));
  }

  async #updateClaim(claim: Claim, next: Claim): Promise<Claim> {
    if (equalJSON(next, claim)) return claim;
    return this.#deps.claims.note(await this.#deps.client.update(resources.persistentvolumeclaims, next));
  }
}

function reservedFor(volume: Volume, claim: Claim): Volume {
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const claimRef = { kind: 'PersistentVolumeClaim', namespace, name, uid, apiVersion: 'v1', resourceVersion };
  const isOurs = volume.spec.claimRef?.uid === uid;
  const next: Volume = isOurs ? volume : { ...volume, spec: { ...volume.spec, claimRef } };
  return isReservedFor(volume, claim) ? next : annotated(next, { [BOUND_BY_CONTROLLER]: 'yes' });
}

function pointingTo(claim: Claim, volume: Volume): Claim {
  const volumeName = volume.metadata.name;
  const chosenByUs = claim.spec.volumeName !== volumeName;
  return annotated(
    { ...claim, spec: { ...claim.spec, volumeName } },
    { ...(chosenByUs ? { [BOUND_BY_CONTROLLER]: 'yes' } : {}), [BIND_COMPLETED]: 'yes' },
  );
}

/** Annotations that are there already keep their values, but for a provisioner that has changed. */
function annotated<T extends Claim | Volume>(object: T, added: Readonly<Record<string, string>>): T {
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...added } } };
}

/** The capacity is taken over when the claim becomes bound: later a file system may be smaller than its volume. */
export function claimStatus(
  claim: Claim,
  phase: string,
  volume: Volume | undefined,
): DeepReadonly<PersistentVolumeClaimStatus> {
  const { accessModes: _, capacity: before, ...status } = claim.status ?? {};
  if (volume === undefined) return { ...status, phase };
  const { accessModes, capacity, volumeAttributesClassName } = volume.spec;
  const becomesBound = claim.status?.phase !== phase;
  const same = before !== undefined && sizeOf(before) === sizeOf(capacity);
  const size = becomesBound && !same ? capacity : before;
  return {
    ...status,
    phase,
    ...(accessModes === undefined ? {} : { accessModes }),
    ...(size === undefined ? {} : { capacity: size }),
    ...(becomesBound && volumeAttributesClassName
      ? { currentVolumeAttributesClassName: volumeAttributesClassName }
      : {}),
  };
}

function sizeOf(capacity: Readonly<Record<string, string>> | undefined): number {
  return quantityValue(capacity?.['storage'] ?? '0');
}
