import { expect, test } from 'vitest';
import { FakeClock } from '../base/clock.ts';
import type { Informer } from '../client/client.ts';
import { syncedWithin } from './synced-within.ts';

function informer() {
  const synced = Promise.withResolvers<void>();
  const state = {
    hasSynced: false,
    synced: () => synced.promise,
    finish: () => {
      state.hasSynced = true;
      synced.resolve();
    },
  };
  return state;
}

const asInformers = (...states: object[]) => states as unknown as Informer<unknown>[];
const never = new AbortController().signal;

test('waits for all, but not for ever', async () => {
  const clock = new FakeClock();
  const [quick, slow] = [informer(), informer()];
  quick.finish();
  expect(await syncedWithin(asInformers(quick), 1000, clock, never)).toBe(true);
  const waiting = syncedWithin(asInformers(quick, slow), 1000, clock, never);
  slow.finish();
  expect(await waiting).toBe(true);
  const hanging = syncedWithin(asInformers(informer(), quick), 1000, clock, never);
  await clock.advance(1000);
  expect(await hanging).toBe(false);
  expect(clock.pending).toBe(0);
});

test('ends with its signal', async () => {
  const stop = new AbortController();
  const waiting = syncedWithin(asInformers(informer()), 1000, new FakeClock(), stop.signal);
  stop.abort();
  await expect(waiting).rejects.toThrow();
});
