import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { Pod } from '../types.ts';
import { NodeShutdown, ShutdownState } from './node-shutdown.ts';

const pod = (uid: string, priority = 0): Pod =>
  ({ metadata: { uid, name: uid, namespace: 'n' }, spec: { containers: [], priority } }) as unknown as Pod;

function setup(options: { graceMs: number; criticalGraceMs: number }) {
  const clock = new FakeClock();
  const state = new ShutdownState();
  const ended: string[] = [];
  const here = new Set(['a', 'b', 'critical']);
  const stop = new AbortController();
  const shutdown = new NodeShutdown(options, {
    clock,
    logger: silentLogger,
    state,
    active: () =>
      [pod('critical', 2_000_000_000), pod('a'), pod('b', 100)].filter(({ metadata }) => here.has(metadata.uid)),
    isEnding: (uid) => here.has(uid),
    fail: (uid, { reason, graceSeconds }) => ended.push(`${uid} ${reason} ${graceSeconds}`),
    report: () => Promise.resolve(ended.push(`reported ${state.underWay}`)),
  });
  const done = shutdown.run(stop.signal, () => {});
  return { clock, state, ended, here, stop, done };
}

test('pods end first, critical ones after them, each with their part of the time', async () => {
  const { clock, state, ended, here, stop, done } = setup({ graceMs: 30_000, criticalGraceMs: 10_000 });
  stop.abort();
  await clock.advance(1000);
  expect(ended).toEqual(['reported true', 'a Terminated 20', 'b Terminated 20']);
  expect(state.refusal()).toMatchObject({ reason: 'NodeShutdown' });
  here.delete('a');
  await clock.advance(1000);
  expect(ended).toHaveLength(3);
  // The other one does not end in time.
  await clock.advance(19_000);
  expect(ended.at(-1)).toBe('critical Terminated 10');
  here.delete('critical');
  await clock.advance(1000);
  await done;
});

test('without a grace period pods are left alone', async () => {
  const { state, ended, stop, done } = setup({ graceMs: 0, criticalGraceMs: 0 });
  stop.abort();
  await done;
  expect(ended).toEqual([]);
  expect(state.refusal()).toBeUndefined();
});
