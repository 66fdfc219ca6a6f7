import { expect, test } from 'vitest';
import { builtinDefinitions } from '../scheme.ts';
import { resetFieldsOf } from './reset-fields.ts';

const find = (name: string) => {
  const definition = builtinDefinitions().find(({ type }) => `${type.group}/${type.resource}` === name);
  if (definition === undefined) throw new Error(`${name} is not built in`);
  return definition;
};

test.each([
  ['apps/deployments', '', ['status']],
  ['/configmaps', '', []],
  ['apps/deployments', 'status', ['spec', 'metadata.labels']],
  ['apps/replicasets', 'status', ['spec']],
  ['/nodes', 'status', ['spec']],
  ['networking.k8s.io/servicecidrs', 'status', ['spec', 'metadata']],
  ['resource.k8s.io/resourceclaims', 'status', ['spec', 'metadata']],
  ['certificates.k8s.io/certificatesigningrequests', '', ['spec', 'status']],
  ['certificates.k8s.io/certificatesigningrequests', 'approval', ['spec', 'status.certificate']],
])('%s %s', (name, subresource, expected) => {
  expect(resetFieldsOf(find(name), subresource)).toEqual(expected);
});
