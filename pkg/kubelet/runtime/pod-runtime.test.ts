import { expect, test } from 'vitest';
import type { ContainerConfig, PodSandboxConfig } from '../../cri/index.ts';
import { FakeRuntime } from '../../cri/testing/fake-runtime.ts';
import { POD_UID_LABEL } from '../labels.ts';
import { NO_RUNTIME, PodRuntimeReader } from './pod-runtime.ts';

const labels = { [POD_UID_LABEL]: 'u1' };

function sandbox(attempt: number): PodSandboxConfig {
  return {
    metadata: { name: 'p', namespace: 'ns', uid: 'u1', attempt },
    labels,
    annotations: {},
  } as unknown as PodSandboxConfig;
}

function container(name: string): ContainerConfig {
  return {
    metadata: { name, attempt: 0 },
    image: { image: 'i:1' },
    labels,
    annotations: {},
  } as unknown as ContainerConfig;
}

test('what was made since the last reading is read alone, and gives what reading all would', async () => {
  let now = 1_000;
  const runtime = new FakeRuntime({ images: ['i:1'], now: () => now++ });
  const reader = new PodRuntimeReader(runtime);
  const cri = runtime.runtime;
  const sandboxID = await cri.runPodSandbox(sandbox(0), '');
  const made = async (name: string): Promise<string> => cri.createContainer(sandboxID, container(name), sandbox(0));
  const first = await made('first');

  let read = await reader.readMade(NO_RUNTIME, { sandboxes: [sandboxID], containers: [{ id: first, sandboxID }] });
  expect(read).toEqual(await reader.read('u1'));
  expect(read.sandboxes).toMatchObject([{ id: sandboxID, ready: true, ips: ['10.0.0.1'] }]);
  expect(read.containers).toMatchObject([{ id: first, sandboxID, state: 'created' }]);

  await cri.startContainer(first);
  const second = await made('second');
  const containers = [first, second].map((id) => ({ id, sandboxID }));
  read = await reader.readMade(read, { sandboxes: [], containers });
  expect(read).toEqual(await reader.read('u1'));
  expect(read.containers.map(({ id, state }) => [id, state])).toEqual([
    [second, 'created'],
    [first, 'running'],
  ]);

  await cri.removeContainer(second);
  expect((await reader.readMade(read, { sandboxes: [], containers })).containers).toMatchObject([{ id: first }]);
});
