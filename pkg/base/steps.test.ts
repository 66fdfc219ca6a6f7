import { expect, test } from 'vitest';
import { atOnce, inTurns, type Steps } from './steps.ts';

function* steps(log: string[]): Steps<string> {
  log.push('a');
  yield;
  log.push('b');
  yield;
  log.push('c');
  return 'done';
}

test('steps give the same at once and in turns; others run between turns', async () => {
  const log: string[] = [];
  expect(atOnce(steps(log))).toBe('done');
  const result = inTurns(steps(log), 0);
  const other = new Promise<void>((resolve) =>
    setImmediate(() => {
      log.push('other');
      resolve();
    }),
  );
  expect(await result).toBe('done');
  await other;
  expect(log).toEqual(['a', 'b', 'c', 'a', 'b', 'other', 'c']);
});
