import { resources } from '../../api/generated/resources.ts';
import type { PersistentVolumeClaim } from '../../api/generated/types.ts';
import { compareQuantity } from '../../api/validation/quantity.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { AdmissionPlugin, ObjectReader } from '../contract.ts';
import { forResource, refuse } from './refuse.ts';

/** A claim grows only when its storage class allows expansion. */
export function volumeResize({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    ...forResource('', 'persistentvolumeclaims', 'UPDATE'),
    validate(attributes) {
      const claim = attributes.object as unknown as PersistentVolumeClaim;
      const old = attributes.oldObject as unknown as DeepReadonly<PersistentVolumeClaim>;
      const [size, oldSize] = [claim.spec.resources?.requests?.['storage'], old.spec.resources?.requests?.['storage']];
      if (compareQuantity(size, oldSize) <= 0) return;
      const name = claim.spec.storageClassName ?? '';
      const found = name === '' ? undefined : reader.get(resources.storageclasses, { name });
      if (old.status?.phase === 'Bound' && found?.allowVolumeExpansion !== true)
        throw refuse(
          attributes,
          'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
        );
    },
  };
}
