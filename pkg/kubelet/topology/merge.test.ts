import { expect, test } from 'vitest';
import { type Hint, type Hints, maskOf } from './hints.ts';
import { mergeHints, type TopologyPolicy } from './merge.ts';

const nodes = (...ids: number[]): { nodes: number } => ({ nodes: maskOf(ids) });
const yes = (...ids: number[]): Hint => ({ ...nodes(...ids), preferred: true });
const no = (...ids: number[]): Hint => ({ ...nodes(...ids), preferred: false });
const hints = (...lists: (readonly Hint[] | undefined)[]): Hints =>
  new Map(lists.map((list, index) => [`resource-${index}`, list]));

type Case = readonly [name: string, wishes: readonly Hints[], merged: Hint];

/** Two nodes; what best-effort and restricted agree upon. */
const cases: Case[] = [
  ['nobody has a wish', [], yes(0, 1)],
  ['no wish at all', [hints()], yes(0, 1)],
  ['it does not matter where', [hints(undefined)], yes(0, 1)],
  ['it cannot be had', [hints([])], no(0, 1)],
  ['one node', [hints([yes(0)])], yes(0)],
  ['the lower of two nodes', [hints([yes(0), yes(1), no(0, 1)])], yes(0)],
  ['one wish and none', [hints([yes(1)]), hints()], yes(1)],
  ['one wish and what cannot be had', [hints([yes(1)]), hints([])], no(1)],
  ['the common node', [hints([yes(0), yes(1)]), hints([yes(1)])], yes(1)],
  ['nothing in common', [hints([yes(0)]), hints([yes(1)])], no(0, 1)],
  ['a preferred one with one that is not', [hints([yes(0), yes(1)]), hints([no(0, 1)])], no(0)],
  ['both nodes', [hints([yes(0, 1)]), hints([yes(0, 1)])], yes(0, 1)],
  ['two resources of one provider', [hints([yes(0), yes(1), no(0, 1)], [yes(1), no(0, 1)])], yes(1)],
];

test.each(cases)('best-effort takes all, restricted what is preferred: %s', (_, wishes, hint) => {
  const merge = (policy: TopologyPolicy): unknown => mergeHints(wishes, { policy, nodes: [0, 1] });
  expect(merge('best-effort')).toEqual({ hint, admit: true });
  expect(merge('restricted')).toEqual({ hint, admit: hint.preferred });
});

test.each<readonly [...Case, admit: boolean]>([
  ['no wish', [hints()], { preferred: true }, true],
  ['one node', [hints([yes(0), yes(1), no(0, 1)])], yes(0), true],
  ['the common node', [hints([yes(0), yes(1)]), hints([yes(1)])], yes(1), true],
  ['nothing in common', [hints([yes(0)]), hints([yes(1)])], { preferred: false }, false],
  ['only both', [hints([yes(0, 1)])], { preferred: false }, false],
  ['not preferred', [hints([no(0)])], { preferred: false }, false],
])('single-numa-node: %s', (_, wishes, hint, admit) => {
  expect(mergeHints(wishes, { policy: 'single-numa-node', nodes: [0, 1] })).toEqual({ hint, admit });
});

test.each<Case>([
  // Two nodes are needed by the first: one that has two is better than one, and than three.
  [
    'as many as are needed',
    [hints([no(0, 1), no(0, 1, 2), no(0, 1, 2, 3)]), hints([no(0), no(0, 1), no(0, 1, 2)])],
    no(0, 1),
  ],
  ['nearly as many', [hints([no(0, 1, 2)]), hints([yes(0), yes(1, 2)])], no(1, 2)],
  ['preferred before narrow', [hints([yes(0, 1), no(0)]), hints([yes(0, 1)])], yes(0, 1)],
])('four nodes: %s', (_, wishes, hint) => {
  expect(mergeHints(wishes, { policy: 'best-effort', nodes: [0, 1, 2, 3] }).hint).toEqual(hint);
});

test('nearer nodes, when they are to be preferred', () => {
  const distances = new Map([
    [0, [10, 30, 12]],
    [1, [30, 10, 20]],
    [2, [12, 20, 10]],
  ]);
  const wishes = [hints([yes(0, 1), yes(0, 2), yes(1, 2)])];
  const input = { policy: 'restricted', nodes: [0, 1, 2] } as const;
  expect(mergeHints(wishes, input).hint).toEqual(yes(0, 1));
  expect(mergeHints(wishes, { ...input, distances }).hint).toEqual(yes(0, 2));
});

test('many resources on many nodes are merged at once', () => {
  const all = [0, 1, 2, 3, 4, 5, 6, 7];
  const list = Array.from({ length: 255 }, (_, mask): Hint => ({ nodes: mask + 1, preferred: mask === 127 }));
  const merged = mergeHints([hints(list, list, list), hints(list, list)], { policy: 'restricted', nodes: all });
  expect(merged).toEqual({ hint: yes(7), admit: true });
});
