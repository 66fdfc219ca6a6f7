import { matchesLabelSelector } from '../../api/selector.ts';
import {
  type Claim,
  capacityOf,
  classNameOf,
  isReservedFor,
  requestOf,
  sameVolumeMode,
  type Volume,
} from './claims-and-volumes.ts';

const FREE = new Set(['Available', 'Pending']);

/** Why a volume that a claim asks for by name does not satisfy it, in upstream's words. Undefined: it does. */
export function mismatch(volume: Volume, claim: Claim): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined) {
    return `the volume is marked for deletion ${JSON.stringify(volume.metadata.name)}`;
  }
  if (capacityOf(volume) < requestOf(claim)) return 'requested PV is too small';
  if (classNameOf(volume) !== classNameOf(claim)) return 'storageClassName does not match';
  if (!sameAttributesClass(volume, claim)) return 'volumeAttributesClassName does not match';
  if (!sameVolumeMode(claim, volume)) return 'incompatible volumeMode';
  if (!offersModes(volume, claim)) return 'incompatible accessMode';
  return undefined;
}

/**
 * The volume for a claim that names none: one that is reserved for it, else of those that are free and satisfy it one with the
 * fewest access modes and of these the smallest. `reservedOnly`: claims that wait for their first consumer are matched by the
 * scheduler.
 */
export function findVolume(claim: Claim, volumes: Iterable<Volume>, reservedOnly: boolean): Volume | undefined {
  let best: Volume | undefined;
  for (const volume of volumes) {
    if (!isUsable(volume, claim)) continue;
    if (isReservedFor(volume, claim)) return volume;
    if (reservedOnly || !isFree(volume, claim)) continue;
    if (best === undefined || compare(volume, best) < 0) best = volume;
  }
  return best;
}

/** What a volume has to be even when it is reserved for the claim. */
function isUsable(volume: Volume, claim: Claim): boolean {
  return (
    volume.metadata.deletionTimestamp === undefined &&
    (volume.spec.claimRef === undefined || isReservedFor(volume, claim)) &&
    capacityOf(volume) >= requestOf(claim) &&
    sameVolumeMode(claim, volume) &&
    offersModes(volume, claim)
  );
}

/** Pending: created a moment ago, and about to be available. */
function isFree(volume: Volume, claim: Claim): boolean {
  const { selector } = claim.spec;
  return (
    FREE.has(volume.status?.phase ?? 'Pending') &&
    (selector === undefined || matchesLabelSelector(selector, volume.metadata.labels)) &&
    classNameOf(volume) === classNameOf(claim) &&
    sameAttributesClass(volume, claim)
  );
}

function sameAttributesClass(volume: Volume, claim: Claim): boolean {
  return (volume.spec.volumeAttributesClassName ?? '') === (claim.spec.volumeAttributesClassName ?? '');
}

function offersModes({ spec }: Volume, claim: Claim): boolean {
  return (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode) === true);
}

function compare(a: Volume, b: Volume): number {
  const modes = (a.spec.accessModes?.length ?? 0) - (b.spec.accessModes?.length ?? 0);
  if (modes !== 0) return modes;
  return capacityOf(a) - capacityOf(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
}
