import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { type PodInfo, podInfo } from '../framework/pod-info.ts';
import { podFixture } from '../testing/fixtures.ts';
import { type QueuedPod, SchedulingQueue } from './scheduling-queue.ts';

let clock: FakeClock;
let gates: Set<string>;
let helped: Set<string>;
let queued: string[];
let queue: SchedulingQueue;

beforeEach(() => {
  clock = new FakeClock();
  gates = new Set();
  helped = new Set(['Fit']);
  queued = [];
  queue = new SchedulingQueue(
    { initialBackoffMs: 1000, maxBackoffMs: 10_000, maxUnschedulableMs: 300_000 },
    {
      clock,
      compare: (a, b) => a.priority - b.priority,
      gatedBy: ({ pod }) => (gates.has(pod.metadata.name) ? 'Gate' : undefined),
      mayHelp: (plugin) => helped.has(plugin),
      onQueued: (event, name) => queued.push(`${event} ${name}`),
    },
  );
});

const pod = (name: string, priority = 0): PodInfo => podInfo(podFixture({ name, spec: { priority } }));
const event = { resource: 'Node', action: 'Delete', name: 'n' } as const;
const take = (): QueuedPod => queue.tryNext() as QueuedPod;
const takeName = (): string | undefined => queue.tryNext()?.info.pod.metadata.name;
const refuse = (one: QueuedPod, plugin: string): void => {
  queue.addUnschedulable(one, new Set([plugin]));
  queue.tried();
};

describe('scheduling queue', () => {
  test('higher priority first, then the order of arrival', async () => {
    queue.add(pod('a'));
    await clock.advance(1);
    queue.add(pod('b'));
    queue.add(pod('c', 10));
    expect([takeName(), takeName(), takeName(), takeName()]).toEqual(['c', 'a', 'b', undefined]);
  });

  test('an event wakes only what it may help, which is tried early when nothing else is ready', () => {
    queue.add(pod('helped'));
    queue.add(pod('not-helped'));
    refuse(take(), 'Fit');
    refuse(take(), 'Other');
    expect(takeName()).toBeUndefined();
    expect(queue.refused()).toEqual([
      { plugin: 'Fit', profile: 'default-scheduler', count: 1 },
      { plugin: 'Other', profile: 'default-scheduler', count: 1 },
    ]);
    queue.moveFor(event);
    expect([takeName(), takeName()]).toEqual(['helped', undefined]);
    expect(queued).toEqual([
      'PodAdd active',
      'PodAdd active',
      'ScheduleAttemptFailure unschedulable',
      'ScheduleAttemptFailure unschedulable',
      'NodeDelete backoff',
    ]);
  });

  test('what is ready goes before what backs off', () => {
    queue.add(pod('tired', 100));
    refuse(take(), 'Fit');
    queue.moveFor(event);
    queue.add(pod('fresh'));
    expect([takeName(), takeName()]).toEqual(['fresh', 'tired']);
  });

  test('an event while a pod is tried is not lost', () => {
    queue.add(pod('a'));
    const tried = take();
    queue.moveFor(event);
    refuse(tried, 'Fit');
    expect(takeName()).toBe('a');
  });

  test('an error backs off for 1 s, 2 s and so on to 10 s, whatever happens', async () => {
    queue.add(pod('a'));
    for (const seconds of [1, 2, 4, 8, 10, 10]) {
      const tried = take();
      queue.addFailed(tried);
      queue.tried();
      queue.moveFor(event);
      await clock.advance(seconds * 1000 - 1);
      expect(queue.counts()).toMatchObject({ active: 0, backoff: 1 });
      await clock.advance(1);
      expect(queue.counts()).toMatchObject({ active: 1, backoff: 0 });
    }
  });

  test('nothing woke it for five minutes: it is tried again', async () => {
    queue.add(pod('a'));
    refuse(take(), 'Other');
    await clock.advance(299_999);
    expect(takeName()).toBeUndefined();
    await clock.advance(1);
    expect(takeName()).toBe('a');
  });

  test('a gated pod waits for a change of its own, however long', async () => {
    gates.add('a');
    const gated = pod('a');
    queue.add(gated);
    expect(queue.counts()).toEqual({ active: 0, backoff: 0, unschedulable: 0, gated: 1 });
    await clock.advance(600_000);
    expect(takeName()).toBeUndefined();
    gates.clear();
    helped.add('Gate');
    queue.add(gated, { resource: 'Pod', action: 'Update', pod: gated.pod });
    expect(takeName()).toBe('a');
  });

  test('an event that helps does not open a gate', () => {
    queue.add(pod('a'));
    const tried = take();
    gates.add('a');
    refuse(tried, 'Fit');
    queue.moveFor(event);
    expect(takeName()).toBeUndefined();
    gates.clear();
    queue.ungate(tried.info.uid);
    expect(takeName()).toBe('a');
  });

  test('a pod that is removed is gone from every part', () => {
    for (const name of ['active', 'backoff', 'unschedulable']) queue.add(pod(name));
    const [first, second, third] = [take(), take(), take()];
    queue.addFailed(second);
    refuse(third, 'Other');
    queue.add(first.info);
    for (const { info } of [first, second, third]) queue.remove(info.uid);
    expect(queue.counts()).toEqual({ active: 0, backoff: 0, unschedulable: 0, gated: 0 });
    expect(queue.size).toBe(0);
  });
});
