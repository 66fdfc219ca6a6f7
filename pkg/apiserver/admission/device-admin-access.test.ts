import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { AdmissionAttributes, ObjectReader } from '../contract.ts';
import { deviceAdminAccess } from './device-admin-access.ts';

const labelled = { metadata: { name: 'ops', labels: { 'resource.kubernetes.io/admin-access': 'true' } } };
const reader = {
  get: (_type: unknown, { name }: { name: string }) => (name === 'ops' ? labelled : { metadata: { name } }),
} as unknown as ObjectReader;

const exactly = (adminAccess?: boolean): object => ({ name: 'r', exactly: { deviceClassName: 'c', adminAccess } });
const spec = (...requests: readonly object[]): object => ({ devices: { requests } });
const status = (adminAccess: boolean): object => ({
  status: { allocation: { devices: { results: [{ device: 'd', adminAccess }] } } },
});

function attributes(
  fields: object,
  { namespace = 'users', resource = 'resourceclaims', ...more }: Record<string, unknown> = {},
) {
  const type = resource === 'resourceclaims' ? resources.resourceclaims : resources.resourceclaimtemplates;
  const object = { apiVersion: 'resource.k8s.io/v1', kind: type.kind, metadata: { name: 'c' }, ...fields };
  return {
    object,
    operation: 'CREATE',
    definition: { type },
    namespace,
    name: 'c',
    ...more,
  } as unknown as AdmissionAttributes;
}

const NEEDS_LABEL =
  'admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace';

test.each<[string, AdmissionAttributes, string | undefined]>([
  ['no admin access', attributes({ spec: spec(exactly(), exactly(false)) }), undefined],
  ['a labelled namespace', attributes({ spec: spec(exactly(true)) }, { namespace: 'ops' }), undefined],
  ['another namespace', attributes({ spec: spec(exactly(), exactly(true)) }), 'spec.devices.requests[1].adminAccess'],
  [
    'a template',
    attributes({ spec: { spec: spec(exactly(true)) } }, { resource: 'resourceclaimtemplates' }),
    'spec.devices.requests[0].adminAccess',
  ],
  [
    'an allocation',
    attributes(status(true), { operation: 'UPDATE', oldObject: attributes(status(false)).object }),
    'status.allocation.devices.results[0].adminAccess',
  ],
  [
    'an allocation that was there before',
    attributes(status(true), { operation: 'UPDATE', oldObject: attributes(status(true)).object }),
    undefined,
  ],
])('%s', (_name, given, field) => {
  const plugin = deviceAdminAccess({ reader });
  const check = () => plugin.validate?.(given);
  if (field === undefined) expect(check).not.toThrow();
  else expect(check).toThrow(`${field}: Forbidden: ${NEEDS_LABEL}`);
});

test('only where access can be asked for or granted', () => {
  const plugin = deviceAdminAccess({ reader });
  const handles = (operation: string, type: { group: string; resource: string }, subresource = '') =>
    plugin.handles(operation as never, { type } as never, subresource);
  expect(handles('CREATE', resources.resourceclaims)).toBe(true);
  expect(handles('UPDATE', resources.resourceclaims, 'status')).toBe(true);
  expect(handles('UPDATE', resources.resourceclaims)).toBe(false);
  expect(handles('CREATE', resources.resourceclaimtemplates)).toBe(true);
  expect(handles('CREATE', resources.pods)).toBe(false);
});
