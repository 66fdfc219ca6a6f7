import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts';
import type { DeepReadonly, Draft } from '../../api/object.ts';

export const LOCAL_PROVISIONER = 'kube-lite.io/local-path';
/** Of nodes: the directory that their volumes are made in. */
export const STORAGE_DIRECTORY = 'kube-lite.io/local-storage-directory';
/** Of volumes: the node that holds them. */
export const STORAGE_NODE = 'kube-lite.io/local-storage-node';

const HOSTNAME = 'kubernetes.io/hostname';
const ACCESS_MODES = new Set(['ReadWriteOnce', 'ReadWriteOncePod']);

type Claim = DeepReadonly<PersistentVolumeClaim>;

export interface LocalVolumeInput {
  readonly claim: Claim;
  readonly storageClass: DeepReadonly<StorageClass>;
  /** The one that the scheduler has chosen. */
  readonly node: DeepReadonly<Node>;
}

/** The volume for a claim: a directory of the node, made when the first pod comes. Or why there can be none. */
export function localVolume({
  claim,
  storageClass,
  node,
}: LocalVolumeInput): { readonly volume: Draft<PersistentVolume> } | { readonly problem: string } {
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const { accessModes = [], volumeMode = 'Filesystem', resources, selector } = claim.spec;
  if (volumeMode !== 'Filesystem') return { problem: `volume mode ${volumeMode} is not supported` };
  if (selector !== undefined) return { problem: 'claim selectors are not supported' };
  const other = accessModes.find((mode) => !ACCESS_MODES.has(mode));
  if (other !== undefined) return { problem: `access mode ${other} is not supported: the volume is on one node` };
  const directory = node.metadata.annotations?.[STORAGE_DIRECTORY];
  const hostname = node.metadata.labels?.[HOSTNAME];
  if (!directory || !hostname) return { problem: `node ${node.metadata.name} offers no local storage` };
  const storage = resources?.requests?.['storage'] ?? '0';
  const volumeName = `pvc-${uid}`;
  const volume: Draft<PersistentVolume> = {
    metadata: {
      name: volumeName,
      annotations: { 'pv.kubernetes.io/provisioned-by': LOCAL_PROVISIONER, [STORAGE_NODE]: node.metadata.name },
    },
    spec: {
      capacity: { storage },
      accessModes,
      volumeMode,
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: storageClass.metadata.name,
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion },
      hostPath: { path: `${directory}/${volumeName}`, type: 'DirectoryOrCreate' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: 'In', values: [hostname] }] }],
        },
      },
    },
  };
  return { volume };
}
