import { expect, test } from 'vitest';
import type { ReadPod } from '../pod-status.ts';
import { goDurationMs, podMetrics } from './metrics-source.ts';
import { milliOf, quantityOfMilli } from './quantities.ts';
import {
  groupPods,
  type PodMetrics,
  replicasForAverage,
  replicasForShare,
  replicasForTotal,
  replicasForUtilization,
  requestsOf,
} from './replica-calculator.ts';

const NOW = Date.parse('2026-01-01T01:00:00Z');
const tolerances = { up: 0.1, down: 0.1 };
const iso = (agoMs: number): string => new Date(NOW - agoMs).toISOString();

interface Kind {
  readonly phase?: string;
  readonly ready?: 'True' | 'False';
  readonly startedAgoMs?: number;
  readonly changedAgoMs?: number;
  readonly deleting?: boolean;
}

function pod(name: string, kind: Kind = {}): ReadPod {
  const { phase = 'Running', ready = 'True', startedAgoMs = 3_000_000, changedAgoMs = 2_900_000, deleting } = kind;
  return {
    metadata: { namespace: 'n', name, ...(deleting ? { deletionTimestamp: iso(0) } : {}) },
    spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] },
    status: {
      phase,
      startTime: iso(startedAgoMs),
      conditions: [{ type: 'Ready', status: ready, lastTransitionTime: iso(changedAgoMs) }],
    },
  } as unknown as ReadPod;
}

function metrics(values: Readonly<Record<string, number>>): PodMetrics {
  return new Map(Object.entries(values).map(([name, value]) => [name, { value, atMs: NOW, windowMs: 30_000 }]));
}

const requests = (...names: string[]) => new Map(names.map((name) => [name, 1000]));

test.each<[string, Kind, boolean, string]>([
  ['ready', {}, true, 'ready'],
  ['not measured', {}, false, 'missing'],
  ['pending', { phase: 'Pending' }, true, 'unready'],
  ['failed', { phase: 'Failed' }, true, 'ignored'],
  ['being deleted', { deleting: true }, true, 'ignored'],
  ['young and not ready', { ready: 'False', startedAgoMs: 60_000, changedAgoMs: 60_000 }, true, 'unready'],
  ['young and measured since it is ready', { startedAgoMs: 60_000, changedAgoMs: 31_000 }, true, 'ready'],
  ['young and measured before', { startedAgoMs: 60_000, changedAgoMs: 29_000 }, true, 'unready'],
  ['never ready', { ready: 'False', startedAgoMs: 600_000, changedAgoMs: 599_000 }, true, 'unready'],
  ['not ready any more', { ready: 'False', startedAgoMs: 600_000, changedAgoMs: 1000 }, true, 'ready'],
])('%s', (_, kind, isMeasured, expected) => {
  const { ready, ...sets } = groupPods([pod('a', kind)], metrics(isMeasured ? { a: 1 } : {}), 'cpu', NOW);
  const found = Object.entries(sets).filter(([, names]) => names.has('a'));
  expect(ready === 1 ? 'ready' : found.map(([name]) => name).join()).toBe(expected);
});

const input = (names: readonly (string | ReadPod)[], values: Record<string, number>, current = names.length) => ({
  current,
  pods: names.map((one) => (typeof one === 'string' ? pod(one) : one)),
  metrics: metrics(values),
  resource: 'cpu',
  tolerances,
  nowMs: NOW,
});

test.each<[string, ReturnType<typeof input>, number, object]>([
  ['up', input(['a', 'b'], { a: 900, b: 700 }), 50, { replicas: 4, utilization: 80, average: 800 }],
  ['down', input(['a', 'b', 'c'], { a: 100, b: 100, c: 100 }), 50, { replicas: 1, utilization: 10, average: 100 }],
  ['near enough', input(['a', 'b'], { a: 540, b: 560 }), 50, { replicas: 2, utilization: 55, average: 550 }],
  [
    'missing pods use nothing when going up',
    input(['a', 'b', 'c'], { a: 1000, b: 1000 }),
    50,
    { replicas: 4, utilization: 100, average: 1000 },
  ],
  [
    'missing pods use all when going down',
    input(['a', 'b'], { a: 100 }),
    50,
    { replicas: 2, utilization: 10, average: 100 },
  ],
  [
    'unready pods use nothing when going up',
    input(['a', pod('b', { phase: 'Pending' })], { a: 1000 }),
    50,
    { replicas: 2, utilization: 100, average: 1000 },
  ],
  [
    'pods that are gone do not count',
    input(['a'], { a: 1000, gone: 9000 }),
    50,
    { replicas: 2, utilization: 100, average: 1000 },
  ],
])('utilization: %s', (_, given, target, expected) => {
  expect(replicasForUtilization(given, requests('a', 'b', 'c'), target)).toEqual(expected);
});

test.each<[string, ReturnType<typeof input>, string]>([
  ['no pods', input([], { a: 1 }), 'no pods returned by selector while calculating replica count'],
  [
    'no measurements',
    input([pod('a', { phase: 'Pending' })], { a: 1 }),
    'did not receive metrics for targeted pods (pods might be unready)',
  ],
  ['strangers', input(['a'], { z: 1 }), 'no metrics returned matched known pods'],
])('%s', (_, given, message) => {
  expect(() => replicasForUtilization(given, requests('a'), 50)).toThrow(message);
});

test('averages, totals and shares', () => {
  const plain = { ...input(['a', 'b'], { a: 3000, b: 5000 }), resource: '' };
  expect(replicasForAverage(plain, 2000)).toEqual({ replicas: 4, average: 4000 });
  expect(replicasForTotal(plain, 30_000, 10_000)).toBe(6);
  expect(replicasForTotal(plain, 10_500, 10_000)).toBe(2);
  expect(replicasForTotal({ ...plain, current: 0 }, 21_000, 10_000)).toBe(3);
  expect(() => replicasForTotal({ ...plain, pods: [] }, 21_000, 10_000)).toThrow('unable to calculate ready pods');
  expect(replicasForShare(2, 10_000, 2000, tolerances)).toEqual({ replicas: 5, average: 5000 });
  expect(replicasForShare(5, 10_500, 2000, tolerances)).toEqual({ replicas: 5, average: 2100 });
  expect(replicasForShare(5, 10_500, 2000, { up: 0, down: 0 })).toEqual({ replicas: 6, average: 2100 });
});

test('requests are those of all containers that go on, of one of them, or of the pod', () => {
  const container = (name: string, cpu?: string) => ({
    name,
    resources: cpu === undefined ? {} : { requests: { cpu } },
  });
  const of = (spec: object): ReadPod => ({ metadata: { name: 'p' }, spec }) as unknown as ReadPod;
  const initContainers = [{ ...container('side', '10m'), restartPolicy: 'Always' }, container('init')];
  const whole = of({ containers: [container('a', '1'), container('b', '500m')], initContainers });
  expect(requestsOf([whole], 'cpu', '', milliOf)).toEqual(new Map([['p', 1510]]));
  expect(requestsOf([whole], 'cpu', 'b', milliOf)).toEqual(new Map([['p', 500]]));
  const level = of({ resources: { requests: { cpu: '2' } }, containers: [container('a')] });
  expect(requestsOf([level], 'cpu', '', milliOf)).toEqual(new Map([['p', 2000]]));
  const missing = of({ containers: [container('a')] });
  expect(() => requestsOf([missing], 'cpu', '', milliOf)).toThrow('missing request for cpu in container a of Pod p');
});

test('measurements of pods', () => {
  const item = (...containers: [string, Record<string, string>][]) => ({
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind: 'PodMetrics',
    metadata: { namespace: 'n', name: 'p', uid: '', resourceVersion: '', creationTimestamp: '' },
    timestamp: iso(0),
    window: '1m0.5s',
    containers: containers.map(([name, usage]) => ({ name, usage })),
  });
  const both = item(['a', { cpu: '1500000n', memory: '1Ki' }], ['b', { cpu: '2m' }]);
  expect(podMetrics([both], 'cpu', '').get('p')).toEqual({ value: 4, atMs: NOW, windowMs: 60_500 });
  expect(podMetrics([both], 'cpu', 'b').get('p')?.value).toBe(2);
  expect(podMetrics([both], 'memory', '').size).toBe(0);
  expect(() => podMetrics([both], 'cpu', 'x')).toThrow('container x not present in metrics for pod n/p');
  expect([goDurationMs('15s'), goDurationMs('250ms'), goDurationMs('1h2m')]).toEqual([15_000, 250, 3_720_000]);
  expect([quantityOfMilli(1500), quantityOfMilli(2000)]).toEqual(['1500m', '2']);
});
