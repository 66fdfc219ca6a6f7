import { expect, test } from 'vitest';
import type { ReadNode } from './node-conditions.ts';
import { ReadyNodes } from './ready-nodes.ts';

const node = (name: string, status: string): ReadNode =>
  ({ metadata: { name }, spec: {}, status: { conditions: [{ type: 'Ready', status }] } }) as unknown as ReadNode;

test('only the first that is ready and the last that was turn the state of all', () => {
  const ready = new ReadyNodes();
  const steps: [boolean, boolean][] = [
    [ready.note(node('a', 'Unknown')), false],
    [ready.note(node('a', 'True')), true],
    [ready.note(node('a', 'True')), false],
    [ready.note(node('b', 'True')), false],
    [ready.note(node('a', 'False')), false],
    [ready.note(node('b', 'Unknown')), true],
    [ready.forget('b'), false],
    [ready.note(node('c', 'True')), true],
    [ready.forget('c'), true],
  ];
  expect(steps.map(([turned]) => turned)).toEqual(steps.map(([, expected]) => expected));
});

test('a node does not count for itself', () => {
  const ready = new ReadyNodes();
  ready.note(node('a', 'True'));
  expect([ready.hasOtherThan('a'), ready.hasOtherThan('b')]).toEqual([false, true]);
});
