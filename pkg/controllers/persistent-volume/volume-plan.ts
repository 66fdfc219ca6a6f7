import {
  BOUND_BY_CONTROLLER,
  type Claim,
  hasAnnotation,
  PROVISIONED_BY,
  sameVolumeMode,
  type Volume,
} from './claims-and-volumes.ts';

/** What a volume needs next. */
export type VolumePlan =
  | { readonly kind: 'phase'; readonly phase: 'Available' | 'Bound' }
  /** Its claim is gone, or was served otherwise: what the reclaim policy says is to be done. */
  | { readonly kind: 'reclaim' }
  | { readonly kind: 'bind-claim' }
  | { readonly kind: 'mode-mismatch' }
  | { readonly kind: 'unbind' };

/** `claim`: the one of the name in the volume's reference. Upstream: syncVolume of the persistent volume controller. */
export function planVolume(volume: Volume, claim: Claim | undefined): VolumePlan {
  const { claimRef, persistentVolumeReclaimPolicy } = volume.spec;
  // Without uid the volume is reserved; the claim takes it when it comes.
  if (!claimRef?.uid) return { kind: 'phase', phase: 'Available' };
  if (claim === undefined || claim.metadata.uid !== claimRef.uid) return { kind: 'reclaim' };
  if (!claim.spec.volumeName) return { kind: sameVolumeMode(claim, volume) ? 'bind-claim' : 'mode-mismatch' };
  if (claim.spec.volumeName === volume.metadata.name) return { kind: 'phase', phase: 'Bound' };
  const superfluous = hasAnnotation(volume, PROVISIONED_BY) && persistentVolumeReclaimPolicy === 'Delete';
  return { kind: superfluous ? 'reclaim' : 'unbind' };
}

/** The volume given back: as free as it was, but still reserved when the user had reserved it. */
export function unbound(volume: Volume): Volume {
  const { claimRef, ...spec } = volume.spec;
  if (!hasAnnotation(volume, BOUND_BY_CONTROLLER)) {
    const { uid: _, ...reserved } = claimRef ?? {};
    return { ...volume, spec: { ...spec, claimRef: reserved } };
  }
  const { annotations, ...metadata } = volume.metadata;
  const others = Object.entries(annotations ?? {}).filter(([name]) => name !== BOUND_BY_CONTROLLER);
  const kept = others.length === 0 ? {} : { annotations: Object.fromEntries(others) };
  return { ...volume, metadata: { ...metadata, ...kept }, spec };
}

/** Who deletes what a volume stands for. */
export type Deleter =
  | { readonly kind: 'external' }
  | { readonly kind: 'host-path'; readonly path: string }
  | { readonly kind: 'none'; readonly message: string };

const TEMPORARY = /^\/tmp\/.+/;

export function deleterOf(volume: Volume): Deleter {
  const provisioner = volume.metadata.annotations?.[PROVISIONED_BY] ?? '';
  if (provisioner !== '' && !provisioner.startsWith('kubernetes.io/')) return { kind: 'external' };
  const name = JSON.stringify(volume.metadata.name);
  const { hostPath } = volume.spec;
  if (hostPath === undefined) {
    const message = `error getting deleter volume plugin for volume ${name}: no deletable volume plugin matched`;
    return { kind: 'none', message };
  }
  if (TEMPORARY.test(hostPath.path) && !hostPath.path.split('/').includes('..')) {
    return { kind: 'host-path', path: hostPath.path };
  }
  return {
    kind: 'none',
    message: `host_path deleter only supports /tmp/.+ but received provided ${hostPath.path}`,
  };
}
