import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import type { Container, Probe } from '../types.ts';
import { ContainerProbes, type ProbedRun } from './container-probes.ts';

function start(
  container: Partial<Container>,
  answer: (kind: string, atSeconds: number) => boolean,
  run: Partial<ProbedRun> = {},
) {
  const clock = new FakeClock(0);
  const log: string[] = [];
  const kinds = new Map<Probe | undefined, string>([
    [container.livenessProbe, 'liveness'],
    [container.readinessProbe, 'readiness'],
    [container.startupProbe, 'startup'],
  ]);
  const probes = new ContainerProbes(
    { name: 'c', ...container },
    { startedAtMs: 0, followedAtMs: 0, ...run },
    {
      clock,
      run: async (probe) => {
        const kind = kinds.get(probe) ?? '';
        log.push(`${clock.now() / 1000} ${kind}`);
        return { ok: answer(kind, clock.now() / 1000), output: 'no' };
      },
      unhealthy: (message) => log.push(message),
      dubious: (message) => log.push(message),
      counted: () => {},
      changed: () => log.push('changed'),
    },
  );
  return { clock, log, probes };
}

test('liveness settles after its threshold and is not run again', async () => {
  const { clock, log, probes } = start(
    { livenessProbe: { periodSeconds: 1, initialDelaySeconds: 2, failureThreshold: 2 } },
    () => false,
  );
  await clock.advance(2000);
  expect(probes.livenessFailed).toBe(false);
  await clock.advance(5000);
  expect(probes.livenessFailed).toBe(true);
  expect(log).toEqual([
    '2 liveness',
    'Liveness probe failed: no',
    '3 liveness',
    'Liveness probe failed: no',
    'changed',
  ]);
});

test('readiness starts false and follows; liveness waits for startup', async () => {
  const probe = { periodSeconds: 1, failureThreshold: 1 };
  const { clock, probes, log } = start(
    {
      startupProbe: { ...probe, failureThreshold: 9 },
      readinessProbe: probe,
      livenessProbe: { ...probe, periodSeconds: 2 },
    },
    (kind, at) => (kind === 'startup' ? at >= 2 : kind === 'readiness' ? at < 5 : true),
  );
  await clock.advance(1500);
  expect([probes.started, probes.ready]).toEqual([false, false]);
  expect(log.some((line) => line.includes('liveness') || line.includes('readiness'))).toBe(false);
  await clock.advance(1000);
  expect([probes.started, probes.ready]).toEqual([true, true]);
  await clock.advance(3000);
  expect([probes.ready, probes.livenessFailed]).toEqual([false, false]);
  probes.stop();
  expect(clock.pending).toBe(0);
});

test('a doubtful success is told of, and is one', async () => {
  const clock = new FakeClock(0);
  const told: string[] = [];
  const probes = new ContainerProbes(
    { name: 'c', readinessProbe: { periodSeconds: 1 } },
    { startedAtMs: 0, followedAtMs: 0 },
    {
      clock,
      run: async () => ({ ok: true, output: '', warning: 'Probe terminated redirects, Response body: ' }),
      unhealthy: () => {},
      dubious: (message) => told.push(message),
      counted: () => {},
      changed: () => {},
    },
  );
  await clock.advance(0);
  expect([probes.ready, told]).toEqual([
    true,
    ['Readiness probe warning: Probe terminated redirects, Response body: '],
  ]);
  probes.stop();
});

test('probes keep their times when the wall clock is set', async () => {
  const readinessProbe = { periodSeconds: 10, initialDelaySeconds: 5 };
  const { clock, log, probes } = start({ readinessProbe }, () => true);
  clock.setWall(-7_200_000);
  await clock.advance(5_000);
  expect(probes.ready).toBe(true);
  clock.setWall(14_400_000);
  await clock.advance(9_999);
  expect(log.filter((line) => line.endsWith('readiness'))).toHaveLength(1);
  await clock.advance(1);
  expect(log.filter((line) => line.endsWith('readiness'))).toHaveLength(2);
});

test('without probes a container is started and ready at once', () => {
  const { probes } = start({}, () => true);
  expect([probes.started, probes.ready, probes.livenessFailed]).toEqual([true, true, false]);
});

test('liveness and startup keep the beat since the pod was taken up, readiness is asked at once', async () => {
  const { clock, log, probes } = start(
    {
      startupProbe: { periodSeconds: 4 },
      livenessProbe: { periodSeconds: 3 },
      readinessProbe: { periodSeconds: 4 },
    },
    () => true,
    { followedAtMs: -1000 },
  );
  await clock.advance(10_000);
  expect(log.filter((line) => line !== 'changed')).toEqual([
    '3 startup',
    '3 readiness',
    '5 liveness',
    '7 readiness',
    '8 liveness',
  ]);
  probes.stop();
});

test('an initial delay is over before the beat that asks first', async () => {
  const livenessProbe = { periodSeconds: 3, initialDelaySeconds: 4 };
  const { clock, log, probes } = start({ livenessProbe }, () => true);
  await clock.advance(9_000);
  expect(log.filter((line) => line !== 'changed')).toEqual(['6 liveness', '9 liveness']);
  probes.stop();
});

test.each([
  [{ started: true, ready: true }, [true, true]],
  [{ started: true, ready: false }, [true, false]],
  [undefined, [false, false]],
])('what an earlier kubelet told of the run (%j) holds until a probe says otherwise', async (before, expected) => {
  const probe = { periodSeconds: 1, failureThreshold: 2 };
  const run = before === undefined ? {} : { before };
  const { clock, probes } = start({ startupProbe: probe, readinessProbe: probe }, () => false, run);
  expect([probes.started, probes.ready]).toEqual(expected);
  await clock.advance(3_000);
  expect(probes.ready).toBe(false);
  probes.stop();
});
