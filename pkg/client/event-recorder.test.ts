import { describe, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { FakeClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { createEventRecorder } from './event-recorder.ts';
import { createEventSeriesRecorder } from './event-series-recorder.ts';
import { FakeCluster } from './testing/fake-cluster.ts';

const subject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'a', uid: 'u1' } };

function setup() {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const deps = { client: cluster.client, clock, logger: silentLogger };
  return { clock, cluster, deps, recorder: createEventRecorder({ component: 'kubelet', host: 'n1' }, deps) };
}

describe('event recorder', () => {
  test('writes a core/v1 Event', async () => {
    const { cluster, recorder } = setup();
    recorder.event(subject, 'Normal', 'Pulled', 'image is present');
    await recorder.flush();
    const [event] = cluster.list(resources.events);
    expect(event).toMatchObject({
      metadata: { namespace: 'a', name: expect.stringMatching(/^web\.[0-9a-f]{16}$/) },
      involvedObject: { kind: 'Pod', namespace: 'a', name: 'web', uid: 'u1', apiVersion: 'v1' },
      reason: 'Pulled',
      message: 'image is present',
      source: { component: 'kubelet', host: 'n1' },
      reportingComponent: 'kubelet',
      reportingInstance: 'n1',
      count: 1,
      type: 'Normal',
      firstTimestamp: '2026-01-01T00:00:00Z',
    });
  });

  test('a wall clock that is set back silences nobody', async () => {
    const { clock, cluster, recorder } = setup();
    for (const message of ['before', 'after', 'again']) {
      recorder.event(subject, 'Normal', 'Pulled', message);
      await recorder.flush();
      clock.setWall(-3 * 3_600_000);
    }
    expect(cluster.list(resources.events).map(({ message }) => message)).toEqual(['before', 'after', 'again']);
  });

  test('nothing is left behind when an event comes just as the last one was sent', async () => {
    for (let turns = 0; turns < 20; turns++) {
      const { cluster, recorder } = setup();
      recorder.event(subject, 'Normal', 'First', 'one');
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      recorder.event(subject, 'Normal', 'Second', 'two');
      await recorder.flush();
      expect(cluster.list(resources.events).map(({ reason }) => reason)).toEqual(['First', 'Second']);
    }
  });

  test('counts repetitions on the first event, and begins anew when it has expired', async () => {
    const { clock, cluster, recorder } = setup();
    recorder.event(subject, 'Warning', 'BackOff', 'again');
    await recorder.flush();
    await clock.advance(5000);
    recorder.event(subject, 'Warning', 'BackOff', 'again');
    await recorder.flush();
    expect(cluster.list(resources.events)).toMatchObject([
      { count: 2, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:05Z' },
    ]);
    cluster.remove(resources.events, cluster.list(resources.events)[0]!.metadata);
    recorder.event(subject, 'Warning', 'BackOff', 'again');
    await recorder.flush();
    expect(cluster.list(resources.events)).toMatchObject([{ count: 3 }]);
  });

  test('folds many similar events into one', async () => {
    const { cluster, recorder } = setup();
    for (let i = 0; i < 14; i++) recorder.event(subject, 'Warning', 'Failed', `try ${i}`);
    await recorder.flush();
    const events = cluster.list(resources.events);
    expect(events).toHaveLength(10);
    expect(events.at(-1)).toMatchObject({ message: '(combined from similar events): try 13', count: 5 });
    expect(events.map(({ reportingComponent }) => reportingComponent)).toEqual([...Array(9).fill('kubelet'), '']);
  });

  test('drops spam: 25 in a row, then one in five minutes', async () => {
    const { clock, cluster, recorder } = setup();
    for (let i = 0; i < 40; i++) recorder.event(subject, 'Normal', `Reason${i}`, 'x');
    await recorder.flush();
    expect(cluster.list(resources.events)).toHaveLength(25);
    await clock.advance(300_000);
    recorder.event(subject, 'Normal', 'Late', 'x');
    recorder.event(subject, 'Normal', 'TooLate', 'x');
    await recorder.flush();
    expect(cluster.list(resources.events)).toHaveLength(26);
  });

  test('tries again when the server cannot be reached', async () => {
    const { clock, cluster, recorder } = setup();
    cluster.fail((request) => request.verb === 'create', new Error('connection refused'));
    recorder.event(subject, 'Normal', 'Started', 'x');
    await clock.advance(10_000);
    await recorder.flush();
    expect(cluster.list(resources.events)).toHaveLength(1);
  });
});

test('series recorder: an object that has changed in between begins anew', async () => {
  const { cluster, deps } = setup();
  const recorder = createEventSeriesRecorder(
    { reportingController: 'default-scheduler', reportingInstance: 'h' },
    deps,
  );
  for (const [resourceVersion, note] of [
    ['1', 'one'],
    ['1', 'two'],
    ['2', 'three'],
  ] as const) {
    const changed = { ...subject, metadata: { ...subject.metadata, resourceVersion } };
    recorder.event(changed, 'Warning', 'FailedScheduling', note, { action: 'Scheduling' });
  }
  await recorder.flush();
  expect(cluster.list(resources.events).map(({ message, series }) => [message, series?.count])).toEqual([
    ['one', 2],
    ['three', undefined],
  ]);
});

test('series recorder: the second occurrence starts a series', async () => {
  const { clock, cluster, deps } = setup();
  const recorder = createEventSeriesRecorder(
    { reportingController: 'default-scheduler', reportingInstance: 'default-scheduler-h' },
    deps,
  );
  for (const note of ['0/1 nodes', '0/2 nodes', '0/3 nodes']) {
    recorder.event(subject, 'Warning', 'FailedScheduling', note, { action: 'Scheduling' });
  }
  await recorder.flush();
  expect(cluster.list(resources.events)).toMatchObject([
    { message: '0/1 nodes', eventTime: '2026-01-01T00:00:00.000000Z', source: {}, series: { count: 2 } },
  ]);
  await clock.advance(7 * 60_000);
  recorder.event(subject, 'Warning', 'FailedScheduling', 'later', { action: 'Scheduling' });
  await recorder.flush();
  expect(cluster.list(resources.events)).toHaveLength(2);
});
