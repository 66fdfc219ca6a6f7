import type { ResourceDefinition } from '../../api/definition.ts';
import type { MetaRules } from '../../api/validation/object-meta.ts';

/** Groups whose upstream validation does not know the finalizers of Kubernetes: any qualified name will do. */
const FREE_FINALIZERS: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'policy',
]);

/** How the metadata of a resource is checked. */
export function metadataRules({ type, custom, strategy }: ResourceDefinition): MetaRules {
  return {
    namespaced: type.namespaced,
    custom: custom === true || FREE_FINALIZERS.has(type.group) || (type.group === '' && type.kind === 'Event'),
    validateName: strategy.validateName,
  };
}
