import { expect, test } from 'vitest';
import type { KubeObject } from '../../api/object.ts';
import { systemClock } from '../../base/clock.ts';
import { AdmissionRequest } from './admission-request.ts';
import type { WriteTarget } from './core.ts';

const owner = {
  manager: 'm',
  operation: 'Update',
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:data': {} },
};

function admitted(managedFields: readonly object[] | undefined): { owners: unknown; warnings: string[] } {
  const warnings: string[] = [];
  const target = { context: { warnings, annotations: new Map() } } as unknown as WriteTarget;
  const object = { kind: 'ConfigMap', metadata: { name: 'c', managedFields: [owner] } } as unknown as KubeObject;
  const request = new AdmissionRequest('CREATE', target, object, undefined, systemClock);
  const { managedFields: _, ...metadata } = object.metadata;
  request.replace({ ...object, metadata: { ...metadata, ...(managedFields && { managedFields }) } } as KubeObject);
  request.restoreOwners();
  return { owners: object.metadata.managedFields, warnings };
}

test('owners that a webhook breaks are those from before, which the client is told', () => {
  expect(admitted([{ ...owner, fieldsType: '' }])).toEqual({
    owners: [owner],
    warnings: [
      '.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: missing fieldsType in managed fields entry 0',
    ],
  });
});

test('others stay as the webhook has them', () => {
  const other = { ...owner, manager: 'webhook' };
  expect(admitted([other])).toEqual({ owners: [other], warnings: [] });
  expect(admitted(undefined)).toEqual({ owners: undefined, warnings: [] });
});
