import { expect, test } from 'vitest';
import { AccessorError, nestedInteger, nestedString } from './nested-field.ts';

const replicas = (value: unknown) => ({ spec: { replicas: value } });

test.each<[string, unknown, unknown]>([
  ['an integer', replicas(3), 3],
  ['a wide integer', replicas(2n ** 60n), 2n ** 60n],
  ['nothing', {}, undefined],
  ['no member', { spec: {} }, undefined],
  ['null on the way', { spec: null }, undefined],
  ['a member of every object', { spec: Object.create({ replicas: 1 }) }, undefined],
])('%s is read', (_name, object, expected) => {
  expect(nestedInteger(object, '.spec.replicas')).toBe(expected);
});

test.each<[string, unknown, string]>([
  ['text', replicas('x'), '.spec.replicas accessor error: x is of the type string, expected int64'],
  ['a fraction', replicas(1.5), '.spec.replicas accessor error: 1.5 is of the type float64, expected int64'],
  ['a boolean', replicas(true), '.spec.replicas accessor error: true is of the type bool, expected int64'],
  ['null', replicas(null), '.spec.replicas accessor error: <nil> is of the type <nil>, expected int64'],
  [
    'an object',
    replicas({ b: 1, a: [] }),
    '.spec.replicas accessor error: map[a:[] b:1] is of the type map[string]interface {}, expected int64',
  ],
  [
    'a list on the way',
    { spec: [1] },
    '.spec.replicas accessor error: [1] is of the type []interface {}, expected map[string]interface{}',
  ],
  [
    'a number on the way',
    { spec: 1 },
    '.spec.replicas accessor error: 1 is of the type int64, expected map[string]interface{}',
  ],
])('%s is an accessor error', (_name, object, message) => {
  expect(() => nestedInteger(object, '.spec.replicas')).toThrow(new AccessorError(message));
});

test('strings are read likewise', () => {
  expect(nestedString({ status: { selector: 'a=b' } }, '.status.selector')).toBe('a=b');
  expect(() => nestedString({ status: { selector: {} } }, '.status.selector')).toThrow(
    '.status.selector accessor error: map[] is of the type map[string]interface {}, expected string',
  );
});
