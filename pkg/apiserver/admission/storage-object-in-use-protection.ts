import type { ResourceType } from '../../api/object.ts';
import type { AdmissionPlugin } from '../contract.ts';

const FINALIZERS: Readonly<Record<string, string>> = {
  '/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
  '/persistentvolumes': 'kubernetes.io/pv-protection',
  'storage.k8s.io/volumeattributesclasses': 'kubernetes.io/vac-protection',
};

function finalizerOf({ group, resource }: ResourceType): string | undefined {
  const key = `${group}/${resource}`;
  return Object.hasOwn(FINALIZERS, key) ? FINALIZERS[key] : undefined;
}

/** Claims, volumes and their classes are not removed while they are in use: controllers take the finalizer away. */
export function storageObjectInUseProtection(): AdmissionPlugin {
  return {
    name: 'StorageObjectInUseProtection',
    handles: (operation, { type }, subresource) =>
      operation === 'CREATE' && subresource === '' && finalizerOf(type) !== undefined,
    admit({ object, definition }) {
      const finalizer = finalizerOf(definition.type);
      if (object === undefined || finalizer === undefined) return;
      const finalizers = object.metadata.finalizers ?? [];
      if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer];
    },
  };
}
