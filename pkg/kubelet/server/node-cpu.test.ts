import { expect, test } from 'vitest';
import { nodeCPUSeconds, workingSeconds } from './node-cpu.ts';

test.each([
  ['cpu  100 20 30 4000 50 6 7 8 0 0\ncpu0 1 2 3 4\n', 1.71],
  ['cpu  100 20 30\n', 1.5],
  ['cpu0 1 2 3 4\n', undefined],
  ['', undefined],
])('%j', (stat, seconds) => {
  expect(workingSeconds(stat)).toBe(seconds);
});

test('where nothing can be read, nothing is said', async () => {
  expect(await nodeCPUSeconds('/nowhere/stat')).toBeUndefined();
});
