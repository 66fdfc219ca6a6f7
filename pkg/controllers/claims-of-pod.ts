import type { ReadPod } from './pod-status.ts';

/** Keys (`namespace/name`) of the claims that a pod uses, those of ephemeral volumes included. */
export function claimsOfPod({ metadata, spec }: ReadPod): readonly string[] {
  const names = (spec.volumes ?? []).map(({ name, persistentVolumeClaim, ephemeral }) =>
    ephemeral === undefined ? persistentVolumeClaim?.claimName : `${metadata.name}-${name}`,
  );
  return names.filter((name) => name !== undefined).map((name) => `${metadata.namespace}/${name}`);
}
