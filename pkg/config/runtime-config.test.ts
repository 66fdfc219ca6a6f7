import { expect, test } from 'vitest';
import { parseRuntimeConfig } from './runtime-config.ts';

test('entries switch APIs on and off', () => {
  const entries = ['api/beta=true', 'storagemigration.k8s.io/v1beta1', 'batch/v1/cronjobs=false'];
  expect([...parseRuntimeConfig(entries)]).toEqual([
    ['api/beta', true],
    ['storagemigration.k8s.io/v1beta1', true],
    ['batch/v1/cronjobs', false],
  ]);
});

test.each([
  ['api/all=yes', '--runtime-config: "yes" of api/all is not true or false'],
  ['=true', '--runtime-config: "=true" names no API'],
])('%s is refused', (entry, message) => {
  expect(() => parseRuntimeConfig([entry])).toThrow(message);
});
