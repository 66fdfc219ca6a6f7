import { expect, test } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import type { ReadDaemonSet } from './placement.ts';
import { rollingPlan } from './plan.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');

function pod(name: string, hash: string, isReady = true): Pod {
  return {
    metadata: { name, namespace: 'n', labels: { 'controller-revision-hash': hash } },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    },
  } as unknown as Pod;
}

function set(rollingUpdate: object): ReadDaemonSet {
  return {
    metadata: { name: 'd', namespace: 'n', uid: 'u', generation: 2 },
    spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate }, template: {} },
  } as unknown as ReadDaemonSet;
}

const REPLACE = { maxSurge: 0, maxUnavailable: 1 };
const SURGE = { maxSurge: 1, maxUnavailable: 0 };
const OLD_A = pod('a', 'old');
const OLD_B = pod('b', 'old');
const NEW_A = pod('a2', 'new');

test.each([
  ['one old pod at a time', REPLACE, ['a', 'b'], { a: [OLD_A], b: [OLD_B] }, [], ['a']],
  ['none while one is missing', REPLACE, ['a', 'b'], { b: [OLD_B] }, [], []],
  ['those that do not work at once', REPLACE, ['a', 'b'], { a: [pod('a', 'old', false)], b: [OLD_B] }, [], ['a']],
  ['where no pod would be put now', REPLACE, [], { a: [OLD_A] }, [], ['a']],
  ['a new one beside an old one', SURGE, ['a', 'b'], { a: [OLD_A], b: [OLD_B] }, ['a'], []],
  ['an old one when the new one works', SURGE, ['a', 'b'], { a: [OLD_A, NEW_A], b: [OLD_B] }, ['b'], ['a']],
  ['none that is needed where none would be put now', SURGE, ['b'], { a: [OLD_A] }, [], []],
  ['one too many where none would be put now', SURGE, ['b'], { a: [OLD_A], b: [pod('b2', 'new')] }, [], ['a']],
  ['a broken one where none would be put now', SURGE, ['b'], { a: [pod('a', 'old', false)] }, [], ['a']],
])('rolling update: %s', (_, strategy, mayRun, pods, create, remove) => {
  const nodes = ['a', 'b'].map((name) => ({ name, shouldRun: mayRun.includes(name), mayStay: true }));
  const plan = rollingPlan(set(strategy), nodes, new Map(Object.entries(pods)), 'new', NOW);
  expect({ create: plan.create, remove: plan.remove.map(({ metadata }) => metadata.name) }).toEqual({ create, remove });
});
