import { expect, test } from 'vitest';
import { builtinDefinitions } from '../../api/scheme.ts';
import { upstreamKey } from './upstream-key.ts';

const definitions = builtinDefinitions();

test.each([
  ['', 'v1', 'pods', '/registry/pods/ns/a'],
  ['', 'v1', 'services', '/registry/services/specs/ns/a'],
  ['apps', 'v1', 'deployments', '/registry/deployments/ns/a'],
  ['networking.k8s.io', 'v1', 'ingresses', '/registry/ingress/ns/a'],
  ['storage.k8s.io', 'v1', 'volumeattachments', '/registry/volumeattachments/a'],
  ['apiregistration.k8s.io', 'v1', 'apiservices', '/registry/apiregistration.k8s.io/apiservices/a'],
])('%s/%s %s', (group, version, resource, expected) => {
  const definition = definitions.find(
    ({ type }) => type.group === group && type.version === version && type.resource === resource,
  );
  if (definition === undefined) throw new Error('not defined');
  expect(upstreamKey(definition, definition.type.namespaced ? 'ns' : '', 'a')).toBe(expected);
});
