import { expect, test } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { type CRI, CriError } from '../../cri/index.ts';
import type { PodRuntime } from '../runtime/pod-runtime.ts';
import { CPUPinning } from './cpu-pinning.ts';

function setUp(): {
  pinning: CPUPinning;
  moved: string[];
  shared: { cpus: string };
  fail: (error: Error | undefined) => void;
} {
  const moved: string[] = [];
  const shared = { cpus: '0-3' };
  let failure: Error | undefined;
  const updateContainerResources = async (id: string, { cpusetCpus = '' }: { cpusetCpus?: string }): Promise<void> => {
    if (failure !== undefined) throw failure;
    moved.push(`${id} ${cpusetCpus}`);
  };
  const pinning = new CPUPinning({
    cri: { runtime: { updateContainerResources } } as unknown as CRI,
    logger: silentLogger,
    cpusOf: (_, container) => (container === 'own' ? '7' : shared.cpus),
  });
  return { pinning, moved, shared, fail: (error) => (failure = error) };
}

const runtime = (containers: Readonly<Record<string, string>>): PodRuntime =>
  ({
    sandboxes: [],
    containers: Object.entries(containers).map(([id, state]) => ({
      id,
      name: id.startsWith('own') ? 'own' : 'main',
      state,
    })),
  }) as unknown as PodRuntime;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('containers from before are told once, new ones only when the shared CPUs changed meanwhile', async () => {
  const { pinning, moved, shared } = setUp();
  pinning.follow('p', runtime({ a: 'running', own1: 'running', ended: 'exited' }));
  await settled();
  expect(moved.splice(0)).toEqual(['a 0-3', 'own1 7']);
  pinning.made('b', '0-3');
  shared.cpus = '0-2';
  pinning.checkAll();
  pinning.follow('p', runtime({ a: 'running', own1: 'running', b: 'created' }));
  await settled();
  expect(moved.splice(0)).toEqual(['a 0-2', 'b 0-2']);
  pinning.follow('p', runtime({ a: 'running', own1: 'running', b: 'running' }));
  pinning.checkAll();
  await settled();
  expect(moved).toEqual([]);
});

test('a container that could not be moved is tried again; one that is gone is forgotten', async () => {
  const { pinning, moved, shared, fail } = setUp();
  fail(new CriError('Unknown', 'busy'));
  pinning.follow('p', runtime({ a: 'running' }));
  await settled();
  fail(undefined);
  pinning.follow('p', runtime({ a: 'running' }));
  await settled();
  expect(moved.splice(0)).toEqual(['a 0-3']);
  pinning.follow('p', runtime({}));
  shared.cpus = '0';
  pinning.checkAll();
  await settled();
  expect(moved).toEqual([]);
});

test('the shared CPUs change while a container is moved', async () => {
  const { pinning, moved, shared } = setUp();
  pinning.follow('p', runtime({ a: 'running' }));
  shared.cpus = '0';
  pinning.checkAll();
  await settled();
  expect(moved).toEqual(['a 0-3', 'a 0']);
});
