import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { FakeRuntime } from '../../cri/testing/fake-runtime.ts';
import { ImageManager } from './image-manager.ts';

const signal = new AbortController().signal;
const sandbox = { metadata: { name: 'p', namespace: 'ns', uid: 'u', attempt: 0 }, labels: {}, annotations: {} };

test.each([-7_200_000, 7_200_000])(
  'a wall clock that is set by %i ms neither lengthens nor shortens a back-off',
  async (byMs) => {
    const clock = new FakeClock();
    const runtime = new FakeRuntime();
    const manager = new ImageManager({ images: runtime.images, clock, logger: silentLogger });
    const reasons: string[] = [];
    const tryOnce = async (): Promise<void> => {
      const request = {
        podUID: 'u',
        image: 'i:1',
        policy: 'Always',
        sandbox,
        credentials: async () => [],
        event: () => {},
      };
      await manager.ensure(request, signal).then(
        () => reasons.push('pulled'),
        (error: unknown) => reasons.push((error as { reason: string }).reason),
      );
    };
    runtime.failures.set('pullImage', new Error('no'));
    await tryOnce();
    clock.setWall(byMs);
    await tryOnce();
    await clock.advance(9_999);
    await tryOnce();
    runtime.failures.clear();
    await clock.advance(1);
    await tryOnce();
    expect(reasons).toEqual(['ErrImagePull', 'ImagePullBackOff', 'ImagePullBackOff', 'pulled']);
  },
);
