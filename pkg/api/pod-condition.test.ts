import { expect, test } from 'vitest';
import type { Pod } from './generated/types.ts';
import { podConditionPatch } from './pod-condition.ts';

const condition = { type: 'DisruptionTarget', status: 'True', reason: 'R', message: 'm', lastTransitionTime: 't' };
const pod = (...types: string[]): Pod =>
  ({
    metadata: { uid: 'u', generation: 3 },
    status: { conditions: types.map((type) => ({ type })) },
  }) as unknown as Pod;

test.each([
  ['new', ['Ready', 'PodScheduled'], ['Ready', 'PodScheduled', 'DisruptionTarget']],
  ['known', ['DisruptionTarget', 'Ready'], ['DisruptionTarget', 'Ready']],
  ['the first', [], ['DisruptionTarget']],
])('a condition that is %s', (_, before, order) => {
  expect(podConditionPatch(pod(...before), condition)).toEqual({
    metadata: { uid: 'u' },
    status: {
      '$setElementOrder/conditions': order.map((type) => ({ type })),
      conditions: [{ ...condition, lastProbeTime: null, observedGeneration: 3 }],
    },
  });
});
