import { HOSTILE_KEYS, hostileKey, hostileString, hostileValue, pollution } from './hostile.ts';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';
import { Members, members, render, type Value } from './value.ts';

export interface Patch {
  readonly type: string;
  readonly body: Buffer;
}

const POINTERS: readonly string[] = [
  '/metadata/labels/app',
  '/metadata/annotations',
  '/metadata/name',
  '/metadata/uid',
  '/metadata/managedFields',
  '/spec',
  '/spec/containers/0',
  '/spec/containers/-',
  '/spec/containers/00',
  '/spec/containers/1e9',
  '/spec/containers/-1',
  '/spec/template/spec/containers/0/image',
  '/data/k',
  '/status/phase',
  '',
  '/',
  '//',
  'x',
  '/~',
  '/~2',
  '/~0~1',
  '/metadata/labels/__proto__/polluted',
  '/__proto__/polluted',
  '/constructor/prototype/polluted',
  '/metadata/__proto__',
  '/spec/toString',
  '/spec/containers/length',
  `/${'a/'.repeat(3000)}`,
];

const DIRECTIVES: readonly string[] = ['replace', 'merge', 'delete', 'retainKeys', 'x', '', '__proto__'];

/** A patch of any of the four kinds. `object` is what an object of this kind looks like. */
export function hostilePatch(object: Members, random: Random): Patch {
  return random.weighted<() => Patch>([
    [3, () => jsonPatch(random)],
    [2, () => text('application/merge-patch+json', mergePatch(object, random))],
    [3, () => text('application/strategic-merge-patch+json', strategicPatch(object, random))],
    [3, () => text('application/apply-patch+yaml', applyPatch(object, random))],
    [0.5, () => text('application/apply-patch+cbor', null)],
  ])();
}

function text(type: string, value: Value): Patch {
  return { type, body: Buffer.from(render(value)) };
}

function jsonPatch(random: Random): Patch {
  const pointer = (): Value => (random.chance(0.9) ? random.pick(POINTERS) : hostileValue(random));
  const operation = (): Value => {
    if (random.chance(0.05)) return hostileValue(random);
    const result = new Members([
      [
        'op',
        random.chance(0.9) ? random.pick(['add', 'remove', 'replace', 'move', 'copy', 'test']) : hostileString(random),
      ],
    ]);
    if (random.chance(0.95)) result.set('path', pointer());
    if (random.chance(0.4)) result.set('from', pointer());
    if (random.chance(0.8)) result.set('value', random.chance(0.5) ? 'x' : hostileValue(random));
    return result;
  };
  const count = random.chance(0.02) ? 10_001 : 1 + random.int(4);
  const operations = Array.from({ length: count }, operation);
  // Copies of copies: every one doubles the document.
  if (random.chance(0.05)) {
    operations.unshift(members({ op: 'add', path: '/metadata/annotations', value: { a: 'x'.repeat(1000) } }));
    for (let i = 0; i < 40; i++) operations.push(members({ op: 'copy', from: '/metadata', path: `/metadata/x${i}` }));
  }
  return text('application/json-patch+json', random.chance(0.05) ? hostileValue(random) : operations);
}

function mergePatch(object: Members, random: Random): Value {
  return random.weighted<() => Value>([
    [3, () => mutate(object, random)],
    [2, () => new Members([['metadata', new Members([['labels', pollution(random)]])]])],
    [1, () => pollution(random)],
    [1, () => new Members([['metadata', new Members([[hostileKey(random), null]])]])],
    [1, () => hostileValue(random)],
  ])();
}

function strategicPatch(object: Members, random: Random): Value {
  const directive = random.pick(DIRECTIVES);
  const list = random.pick([
    'containers',
    'volumes',
    'tolerations',
    'imagePullSecrets',
    'finalizers',
    'ports',
    ...HOSTILE_KEYS,
  ]);
  return random.weighted<() => Value>([
    [3, () => mutate(object, random)],
    [2, () => new Members([['$patch', directive], ...object.entries])],
    [2, () => members({ spec: { [list]: [{ $patch: directive, name: 'a' }, { $patch: 'replace' }] } })],
    [2, () => members({ spec: { [`$deleteFromPrimitiveList/${list}`]: ['a', null, {}] } })],
    [
      2,
      () =>
        members({
          spec: {
            [`$setElementOrder/${list}`]: random.pick<unknown>([
              [{ name: 'b' }, { name: 'a' }],
              ['a', 'a'],
              [null],
              {},
              'x',
              [{ name: {} }],
            ]),
          },
        }),
    ],
    [1, () => members({ spec: { $retainKeys: random.pick<unknown>([['a'], 'x', [null], null]) } })],
    [1, () => members({ metadata: { ownerReferences: [{ uid: null }, { uid: {} }, {}], finalizers: [null, 1] } })],
    [1, () => new Members([['spec', pollution(random)]])],
    [1, () => new Members([[`$patch`, hostileValue(random)]])],
  ])();
}

function applyPatch(object: Members, random: Random): Value {
  const clean = new Members(object.entries.filter(([name]) => name !== 'status'));
  return random.weighted<() => Value>([
    [4, () => clean],
    [4, () => mutate(clean, random)],
    [1, () => new Members(clean.entries.slice(0, 3))],
    [1, () => members({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'fz-0', managedFields: null } })],
    [1, () => hostileValue(random)],
  ])();
}
