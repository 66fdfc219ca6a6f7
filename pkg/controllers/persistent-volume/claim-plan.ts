import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  type Claim,
  type Class,
  classNameOf,
  hasAnnotation,
  hasNoClass,
  isReservedFor,
  SELECTED_NODE,
  type Volume,
} from './claims-and-volumes.ts';
import { provisionerOf } from './provisioner.ts';
import { findVolume, mismatch } from './volume-match.ts';

export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** What a claim needs next. */
export type ClaimPlan =
  | { readonly kind: 'bind'; readonly volume: Volume }
  | { readonly kind: 'set-class'; readonly className: string }
  | { readonly kind: 'provision'; readonly provisioner: string }
  /** Nothing can be done for now; the event says why. */
  | { readonly kind: 'wait'; readonly event?: PlannedEvent }
  | { readonly kind: 'lost'; readonly event: PlannedEvent }
  /** Somebody has taken the marks of a finished binding away. */
  | { readonly kind: 'invalid'; readonly message: string };

export interface ClaimView {
  volume(name: string): Volume | undefined;
  volumes(): Iterable<Volume>;
  storageClass(name: string): Class | undefined;
  /** The name of the class for claims that name none. */
  defaultClass(): string | undefined;
  /** Names of the pods that use the claim and run nowhere yet. */
  waitingPods(claim: Claim): readonly string[];
}

/** Upstream: syncClaim of the persistent volume controller. */
export function planClaim(claim: Claim, view: ClaimView): ClaimPlan {
  if (hasAnnotation(claim, BIND_COMPLETED)) return planBound(claim, view);
  return claim.spec.volumeName ? planNamed(claim, claim.spec.volumeName, view) : planUnbound(claim, view);
}

function planUnbound(claim: Claim, view: ClaimView): ClaimPlan {
  const storageClass = view.storageClass(classNameOf(claim));
  const waits = storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
  const volume = findVolume(claim, view.volumes(), waits);
  if (volume !== undefined) return { kind: 'bind', volume };
  if (hasNoClass(claim)) {
    const className = view.defaultClass();
    if (className !== undefined) return { kind: 'set-class', className };
  }
  if (waits && !hasAnnotation(claim, SELECTED_NODE)) return { kind: 'wait', event: consumerEvent(claim, view) };
  if (classNameOf(claim) === '') {
    const message = 'no persistent volumes available for this claim and no storage class is set';
    return { kind: 'wait', event: { type: 'Normal', reason: 'FailedBinding', message } };
  }
  const provisioner = provisionerOf(claim, storageClass);
  if ('name' in provisioner) return { kind: 'provision', provisioner: provisioner.name };
  return { kind: 'wait', event: { type: 'Warning', reason: 'ProvisioningFailed', message: provisioner.problem } };
}

function consumerEvent(claim: Claim, view: ClaimView): PlannedEvent {
  const pods = view.waitingPods(claim);
  if (pods.length === 0) {
    const message = 'waiting for first consumer to be created before binding';
    return { type: 'Normal', reason: 'WaitForFirstConsumer', message };
  }
  const message = `waiting for ${pods.length > 1 ? 'pods' : 'pod'} ${pods.join(',')} to be scheduled`;
  return { type: 'Normal', reason: 'WaitForPodScheduled', message };
}

/** The user, or a binding that was interrupted, asks for a certain volume. */
function planNamed(claim: Claim, volumeName: string, view: ClaimView): ClaimPlan {
  const volume = view.volume(volumeName);
  if (volume === undefined) return { kind: 'wait' };
  const name = JSON.stringify(volumeName);
  if (volume.spec.claimRef === undefined) {
    const problem = mismatch(volume, claim);
    if (problem === undefined) return { kind: 'bind', volume };
    const message = `Cannot bind to requested volume ${name}: ${problem}`;
    return { kind: 'wait', event: { type: 'Warning', reason: 'VolumeMismatch', message } };
  }
  if (isReservedFor(volume, claim)) return { kind: 'bind', volume };
  if (hasAnnotation(claim, BOUND_BY_CONTROLLER)) {
    const { namespace, name: other } = volume.spec.claimRef;
    const key = JSON.stringify(`${claim.metadata.namespace}/${claim.metadata.name}`);
    const message = `invalid binding of claim ${key} to volume ${name}: volume already claimed by "${namespace}/${other}"`;
    return { kind: 'invalid', message };
  }
  const message = `volume ${name} already bound to a different claim.`;
  return { kind: 'wait', event: { type: 'Warning', reason: 'FailedBinding', message } };
}

function planBound(claim: Claim, view: ClaimView): ClaimPlan {
  const { volumeName } = claim.spec;
  if (!volumeName)
    return lost('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!');
  const volume = view.volume(volumeName);
  if (volume === undefined)
    return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  const { claimRef } = volume.spec;
  if (claimRef === undefined || claimRef.uid === claim.metadata.uid) return { kind: 'bind', volume };
  return lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
}

function lost(reason: string, message: string): ClaimPlan {
  return { kind: 'lost', event: { type: 'Warning', reason, message } };
}
