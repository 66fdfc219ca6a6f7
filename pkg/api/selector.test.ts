import { expect, test } from 'vitest';
import { formatLabelSelector, matchesLabelSelector } from './selector.ts';

const labels = { app: 'web', tier: 'front' };

test.each([
  [undefined, false],
  [{}, true],
  [{ matchLabels: { app: 'web' } }, true],
  [{ matchLabels: { app: 'web', tier: 'back' } }, false],
  [{ matchLabels: { toString: 'x' } }, false],
  [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['back', 'front'] }] }, true],
  [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, true],
  [{ matchExpressions: [{ key: 'zone', operator: 'Exists' }] }, false],
  [{ matchExpressions: [{ key: 'zone', operator: 'DoesNotExist' }] }, true],
  [{ matchExpressions: [{ key: 'app', operator: 'Like', values: ['web'] }] }, false],
])('%j', (selector, expected) => {
  expect(matchesLabelSelector(selector, labels)).toBe(expected);
});

test('text form', () => {
  const matchExpressions = [
    { key: 'zone', operator: 'In', values: ['b', 'a'] },
    { key: 'old', operator: 'DoesNotExist' },
    { key: 'x', operator: 'Exists' },
  ];
  expect(formatLabelSelector({ matchLabels: { b: '1', a: '2' }, matchExpressions })).toBe(
    'a=2,b=1,!old,x,zone in (a,b)',
  );
});
