import type { ResourceDefinition } from '../../api/definition.ts';
import type { MetaRules } from '../../api/validation/object-meta.ts';

/** Groups whose upstream servers do not know the finalizers of Kubernetes: any qualified name will do. */
const FREE_FINALIZERS: ReadonlySet<string> = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io']);

/** How the metadata of a resource is checked. */
export function metadataRules({ type, custom, strategy }: ResourceDefinition): MetaRules {
  return {
    namespaced: type.namespaced,
    custom: custom === true || FREE_FINALIZERS.has(type.group) || (type.group === '' && type.kind === 'Event'),
    validateName: strategy.validateName,
  };
}
