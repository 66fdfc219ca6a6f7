import { expect, test } from 'vitest';
import type { Schema } from '../schema.ts';
import { appliedSet, appliedSteps } from './applied-set.ts';
import { type Comparison, compareObjects, compareSteps } from './compare.ts';
import { emptySet, type FieldSet, pathsOf, setOf, union } from './field-set.ts';
import { mergeConfig } from './merge.ts';
import { formatPath } from './path-element.ts';
import { pruneUnowned } from './prune.ts';

const string: Schema = { type: 'string' };
const item: Schema = {
  type: 'object',
  properties: new Map([
    ['n', string],
    ['v', string],
  ]),
};
const schema: Schema = {
  type: 'object',
  properties: new Map<string, Schema>([
    ['s', string],
    ['map', { type: 'object', additionalProperties: string }],
    ['atom', { type: 'object', additionalProperties: string, mapType: 'atomic' }],
    ['struct', item],
    ['atomic', { type: 'array', items: string }],
    ['set', { type: 'array', items: string, listType: 'set' }],
    ['list', { type: 'array', items: item, listType: 'map', listMapKeys: ['n'] }],
    ['free', { type: 'any' }],
    ['raw', { type: 'object', preserveUnknownFields: true, format: 'raw' }],
  ]),
};

const show = (set: Parameters<typeof pathsOf>[0]): string => pathsOf(set).map(formatPath).sort().join(' ');

test.each<[object, object, string, string, string]>([
  [{ s: 'a' }, { s: 'a' }, '', '', ''],
  [{ s: 'a' }, { s: 'b' }, '', '.s', ''],
  [{}, { s: 'a' }, '.s', '', ''],
  [{ s: 'a' }, {}, '', '', '.s'],
  [{}, { map: { a: '1' } }, '.map .map.a', '', ''],
  [{ map: { a: '1' } }, {}, '', '', '.map .map.a'],
  [{ map: { a: '1', b: '1' } }, { map: { b: '2', c: '3' } }, '.map.c', '.map.b', '.map.a'],
  [{ map: { constructor: '1', b: '1' } }, { map: { b: '1' } }, '', '', '.map.constructor'],
  [{ map: { b: '1' } }, { map: { toString: '1', b: '1' } }, '.map.toString', '', ''],
  [JSON.parse('{"map":{"__proto__":"1","b":"1"}}'), { map: { b: '1' } }, '', '', '.map.__proto__'],
  [{}, { map: {} }, '.map', '', ''],
  [{ map: null }, { map: { a: '1' } }, '.map.a', '', ''],
  [{ atom: { a: '1' } }, { atom: { a: '2' } }, '', '.atom', ''],
  [{ atomic: ['a'] }, { atomic: ['b'] }, '', '.atomic', ''],
  [{ set: ['a', 'b'] }, { set: ['c', 'b'] }, '.set[="c"]', '', '.set[="a"]'],
  [{ set: ['a', 'b'] }, { set: ['b', 'a'] }, '', '', ''],
  [{}, { list: [{ n: 'x', v: '1' }] }, '.list .list[n="x"] .list[n="x"].n .list[n="x"].v', '', ''],
  [{ list: [{ n: 'x', v: '1' }] }, { list: [{ n: 'x', v: '2' }] }, '', '.list[n="x"].v', ''],
  [{ list: null }, { list: [{ n: 'x' }] }, '.list[n="x"] .list[n="x"].n', '', ''],
  [
    {
      list: [
        { n: 'x', v: '1' },
        { n: 'x', v: '2' },
      ],
    },
    { list: [{ n: 'x', v: '1' }] },
    '',
    '.list[n="x"]',
    '',
  ],
  [{ free: { a: { b: 1 }, l: [1] } }, { free: { a: { b: 2 }, l: [2] } }, '', '.free.a.b .free.l', ''],
  [{ raw: { a: 1 } }, { raw: { a: 2 } }, '', '.raw', ''],
])('%j -> %j', (old, object, added, modified, removed) => {
  const comparison = compareObjects(schema, old, object, emptySet);
  expect([show(comparison.added), show(comparison.modified), show(comparison.removed)]).toEqual([
    added,
    modified,
    removed,
  ]);
  expect(comparison.same).toBe(added + modified + removed === '');
});

test('fields that are not tracked are not compared', () => {
  const untracked = setOf(['f:s'], ['f:struct', 'f:v']);
  const comparison = compareObjects(schema, {}, { s: 'a', struct: { n: '1', v: '2' } }, untracked);
  expect(show(comparison.added)).toBe('.struct .struct.n');
});

test.each<[object, string]>([
  [{ s: 'a', struct: { n: '1' } }, '.s .struct.n'],
  [{ map: { a: '1', b: null }, struct: {} }, '.map.a .map.b .struct'],
  [{ atom: { a: '1' }, atomic: [], raw: {} }, '.atom .atomic .raw'],
  [{ set: ['a'], list: [{ n: 'x' }] }, '.list[n="x"] .list[n="x"].n .set[="a"]'],
  [{ set: [], list: [] }, ''],
  [{ free: { a: { b: 1 }, l: [1] } }, '.free.a .free.a.b .free.l'],
])('%j claims %s', (config, expected) => {
  expect(show(appliedSet(schema, config, emptySet))).toBe(expected);
});

test.each<[string[], string[], string[]]>([
  [
    ['a', 'b'],
    ['b', 'c'],
    ['a', 'b', 'c'],
  ],
  [
    ['a', 'b', 'c'],
    ['c', 'a'],
    ['b', 'c', 'a'],
  ],
  [
    ['a', 'b'],
    ['x', 'a'],
    ['x', 'a', 'b'],
  ],
  [['a', 'b'], [], ['a', 'b']],
  [[], ['a'], ['a']],
])('a set %j with %j becomes %j', (live, config, expected) => {
  expect(mergeConfig(schema, { set: live }, { set: config })).toEqual({ set: expected });
});

test('pruning keeps what others own', () => {
  const object = { map: { a: '1', b: '2' }, struct: { n: '1', v: '2' }, list: [{ n: 'x', v: '1' }, { n: 'y' }] };
  const last = appliedSet(schema, object, emptySet);
  const owned = appliedSet(schema, { map: { b: '' }, struct: { v: '' }, list: [{ n: 'x' }] }, emptySet);
  expect(pruneUnowned(schema, object, last, owned)).toEqual({
    map: { b: '2' },
    struct: { v: '2' },
    list: [{ n: 'x' }],
  });
  expect(pruneUnowned(schema, object, last, emptySet)).toEqual({});
  expect(pruneUnowned(schema, object, last, last)).toBe(object);
});

test('what is new as a whole is written in the order of upstream too', () => {
  const object = { struct: { v: '1', n: 'x' }, list: [{ v: '1', n: 'b' }, { n: 'a' }], set: ['c', 'b'] };
  const { added } = compareObjects(schema, {}, object, emptySet);
  expect(JSON.stringify(added)).toBe(
    JSON.stringify({
      'f:list': {
        '.': {},
        'k:{"n":"a"}': { '.': {}, 'f:n': {} },
        'k:{"n":"b"}': { '.': {}, 'f:n': {}, 'f:v': {} },
      },
      'f:set': { '.': {}, 'v:"b"': {}, 'v:"c"': {} },
      'f:struct': { '.': {}, 'f:n': {}, 'f:v': {} },
    }),
  );
});

/** A part of a large object, in one of its states. */
function part(index: number, state: number): Record<string, unknown> {
  const keep = (i: number): boolean => (i + index + state) % 3 > 0;
  const value = (i: number): string => String(i % 5 === 0 ? state : i);
  const numbers = Array.from({ length: 400 }, (_, i) => i).filter(keep);
  const named = numbers.map((i) => [`${index}-${i}`, value(i)] as const);
  return {
    map: Object.fromEntries(named),
    list: named.map(([n, v]) => (n.endsWith('7') ? { n } : { n, v })),
    set: named.map(([n]) => n),
    tree: Object.fromEntries(numbers.map((i) => [`${index}-${i}`, { a: { b: value(i) }, c: i % 7 === 0 ? {} : 'c' }])),
    ...(keep(0) ? { [`whole-${index}`]: { map: Object.fromEntries(named) } } : {}),
  };
}

function together(parts: readonly Record<string, unknown>[]): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const one of parts) {
    for (const [name, value] of Object.entries(one)) {
      const before = all[name];
      if (Array.isArray(value)) all[name] = [...((before as unknown[] | undefined) ?? []), ...value];
      else all[name] = { ...(before as object | undefined), ...(value as object) };
    }
  }
  return all;
}

test.each([
  [0, 1],
  [1, 2],
  [0, undefined],
  [undefined, 1],
])('of large objects all parts are compared, in steps (%s to %s)', (from, to) => {
  const open: Schema = { ...schema, preserveUnknownFields: true };
  const parts = Array.from({ length: 20 }, (_, index) => index);
  const of = (index: number, state: number | undefined) => (state === undefined ? {} : part(index, state));
  const whole = (state: number | undefined) => together(parts.map((index) => of(index, state)));
  const expected: Pick<Comparison, 'added' | 'modified' | 'removed'>[] = parts.map((index) =>
    compareObjects(open, of(index, from), of(index, to), emptySet),
  );
  let steps = 0;
  let found: Comparison | undefined;
  for (const comparison = compareSteps(open, whole(from), whole(to), emptySet); found === undefined; steps++) {
    const { done, value } = comparison.next();
    if (done) found = value;
  }
  expect(steps).toBeGreaterThan(15);
  for (const kind of ['added', 'modified', 'removed'] as const) {
    const all = expected.reduce((set, comparison) => union(set, comparison[kind]), emptySet);
    expect(JSON.stringify(found[kind])).toBe(JSON.stringify(all));
  }
  expect(found.same).toBe(false);
});

test('of large configurations all parts are claimed, in steps', () => {
  const open: Schema = { ...schema, preserveUnknownFields: true };
  const parts = Array.from({ length: 20 }, (_, index) => part(index, 1));
  let steps = 0;
  let found: FieldSet | undefined;
  for (const claiming = appliedSteps(open, together(parts), emptySet); found === undefined; steps++) {
    const { done, value } = claiming.next();
    if (done) found = value;
  }
  expect(steps).toBeGreaterThan(5);
  const all = parts.reduce<FieldSet>((set, one) => union(set, appliedSet(open, one, emptySet)), emptySet);
  expect(JSON.stringify(found)).toBe(JSON.stringify(all));
});
