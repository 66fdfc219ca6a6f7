import { describe, expect, test } from 'vitest';
import type { Schema } from '../schema.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

const string: Schema = { type: 'string' };
const object = (properties: Record<string, Schema>, more: Partial<Schema> = {}): Schema => ({
  type: 'object',
  properties: new Map(Object.entries(properties)),
  ...more,
});
const mergeBy = (key: string, items: Schema, ...others: 'retainKeys'[]): Schema => ({
  type: 'array',
  items,
  patchStrategy: ['merge', ...others],
  patchMergeKey: key,
});

const envVar = object({ name: string, value: string, valueFrom: object({ fieldRef: object({}) }) });
const port = object({ containerPort: { type: 'integer' }, name: string });
const schema = object({
  data: { type: 'object', additionalProperties: string },
  finalizers: { type: 'array', items: string, patchStrategy: ['merge'] },
  args: { type: 'array', items: string },
  containers: mergeBy(
    'name',
    object({ name: string, image: string, env: mergeBy('name', envVar), ports: mergeBy('containerPort', port) }),
  ),
  volumes: mergeBy('name', object({ name: string, emptyDir: object({}), hostPath: object({}) }), 'retainKeys'),
  strategy: object({ type: string, rollingUpdate: object({}) }, { patchStrategy: ['retainKeys'] }),
  whole: object({ a: string, b: string }, { patchStrategy: ['replace'] }),
});

const main = {
  name: 'main',
  image: 'a:1',
  env: [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ],
};
const side = { name: 'side', image: 'a:1' };
const doc = { data: { x: '1', y: '2' }, finalizers: ['a', 'b'], args: ['a', 'b'], containers: [main, side] };

function apply(original: object, patch: object): unknown {
  const before = JSON.stringify([original, patch]);
  const result = applyStrategicMergePatch<unknown>(schema, original, patch);
  expect(JSON.stringify([original, patch])).toBe(before);
  return result;
}

describe('objects', () => {
  test.each<[string, object, object, object]>([
    ['members merge, null deletes', doc, { data: { x: null, z: '3' } }, { ...doc, data: { y: '2', z: '3' } }],
    ['null for a missing member', {}, { data: { gone: null, kept: '1' } }, { data: { kept: '1' } }],
    ['$patch: replace', doc, { data: { $patch: 'replace', only: '1' } }, { ...doc, data: { only: '1' } }],
    ['$patch: delete', doc, { data: { $patch: 'delete' } }, { ...doc, data: {} }],
    ['$patch: replace of a missing member', {}, { data: { $patch: 'replace', only: '1' } }, { data: { only: '1' } }],
    ['strategy replace', { whole: { a: '1' } }, { whole: { b: '2' } }, { whole: { b: '2' } }],
    [
      '$retainKeys',
      { strategy: { type: 'RollingUpdate', rollingUpdate: {} } },
      { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
      { strategy: { type: 'Recreate' } },
    ],
  ])('%s', (_name, original, patch, expected) => {
    expect(apply(original, patch)).toEqual(expected);
  });
});

describe('lists', () => {
  test.each<[string, object, object, object]>([
    ['no strategy: replaced', { args: ['a', 'b'] }, { args: ['z'] }, { args: ['z'] }],
    ['scalars merge', { finalizers: ['a', 'b'] }, { finalizers: ['c', 'b'] }, { finalizers: ['c', 'a', 'b'] }],
    [
      '$deleteFromPrimitiveList',
      { finalizers: ['a', 'b', 'c'] },
      { '$deleteFromPrimitiveList/finalizers': ['a', 'c'] },
      { finalizers: ['b'] },
    ],
    [
      '$deleteFromPrimitiveList with $setElementOrder',
      { finalizers: ['a', 'b', 'c'] },
      { '$deleteFromPrimitiveList/finalizers': ['b'], '$setElementOrder/finalizers': ['c', 'a'] },
      { finalizers: ['c', 'a'] },
    ],
    [
      'by key, nested',
      { containers: [main, side] },
      {
        containers: [
          {
            name: 'main',
            env: [
              { name: 'B', value: '22' },
              { name: 'C', value: '3' },
            ],
          },
        ],
      },
      { containers: [{ ...main, env: [main.env[0], { name: 'B', value: '22' }, { name: 'C', value: '3' }] }, side] },
    ],
    [
      'a new element comes first',
      { containers: [main, side] },
      { containers: [{ name: 'new', image: null, env: null }] },
      { containers: [{ name: 'new' }, main, side] },
    ],
    [
      'server-only elements keep their place',
      { containers: [{ name: 'c', ports: [{ containerPort: 80 }, { containerPort: 81 }] }] },
      { containers: [{ name: 'c', ports: [{ containerPort: 80, name: 'http' }, { containerPort: 82 }] }] },
      {
        containers: [
          { name: 'c', ports: [{ containerPort: 80, name: 'http' }, { containerPort: 82 }, { containerPort: 81 }] },
        ],
      },
    ],
    [
      '$patch: delete',
      { containers: [main, side] },
      { containers: [{ name: 'main', $patch: 'delete' }] },
      { containers: [side] },
    ],
    [
      '$patch: delete of a missing one',
      { containers: [main] },
      { containers: [{ name: 'z', $patch: 'delete' }] },
      { containers: [main] },
    ],
    [
      '$patch: replace',
      { containers: [main, side] },
      { containers: [{ $patch: 'replace' }, { name: 'n' }] },
      { containers: [{ name: 'n' }] },
    ],
    [
      '$patch: replace of a missing list',
      {},
      { containers: [{ $patch: 'replace' }, { name: 'n' }] },
      { containers: [{ name: 'n' }] },
    ],
    [
      '$setElementOrder',
      { containers: [main, side] },
      {
        '$setElementOrder/containers': [{ name: 'new' }, { name: 'side' }, { name: 'main' }],
        containers: [{ name: 'new' }],
      },
      { containers: [{ name: 'new' }, side, main] },
    ],
    [
      '$setElementOrder alone',
      { containers: [main, side] },
      { '$setElementOrder/containers': [{ name: 'side' }, { name: 'main' }] },
      { containers: [side, main] },
    ],
    [
      '$setElementOrder with a deletion',
      { containers: [main, side] },
      { '$setElementOrder/containers': [{ name: 'side' }], containers: [{ name: 'main', $patch: 'delete' }] },
      { containers: [side] },
    ],
    [
      '$retainKeys in an element',
      { volumes: [{ name: 'v', emptyDir: {} }] },
      { volumes: [{ $retainKeys: ['name', 'hostPath'], name: 'v', hostPath: { path: '/h' } }] },
      { volumes: [{ name: 'v', hostPath: { path: '/h' } }] },
    ],
  ])('%s', (_name, original, patch, expected) => {
    expect(apply(original, patch)).toEqual(expected);
  });
});

test.each<[object, number, string]>([
  [{ containers: [{ image: 'x' }] }, 500, 'map: map[image:x] does not contain declared merge key: name'],
  [{ data: { $patch: 'merge' } }, 500, 'unknown patch type: merge in map: map[$patch:merge]'],
  [{ strategy: { $retainKeys: 'type' } }, 400, 'invalid patch format of retainKeys'],
  [{ strategy: { $retainKeys: ['type'], rollingUpdate: {} } }, 400, 'invalid patch format of retainKeys'],
  [{ data: { $patch: 1 } }, 500, 'unknown patch type: %!s(int64=1) in map: map[$patch:1]'],
  [{ '$setElementOrder/containers': 'main' }, 500, 'expected a []interface {}, but received a string'],
  [
    { '$setElementOrder/containers': [1], containers: [{ name: 'main' }] },
    500,
    'expected a map[string]interface {}, but received a int64',
  ],
  [{ volumes: [{ name: 'v' }, 1] }, 500, 'list element types are not identical: [[] [map[name:v] 1]]'],
  [{ finalizers: [1] }, 500, 'list element types are not identical: [[a b] [1]]'],
  [
    { '$setElementOrder/containers': [{ name: 'side' }], containers: [{ name: 'main' }] },
    500,
    "The order in patch list:\n[map[name:main]]\n doesn't match $setElementOrder list:\n[map[name:side]]\n",
  ],
])('%j is refused', (patch, code, message) => {
  const original = { ...doc, volumes: [], strategy: { type: 'RollingUpdate' } };
  expect(() => applyStrategicMergePatch(schema, original, patch)).toThrow(
    expect.objectContaining({ message, status: expect.objectContaining({ code }) }),
  );
});
