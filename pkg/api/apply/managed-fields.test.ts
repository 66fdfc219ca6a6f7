import { expect, test } from 'vitest';
import { managedFieldsProblem } from './managed-fields.ts';

const entry = { manager: 'm', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:a': {} } };

test.each([
  [undefined, undefined],
  [[], undefined],
  [[entry], undefined],
  [[{ ...entry, fieldsV1: undefined }], undefined],
  [[{}], 'operation must be `Apply` or `Update`'],
  [[{ ...entry, apiVersion: '' }], 'apiVersion must not be empty'],
  [[entry, { ...entry, fieldsType: undefined }], 'missing fieldsType in managed fields entry 1'],
  [[{ ...entry, fieldsType: 'FieldsV2' }], 'invalid fieldsType "FieldsV2" in managed fields entry 0'],
  [
    [{ ...entry, fieldsV1: { a: {} } }],
    expect.stringMatching(/^error decoding versioned set of m: error decoding set: /),
  ],
])('owners %#', (entries, problem) => {
  expect(managedFieldsProblem(entries)).toEqual(problem);
});
