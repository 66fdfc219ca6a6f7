import type { AdmissionPlugin } from '../contract.ts';

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
};

/** Claims and volumes are not removed while they are in use: controllers take the finalizer away. */
export function storageObjectInUseProtection(): AdmissionPlugin {
  return {
    name: 'StorageObjectInUseProtection',
    handles: (operation, { type }, subresource) =>
      operation === 'CREATE' && subresource === '' && type.group === '' && Object.hasOwn(FINALIZERS, type.resource),
    admit({ object, definition }) {
      const finalizer = FINALIZERS[definition.type.resource];
      if (object === undefined || finalizer === undefined) return;
      const finalizers = object.metadata.finalizers ?? [];
      if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer];
    },
  };
}
