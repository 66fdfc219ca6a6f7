import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import type { DeepReadonly, ResourceType } from '../../api/object.ts';

export type CRD = DeepReadonly<CustomResourceDefinition>;
export type CRDVersion = CRD['spec']['versions'][number];
export type CRDStatus = CustomResourceDefinition['status'];

export const CRDS: ResourceType<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/** Holds a definition until its instances are gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

/** The resource that a definition defines, in one of its versions. */
export function resourceTypeOf(crd: CRD, version: string): ResourceType {
  const { group, names, scope } = crd.spec;
  return { group, version, resource: names.plural, kind: names.kind, namespaced: scope === 'Namespaced' };
}

export function storageVersionOf(crd: CRD): CRDVersion | undefined {
  return crd.spec.versions.find((version) => version.storage);
}
