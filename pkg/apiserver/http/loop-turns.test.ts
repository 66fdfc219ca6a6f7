import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { LoopTurns } from './loop-turns.ts';

test('what has begun ends before more begins, in the order of asking', async () => {
  const turns = new LoopTurns(new FakeClock());
  const log: string[] = [];
  const work = async (name: string): Promise<void> => {
    await turns.begin();
    for (let block = 1; block <= 2; block++) {
      // As deep below the turn as a list's blocks are.
      await (async () => await Promise.resolve())();
      log.push(`${name}${block}`);
      await turns.next();
    }
  };
  await Promise.all([work('a'), work('b'), work('c')]);
  expect(log).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2']);
});

test('others have their turn between the spans of long work', async () => {
  let nowMs = 0;
  const turns = new LoopTurns(Object.assign(new FakeClock(), { monotonic: () => nowMs }));
  const log: string[] = [];
  const done = Promise.all(
    Array.from({ length: 6 }, async () => {
      await turns.next();
      nowMs += 3;
      log.push('long');
    }),
  );
  const other = (): void => {
    log.push('other');
    if (log.length < 8) setImmediate(other);
  };
  setImmediate(other);
  await done;
  expect(log.join(' ')).toMatch(/^long long other long long other/);
});
