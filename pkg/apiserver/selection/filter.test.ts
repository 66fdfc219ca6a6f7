import { describe, expect, it } from 'vitest';
import type { ResourceDefinition } from '../../api/definition.ts';
import { builtinDefinitions } from '../../api/scheme.ts';
import { parseFilter } from './filter.ts';

const definitions = builtinDefinitions();

function definitionOf(resource: string, group = ''): ResourceDefinition {
  const found = definitions.find(({ type }) => type.resource === resource && type.group === group);
  if (!found) throw new Error(resource);
  return found;
}

const notKnown = (field: string): string =>
  `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
const notSupported = (field: string): string => `field label not supported: ${field}`;

describe('fields that select', () => {
  it.each([
    ['pods', 'metadata.namespace'],
    ['pods', 'status.podIPs'],
    ['pods', 'spec.host'],
    ['persistentvolumes', 'metadata.namespace'],
    ['namespaces', 'status.phase'],
    ['nodes', 'metadata.name'],
  ])('%s by %s', (resource, field) => {
    const { fields } = parseFilter(definitionOf(resource), undefined, { fieldSelector: `${field}=x` });
    expect(fields).toEqual([{ field, equal: true, value: 'x' }]);
  });

  it.each([
    ['pods', '', 'spec.x', notSupported],
    ['nodes', '', 'metadata.namespace', notSupported],
    ['namespaces', '', 'metadata.namespace', notSupported],
    ['events', 'events.k8s.io', 'involvedObject.kind', notSupported],
    ['configmaps', '', 'data', notKnown],
    ['deployments', 'apps', 'spec.replicas', notKnown],
  ])('%s not by %s %s', (resource, group, field, text) => {
    const parse = (): unknown => parseFilter(definitionOf(resource, group), undefined, { fieldSelector: `${field}=x` });
    expect(parse).toThrow(text(field));
  });
});
