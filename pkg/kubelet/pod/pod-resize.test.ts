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

function setUp(
  usedBytes: number,
  others: Pod[] = [],
  makeRoom: (pod: Pod, needs: readonly object[]) => Promise<boolean> | undefined = () => undefined,
) {
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
  let woken = 0;
  const resize = new PodResize(pod('50Mi'), {
    context,
    others: () => others,
    wakeBy: (at) => wakes.push(at),
    wake: () => woken++,
    makeRoom,
  });
  resize.note(runtime);
  return { resize, updates, events, wakes, woken: () => woken };
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

test('a critical pod that grows has others ended, and is given what it asks for then', async () => {
  const critical = (memory: string, generation: number): Pod => {
    const grown = pod(memory, generation);
    return { ...grown, spec: { ...grown.spec, priority: 2_000_000_000 } };
  };
  const asked: unknown[] = [];
  const answers: PromiseWithResolvers<boolean>[] = [];
  const others = [pod('40Mi')];
  const { resize, events, woken } = setUp(0, others, (_, needs) => {
    asked.push(needs);
    const answer = Promise.withResolvers<boolean>();
    answers.push(answer);
    return answer.promise;
  });
  expect([resize.review(critical('80Mi', 2)), resize.review(critical('80Mi', 2))]).toEqual([false, false]);
  expect(asked).toEqual([[{ resource: 'memory', amount: 20 * MiB }]]);
  // That was done for another pod.
  answers[0]?.resolve(false);
  await expect.poll(woken).toBe(1);
  expect(resize.review(critical('80Mi', 2))).toBe(false);
  expect(asked).toHaveLength(2);
  answers[1]?.resolve(true);
  await expect.poll(woken).toBe(2);
  expect(resize.review(critical('80Mi', 2))).toBe(true);
  expect(events).toEqual(['ResizeStarted']);
});

test('where nothing can be made free a critical pod waits as others do', () => {
  const { resize, events } = setUp(0, [pod('40Mi')]);
  const grown = pod('80Mi', 2);
  expect(resize.review({ ...grown, spec: { ...grown.spec, priority: 2_000_000_000 } })).toBe(false);
  expect(resize.deferred).toBe(true);
  expect(events).toEqual(['ResizeDeferred']);
});
