import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import type { KubeletContext } from '../context.ts';
import type { PodRuntime } from '../runtime/pod-runtime.ts';
import type { Pod } from '../types.ts';
import { PodResize } from './pod-resize.ts';

const MiB = 2 ** 20;
const signal = new AbortController().signal;
const runtime = { sandboxes: [], containers: [{ id: 'c1', name: 'main', state: 'running' }] } as unknown as PodRuntime;

function pod(memory: string, generation = 1): Pod {
  const amounts = { memory };
  const containers = [{ name: 'main', resources: { requests: amounts, limits: amounts } }];
  return {
    metadata: { namespace: 'ns', name: 'p', uid: 'u', generation },
    spec: { containers },
    status: {},
  } as unknown as Pod;
}

function setUp(usedBytes: number, others: Pod[] = []) {
  const updates: (number | undefined)[] = [];
  const events: string[] = [];
  const wakes: number[] = [];
  const context = {
    allocatable: { cpu: '1', memory: '100Mi' },
    machine: { memoryBytes: 1000 * MiB, minOOMScoreAdj: -1000, limitedPageSizes: [] },
    cgroups: { create: async () => {} },
    managers: {},
    deps: {
      clock: new FakeClock(0),
      recorder: { event: (_: object, __: string, reason: string) => events.push(reason) },
      cri: {
        runtime: {
          listContainerStats: async () => [{ memory: { workingSetBytes: { value: usedBytes } } }],
          updateContainerResources: async (_: string, linux: { memoryLimitInBytes?: number }) => {
            updates.push(linux.memoryLimitInBytes);
          },
        },
      },
    },
  } as unknown as KubeletContext;
  const resize = new PodResize(pod('50Mi'), { context, others: () => others, wakeBy: (at) => wakes.push(at) });
  resize.note(runtime);
  return { resize, updates, events, wakes };
}

test('a limit is not set below what is used; it is tried again, and told of once', async () => {
  const { resize, updates, events, wakes } = setUp(45 * MiB);
  expect(resize.review(pod('40Mi', 2))).toBe(true);
  expect(await resize.apply(pod('40Mi', 2), runtime, signal)).toBe(true);
  expect(await resize.apply(pod('40Mi', 2), runtime, signal)).toBe(false);
  expect(updates).toEqual([]);
  expect(wakes).toEqual([10_000, 10_000]);
  expect(events).toEqual(['ResizeStarted', 'ResizeError']);
  expect(resize.conditions()).toEqual([
    {
      type: 'PodResizeInProgress',
      status: 'True',
      reason: 'Error',
      message: `attempting to set memory limit of container "main" (${40 * MiB}) below current usage (${45 * MiB})`,
    },
  ]);
});

test('what does not fit now waits, runs as before meanwhile, and is given when there is room', async () => {
  const others = [pod('40Mi')];
  const { resize, updates, events } = setUp(0, others);
  expect(resize.review(pod('80Mi', 2))).toBe(false);
  expect(resize.deferred).toBe(true);
  expect(resize.effective(pod('80Mi', 2)).spec.containers[0]?.resources?.requests).toEqual({ memory: '50Mi' });
  expect(resize.review(pod('80Mi', 2))).toBe(false);
  others.pop();
  expect(resize.review(pod('80Mi', 2))).toBe(true);
  expect(await resize.apply(pod('80Mi', 2), runtime, signal)).toBe(true);
  expect(updates).toEqual([80 * MiB]);
  expect(events).toEqual(['ResizeDeferred', 'ResizeStarted', 'ResizeCompleted']);
  expect(resize.conditions()).toEqual([]);
});
