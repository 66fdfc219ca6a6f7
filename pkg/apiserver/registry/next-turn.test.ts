import { expect, test } from 'vitest';
import type { Steps } from '../../base/steps.ts';
import type { RequestContext } from '../request/request-context.ts';
import { limitFields, runSteps } from './next-turn.ts';

const small = { bodyBytes: 1000 } as RequestContext;
const large = { bodyBytes: 300_000 } as RequestContext;

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

const map = (size: number): object => Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, '']));

test.each([
  ['few fields', { a: 1, b: [{ c: null }] }, false],
  ['as many as may be', { data: map(99_999) }, false],
  ['one more', { data: map(100_000) }, true],
  ['many in many places', { a: map(40_000), b: { c: [map(40_000), map(40_000)] } }, true],
  ['a long list', { a: Array.from({ length: 100_001 }, () => 0) }, true],
  ['no object', 'text', false],
  ['nothing', undefined, false],
])('a large body with %s', (_, body, refused) => {
  const check = (): void => limitFields(large, body);
  if (refused) expect(check).toThrow('Request entity too large: limit is 100000 fields');
  else expect(check).not.toThrow();
  expect(() => limitFields(small, body)).not.toThrow();
});
