import { expect, test } from 'vitest';
import type { Steps } from '../../base/steps.ts';
import type { RequestContext } from '../request/request-context.ts';
import { isLarge, nextTurn, runSteps, worksOn } from './next-turn.ts';

const small = { workBytes: 1000 } as RequestContext;
const large = { workBytes: 300_000 } as RequestContext;

function* twoSteps(): Steps<string> {
  yield;
  return 'done';
}

test('steps are taken at once for a small body, with turns for others for a large one', async () => {
  expect(runSteps(small, twoSteps())).toBe('done');
  const pending = runSteps(large, twoSteps());
  expect(pending).toBeInstanceOf(Promise);
  expect(await pending).toBe('done');
});

test('between two steps there is a turn only where there is much to do', async () => {
  expect(nextTurn(small)).toBeUndefined();
  let isOver = false;
  setImmediate(() => {
    isOver = true;
  });
  await nextTurn(large);
  expect(isOver).toBe(true);
});

test('a small request about a large object has much to do', () => {
  const context = { ...small };
  worksOn(context, { size: 500 });
  expect(context.workBytes).toBe(1000);
  worksOn(context, { size: 300_000 });
  expect(isLarge(context)).toBe(true);
});
