import { expect, test } from 'vitest';
import { type History, normalize, remember } from './behavior.ts';

const NOW = 1_000_000;
const none: History = { recommendations: [], changes: [] };
const bounds = { min: 1, max: 100 };
const percent = (value: number, periodSeconds = 60) => ({ type: 'Percent', value, periodSeconds });
const pods = (value: number, periodSeconds = 60) => ({ type: 'Pods', value, periodSeconds });
const recently = (replicas: number, agoMs: number): History => ({
  ...none,
  recommendations: [{ replicas, atMs: NOW - agoMs }],
});
const changed = (up: boolean, replicas: number, agoMs: number): History => ({
  ...none,
  changes: [{ up, replicas, atMs: NOW - agoMs }],
});
const rules = (scaleUp: object, scaleDown: object = {}) => ({
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [percent(100, 15), pods(4, 15)],
    ...scaleUp,
  },
  scaleDown: { selectPolicy: 'Max', policies: [percent(100, 15)], ...scaleDown },
});

test.each<
  [string, object | undefined, History, number, number, { min: number; max: number }, (number | string | boolean)[]]
>([
  ['as it is', undefined, none, 3, 3, bounds, [3, 'ReadyForNewScale', 'DesiredWithinRange', false]],
  ['up', undefined, none, 3, 5, bounds, [5, 'ReadyForNewScale', 'DesiredWithinRange', false]],
  ['up at most to the double', undefined, none, 3, 50, bounds, [6, 'ReadyForNewScale', 'ScaleUpLimit', true]],
  ['from one to four at once', undefined, none, 1, 50, bounds, [4, 'ReadyForNewScale', 'ScaleUpLimit', true]],
  ['up to the maximum', undefined, none, 3, 50, { min: 1, max: 5 }, [5, 'ReadyForNewScale', 'TooManyReplicas', true]],
  ['down to the minimum', undefined, none, 3, 0, { min: 2, max: 5 }, [2, 'ReadyForNewScale', 'TooFewReplicas', true]],
  [
    'down not yet',
    undefined,
    recently(7, 299_000),
    7,
    2,
    bounds,
    [7, 'ScaleDownStabilized', 'DesiredWithinRange', false],
  ],
  [
    'down after five minutes',
    undefined,
    recently(7, 300_000),
    7,
    2,
    bounds,
    [2, 'ReadyForNewScale', 'DesiredWithinRange', false],
  ],
  ['up by rules', rules({}), none, 10, 50, bounds, [20, 'ReadyForNewScale', 'ScaleUpLimit', true]],
  [
    'up by the smaller rule',
    rules({ selectPolicy: 'Min' }),
    none,
    10,
    50,
    bounds,
    [14, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ],
  [
    'up is off',
    rules({ selectPolicy: 'Disabled' }),
    none,
    10,
    50,
    bounds,
    [10, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ],
  [
    'up by what is left of the period',
    rules({ policies: [pods(4, 60)] }),
    changed(true, 3, 30_000),
    10,
    50,
    bounds,
    [11, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ],
  [
    'up in a new period',
    rules({ policies: [pods(4, 60)] }),
    changed(true, 3, 60_000),
    10,
    50,
    bounds,
    [14, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ],
  [
    'up not yet',
    rules({ stabilizationWindowSeconds: 60 }),
    recently(11, 59_000),
    10,
    13,
    bounds,
    [11, 'ScaleUpStabilized', 'DesiredWithinRange', false],
  ],
  [
    'down by rules',
    rules({}, { policies: [pods(2), percent(10)] }),
    none,
    50,
    1,
    bounds,
    [45, 'ReadyForNewScale', 'ScaleDownLimit', true],
  ],
  [
    'down by the smaller rule',
    rules({}, { selectPolicy: 'Min', policies: [pods(2), percent(10)] }),
    none,
    50,
    1,
    bounds,
    [48, 'ReadyForNewScale', 'ScaleDownLimit', true],
  ],
  [
    'down is off',
    rules({}, { selectPolicy: 'Disabled' }),
    none,
    50,
    1,
    bounds,
    [50, 'ReadyForNewScale', 'ScaleDownLimit', true],
  ],
  [
    'down at once',
    rules({}, { stabilizationWindowSeconds: 0 }),
    recently(50, 1000),
    50,
    1,
    bounds,
    [1, 'ReadyForNewScale', 'DesiredWithinRange', false],
  ],
  [
    'down below the minimum',
    rules({}),
    none,
    5,
    0,
    { min: 2, max: 9 },
    [2, 'ReadyForNewScale', 'TooFewReplicas', true],
  ],
])('%s', (_, behavior, history, current, wanted, limits, expected) => {
  const { replicas, stabilized, limited } = normalize(behavior, history, current, wanted, limits, NOW);
  expect([replicas, stabilized.reason, limited.reason, limited.isLimited]).toEqual(expected);
});

test('what no rule looks at any more is forgotten', () => {
  const behavior = rules({ policies: [pods(4, 60)] }, { stabilizationWindowSeconds: 30 });
  const history: History = {
    recommendations: [
      { replicas: 1, atMs: NOW - 31_000 },
      { replicas: 2, atMs: NOW - 29_000 },
    ],
    changes: [
      { up: true, replicas: 1, atMs: NOW - 61_000 },
      { up: false, replicas: 2, atMs: NOW - 59_000 },
    ],
  };
  expect(remember(history, behavior, { recommendation: 7, from: 5, to: 3 }, NOW)).toEqual({
    recommendations: [
      { replicas: 2, atMs: NOW - 29_000 },
      { replicas: 7, atMs: NOW },
    ],
    changes: [
      { up: false, replicas: 2, atMs: NOW - 59_000 },
      { up: false, replicas: 2, atMs: NOW },
    ],
  });
});
