import { expect, test } from 'vitest';
import type { Pod } from '../types.ts';
import { pressureMessage } from './messages.ts';
import type { PodUsage } from './pod-usage.ts';
import { rankPods } from './ranking.ts';
import { parseThresholdValue } from './thresholds.ts';

const MiB = 2 ** 20;
function pod(name: string, priority: number, requests: object = {}): Pod {
  const containers = [{ name: 'main', resources: { requests } }];
  return { metadata: { name, uid: name }, spec: { priority, containers } } as unknown as Pod;
}
const usage = (memoryBytes: number, bytes = 0, processes = 0): PodUsage => ({
  containers: new Map([['main', { memoryBytes, disk: { bytes, inodes: bytes / 4096 } }]]),
  emptyDirs: new Map(),
  processes,
});

test('memory: over the request, then priority, then by how much', () => {
  const pods = [
    pod('within', 0, { memory: '100Mi' }),
    pod('important', 10, {}),
    pod('small', 0, { memory: '1Mi' }),
    pod('large', 0, { memory: '10Mi' }),
  ];
  const usages = new Map([
    ['within', usage(99 * MiB)],
    ['important', usage(500 * MiB)],
    ['small', usage(3 * MiB)],
    ['large', usage(15 * MiB)],
  ]);
  const names = rankPods(pods, usages, 'memory.available').map(({ metadata }) => metadata.name);
  expect(names).toEqual(['large', 'small', 'important', 'within']);
});

test('processes and inodes know no requests: priority, then the number', () => {
  const pods = [pod('few', 0), pod('important', 10), pod('many', 0)];
  const usages = new Map([
    ['few', usage(0, 4096, 1)],
    ['important', usage(0, 4096 * 50, 50)],
    ['many', usage(0, 4096 * 9, 9)],
  ]);
  for (const signal of ['pid.available', 'nodefs.inodesFree'] as const) {
    const names = rankPods(pods, usages, signal).map(({ metadata }) => metadata.name);
    expect(names).toEqual(['many', 'few', 'important']);
  }
});

test('the message names what the containers use beyond their requests', () => {
  const value = parseThresholdValue('100Mi');
  const threshold = { signal: 'memory.available', value, gracePeriodMs: 0, minReclaim: undefined } as const;
  const seen = { available: 50 * MiB, capacity: 1024 * MiB };
  expect(pressureMessage(pod('a', 0), usage(3 * MiB), threshold, seen)).toBe(
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container main was using 3Mi, request is 0, has larger consumption of memory. ',
  );
  expect(pressureMessage(pod('a', 0, { memory: '4Mi' }), usage(3 * MiB), threshold, undefined)).toBe(
    'The node was low on resource: memory. ',
  );
});
