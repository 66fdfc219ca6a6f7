import { expect, test } from 'vitest';
import { metThresholds, type Observations, parseThresholdValue, type Signal, type Threshold } from './thresholds.ts';

const MiB = 2 ** 20;
const threshold = (signal: Signal, value: string, minReclaim?: string): Threshold => ({
  signal,
  value: parseThresholdValue(value),
  gracePeriodMs: 0,
  minReclaim: minReclaim === undefined ? undefined : parseThresholdValue(minReclaim),
});
const seen = (signal: Signal, available: number, capacity: number): Observations =>
  new Map([[signal, { available, capacity }]]);

test.each<[string, string, number, boolean]>([
  ['below a quantity', '100Mi', 99 * MiB, true],
  ['at a quantity', '100Mi', 100 * MiB, false],
  ['below a percentage', '10%', 99 * MiB, true],
  ['above a percentage', '10%', 101 * MiB, false],
])('%s', (_, value, available, met) => {
  const one = threshold('memory.available', value);
  expect(metThresholds([one], seen('memory.available', available, 1000 * MiB)).length > 0).toBe(met);
});

test('a minimum to reclaim counts only while it is being reclaimed', () => {
  const one = threshold('nodefs.available', '10%', '500Mi');
  const observations = seen('nodefs.available', 300 * MiB, 1000 * MiB);
  expect(metThresholds([one], observations)).toEqual([]);
  expect(metThresholds([one], observations, new Set([one]))).toEqual([one]);
  expect(metThresholds([one], seen('nodefs.available', 601 * MiB, 1000 * MiB), new Set([one]))).toEqual([]);
});

test('what was not measured is not met', () => {
  expect(metThresholds([threshold('pid.available', '1k')], new Map())).toEqual([]);
});

test.each(['', '10', '-1', '0%', '100%', 'x%', '1Zi'])('%j as a value', (text) => {
  if (text === '10') expect(parseThresholdValue(text)).toEqual({ quantity: '10' });
  else expect(() => parseThresholdValue(text)).toThrow(text);
});
