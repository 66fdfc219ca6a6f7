import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { FakeRuntime } from '../../cri/testing/fake-runtime.ts';
import type { Pod } from '../types.ts';
import { ImageGC } from './image-gc.ts';
import { volumeImageNames } from './image-volumes.ts';

const signal = new AbortController().signal;
const dir = await mkdtemp(`${tmpdir()}/image-gc-`);
afterAll(() => rm(dir, { recursive: true }));

async function setUp(highThresholdPercent: number, lowThresholdPercent: number, maxAgeMs?: number) {
  const runtime = new FakeRuntime({ images: ['used:1', 'old:1', 'new:1', 'pause:1', 'docker.io/library/volume:1'] });
  const sandbox = await runtime.runtime.runPodSandbox(
    { metadata: { name: 'p', namespace: 'ns', uid: 'u', attempt: 0 }, labels: {}, annotations: {} },
    '',
  );
  const used = await runtime.images.imageStatus('used:1');
  await runtime.runtime.createContainer(
    sandbox,
    { metadata: { name: 'main', attempt: 0 }, image: { image: used?.id ?? '' }, labels: {}, annotations: {} },
    { metadata: { name: 'p', namespace: 'ns', uid: 'u', attempt: 0 }, labels: {}, annotations: {} },
  );
  const clock = new FakeClock();
  const events: string[] = [];
  const gc = new ImageGC(
    {
      highThresholdPercent,
      lowThresholdPercent,
      minAgeMs: 120_000,
      ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
      sandboxImage: 'pause:1',
      fallbackDir: dir,
    },
    {
      cri: runtime,
      clock,
      logger: silentLogger,
      removed: async () => {},
      volumeImages: () =>
        volumeImageNames([{ spec: { volumes: [{ name: 'v', image: { reference: 'volume:1' } }] } } as unknown as Pod]),
      event: (reason, message) => events.push(`${reason}: ${message}`),
    },
  );
  return { gc, runtime, clock, events };
}

test('while there is space nothing is removed', async () => {
  const { gc, runtime, clock } = await setUp(100, 99);
  await gc.collect(signal);
  await clock.advance(600_000);
  await gc.collect(signal);
  expect(runtime.present.size).toBe(5);
});

test('on a full disk what no container uses goes once it is old enough', async () => {
  const { gc, runtime, clock, events } = await setUp(0, 0);
  await expect(gc.collect(signal)).rejects.toThrow('(freed 0 bytes)');
  expect(runtime.present.size).toBe(5);
  await clock.advance(120_000);
  await expect(gc.collect(signal)).rejects.toThrow('(freed 2000 bytes)');
  expect([...runtime.present].sort()).toEqual(['docker.io/library/volume:1', 'pause:1', 'used:1']);
  expect(events.at(-1)).toMatch(
    /^FreeDiskSpaceFailed: Insufficient free disk space on the node's image filesystem \(\d+% of [\d.]+ [KMGT]iB used\)\. Failed to free sufficient space by deleting unused images \(freed 2000 bytes\)\. Investigate/,
  );
});

test('under pressure the age does not count', async () => {
  const { gc, runtime } = await setUp(85, 80);
  await gc.removeUnused(signal);
  expect([...runtime.present].sort()).toEqual(['docker.io/library/volume:1', 'pause:1', 'used:1']);
});

test('what nothing used for long goes while there is room, but not before its use was watched for so long', async () => {
  const { gc, runtime, clock } = await setUp(100, 99, 600_000);
  await gc.collect(signal);
  await clock.advance(600_000);
  await gc.collect(signal);
  expect(runtime.present.size).toBe(5);
  await clock.advance(1);
  await gc.collect(signal);
  expect([...runtime.present].sort()).toEqual(['docker.io/library/volume:1', 'pause:1', 'used:1']);
});

test('an image that cannot be removed keeps no other one; who goes on failing is told of', async () => {
  const { gc, runtime, clock, events } = await setUp(100, 99, 1);
  const { removeImage } = runtime.images;
  const busy = (await runtime.images.imageStatus('old:1'))?.id;
  runtime.images.removeImage = async (image, options) => {
    if (image === busy) throw new Error('busy');
    await removeImage.call(runtime.images, image, options);
  };
  const stop = new AbortController();
  const running = gc.run(stop.signal, () => {});
  const failed = (): number => events.filter((text) => text.startsWith('ImageGCFailed: ')).length;
  await expect.poll(() => clock.advance(300_000).then(failed)).toBeGreaterThan(0);
  expect([...runtime.present].sort()).toEqual(['docker.io/library/volume:1', 'old:1', 'pause:1', 'used:1']);
  stop.abort();
  await running;
});
