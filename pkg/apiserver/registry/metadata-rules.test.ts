import { describe, expect, it } from 'vitest';
import { builtinDefinitions } from '../../api/scheme.ts';
import { validateObjectMeta } from '../../api/validation/object-meta.ts';
import { metadataRules } from './metadata-rules.ts';

describe('metadataRules', () => {
  const definitions = builtinDefinitions();
  const finalizerErrors = (group: string, resource: string) => {
    const definition = definitions.find(({ type }) => type.group === group && type.resource === resource);
    if (definition === undefined) throw new Error(`no ${resource}`);
    const metadata = { name: 'a', ...(definition.type.namespaced ? { namespace: 'n' } : {}), finalizers: ['bare'] };
    return validateObjectMeta(metadata as never, metadataRules(definition));
  };

  it.each([
    ['coordination.k8s.io', 'leases'],
    ['node.k8s.io', 'runtimeclasses'],
    ['policy', 'poddisruptionbudgets'],
    ['admissionregistration.k8s.io', 'validatingadmissionpolicies'],
    ['apiregistration.k8s.io', 'apiservices'],
  ])('%s/%s take finalizers without a prefix', (group, resource) => {
    expect(finalizerErrors(group, resource)).toEqual([]);
  });

  it.each([
    ['apps', 'deployments'],
    ['rbac.authorization.k8s.io', 'clusterroles'],
  ])('%s/%s do not', (group, resource) => {
    expect(finalizerErrors(group, resource)).toHaveLength(1);
  });
});
