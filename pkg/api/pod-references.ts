import type { DeepReadonly } from '../base/json.ts';
import type { Pod, PodSpec, Volume } from './generated/types.ts';

/** `secrets/NAMESPACE/NAME`: an object that a pod needs. */
export type Reference = string;

/** The objects that a pod refers to by name, which its node has to read (upstream's visitors in pkg/api/v1/pod). */
export function podReferences(pod: DeepReadonly<Pod>): Set<Reference> {
  const found = new Set<Reference>();
  const { namespace } = pod.metadata;
  const add = (resource: string, name: string | undefined): void => {
    if (name) found.add(`${resource}/${namespace}/${name}`);
  };
  const { spec } = pod;
  add('serviceaccounts', spec.serviceAccountName);
  for (const secret of spec.imagePullSecrets ?? []) add('secrets', secret.name);
  for (const container of containersOf(spec)) {
    for (const source of container.envFrom ?? []) {
      add('configmaps', source.configMapRef?.name);
      add('secrets', source.secretRef?.name);
    }
    for (const env of container.env ?? []) {
      add('configmaps', env.valueFrom?.configMapKeyRef?.name);
      add('secrets', env.valueFrom?.secretKeyRef?.name);
    }
  }
  for (const volume of spec.volumes ?? []) volumeReferences(volume, pod.metadata.name, add);
  for (const claim of pod.status?.resourceClaimStatuses ?? []) add('resourceclaims', claim.resourceClaimName);
  for (const claim of spec.resourceClaims ?? []) add('resourceclaims', claim.resourceClaimName);
  add('resourceclaims', pod.status?.extendedResourceClaimStatus?.resourceClaimName);
  return found;
}

function containersOf(spec: DeepReadonly<PodSpec>): readonly DeepReadonly<PodSpec['containers'][number]>[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
}

function volumeReferences(
  volume: DeepReadonly<Volume>,
  podName: string,
  add: (resource: string, name: string | undefined) => void,
): void {
  add('configmaps', volume.configMap?.name);
  add('secrets', volume.secret?.secretName);
  add('persistentvolumeclaims', volume.persistentVolumeClaim?.claimName);
  if (volume.ephemeral !== undefined) add('persistentvolumeclaims', `${podName}-${volume.name}`);
  for (const source of volume.projected?.sources ?? []) {
    add('configmaps', source.configMap?.name);
    add('secrets', source.secret?.name);
  }
  const withSecret = [
    volume.csi?.nodePublishSecretRef,
    volume.cephfs?.secretRef,
    volume.rbd?.secretRef,
    volume.iscsi?.secretRef,
  ];
  const more = [volume.flexVolume?.secretRef, volume.scaleIO?.secretRef, volume.storageos?.secretRef];
  for (const secret of [...withSecret, ...more]) add('secrets', secret?.name);
  add('secrets', volume.azureFile?.secretName);
}
