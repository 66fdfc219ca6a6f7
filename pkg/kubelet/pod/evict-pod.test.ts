import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { Pod } from '../types.ts';
import { evictPod } from './evict-pod.ts';
import type { PodFailure } from './pod-status.ts';

function setUp(terminationGracePeriodSeconds: number, graceSeconds?: number) {
  const clock = new FakeClock();
  const events: string[] = [];
  const failures: PodFailure[] = [];
  const stopped = Promise.withResolvers<void>();
  const stop = new AbortController();
  const pod = { metadata: { name: 'p' }, spec: { containers: [], terminationGracePeriodSeconds } } as unknown as Pod;
  const failure = { reason: 'Evicted', message: 'm', ...(graceSeconds === undefined ? {} : { graceSeconds }) };
  const recorder = {
    event: (_: object, type: string, reason: string) => void events.push(`${type} ${reason}`),
    flush: async () => {},
  };
  const evicted = { pod, fail: (one: PodFailure) => void failures.push(one), whenStopped: () => stopped.promise };
  const done = evictPod(evicted, failure, { clock, recorder, logger: silentLogger }, stop.signal);
  return { clock, events, failures, stopped, stop, done, failure };
}

test('a pod that ends in time', async () => {
  const { clock, events, failures, stopped, done, failure } = setUp(30);
  expect(failures).toEqual([failure]);
  await clock.advance(44_999);
  stopped.resolve();
  expect(await done).toBe(true);
  expect([events, clock.pending]).toEqual([[], 0]);
});

test.each([
  ['half as long again as its grace period', 30, undefined, 45_000],
  ['or as what it gets of it', 30, 20, 30_000],
  ['but no less than ten seconds', 1, undefined, 10_000],
])('one that does not: %s', async (_, own, given, afterMs) => {
  const { clock, events, done } = setUp(own, given);
  await clock.advance(afterMs - 1);
  expect(events).toEqual([]);
  await clock.advance(1);
  expect(await done).toBe(false);
  expect(events).toEqual(['Warning ExceededGracePeriod']);
});

test('a kubelet that stops waits no longer, and says nothing', async () => {
  const { clock, events, stop, done } = setUp(30);
  stop.abort();
  expect(await done).toBe(false);
  expect([events, clock.pending]).toEqual([[], 0]);
});
