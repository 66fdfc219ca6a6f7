import { resources } from '../../api/generated/resources.ts';
import type { PersistentVolumeClaim } from '../../api/generated/types.ts';
import { type Candidate, newestDefault } from '../../api/newest-default.ts';
import type { AdmissionPlugin, ObjectReader } from '../contract.ts';
import { forResource } from './refuse.ts';

const ANNOTATIONS = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

/** Claims that name no storage class get the default one. */
export function defaultStorageClass({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    ...forResource('', 'persistentvolumeclaims', 'CREATE'),
    admit(attributes) {
      const claim = attributes.object as unknown as PersistentVolumeClaim;
      if (claim.spec.storageClassName !== undefined) return;
      if (claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) return;
      const found = newestDefault(reader.list(resources.storageclasses) as Iterable<Candidate>, ANNOTATIONS);
      if (found !== undefined) claim.spec.storageClassName = found;
    },
  };
}
