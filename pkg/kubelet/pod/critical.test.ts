import { expect, test } from 'vitest';
import type { Pod } from '../types.ts';
import { isCritical, mayPreempt } from './critical.ts';

const pod = (priority?: number, annotations: object = {}): Pod =>
  ({
    metadata: { annotations },
    spec: { containers: [], ...(priority === undefined ? {} : { priority }) },
  }) as unknown as Pod;
const fixed = pod(undefined, { 'kubernetes.io/config.source': 'file' });

test('static pods and those of the highest priorities are critical', () => {
  expect([pod(2_000_000_000), pod(1_999_999_999), pod(), fixed].map(isCritical)).toEqual([true, false, false, true]);
});

test.each([
  ['critical and not', pod(2_000_000_000), pod(1_999_999_999), true],
  ['static and not', fixed, pod(5), true],
  ['static and critical', fixed, pod(2_000_000_000), false],
  ['more and less critical', pod(2_000_001_000), pod(2_000_000_000), true],
  ['as critical', pod(2_000_000_000), pod(2_000_000_000), false],
  ['more important', pod(2), pod(1), true],
  ['one without a priority', pod(2), pod(), false],
])('%s', (_, preemptor, other, expected) => {
  expect(mayPreempt(preemptor, other)).toBe(expected);
});
