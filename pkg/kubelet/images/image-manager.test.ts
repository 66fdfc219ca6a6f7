import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { AuthConfig } from '../../cri/index.ts';
import { FakeRuntime } from '../../cri/testing/fake-runtime.ts';
import { ImageManager } from './image-manager.ts';
import { PulledImages } from './pulled-images.ts';

const signal = new AbortController().signal;
const sandbox = { metadata: { name: 'p', namespace: 'ns', uid: 'u', attempt: 0 }, labels: {}, annotations: {} };

test.each([-7_200_000, 7_200_000])(
  'a wall clock that is set by %i ms neither lengthens nor shortens a back-off',
  async (byMs) => {
    const clock = new FakeClock();
    const runtime = new FakeRuntime();
    const manager = new ImageManager({
      images: runtime.images,
      clock,
      logger: silentLogger,
      pulled: new PulledImages(undefined),
    });
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

test('what a secret brought to the node is for pods with that secret, until the registry gives it to anybody', async () => {
  const runtime = new FakeRuntime({ images: ['preloaded:1'] });
  const pulled = new PulledImages(undefined);
  const manager = new ImageManager({ images: runtime.images, clock: new FakeClock(), logger: silentLogger, pulled });
  let pods = 0;
  const pod = async (image: string, password: string | undefined, policy = 'IfNotPresent'): Promise<string> => {
    const events: string[] = [];
    const credentials = async (): Promise<AuthConfig[]> =>
      password === undefined ? [] : [{ username: 'u', password }];
    const event = (_: string, reason: string): unknown => events.push(reason);
    const podUID = `u${++pods}`;
    const ensured = manager.ensure({ podUID, image, policy, sandbox, credentials, event }, signal);
    return ensured.then(
      () => events.join(' '),
      (error: unknown) => String((error as Error).message),
    );
  };
  expect(await pod('preloaded:1', undefined)).toBe('Pulled');
  expect(await pod('secret:1', 'right')).toBe('Pulling Pulled');
  expect(await pod('secret:1', 'right')).toBe('Pulled');
  runtime.failures.set('pullImage', new Error('denied'));
  expect(await pod('secret:1', 'wrong')).toBe('denied');
  expect(await pod('secret:1', undefined)).toBe('denied');
  expect(await pod('secret:1', undefined, 'Never')).toContain('is not present with pull policy of Never');
  expect(await pod('secret:1', 'right', 'Never')).toBe('Pulled');
  runtime.failures.clear();
  expect(await pod('secret:1', undefined)).toBe('Pulling Pulled');
  expect(await pod('secret:1', 'wrong')).toBe('Pulled');
});

test('what the node has is tried after what the pod has, and brings images for everybody', async () => {
  const runtime = new FakeRuntime();
  const tried: (string | undefined)[] = [];
  const { pullImage } = runtime.images;
  runtime.images.pullImage = (image, auth, ...rest) => {
    tried.push(auth?.username);
    return auth?.username === 'node'
      ? pullImage.call(runtime.images, image, auth, ...rest)
      : Promise.reject(new Error('no'));
  };
  const manager = new ImageManager({
    images: runtime.images,
    clock: new FakeClock(),
    logger: silentLogger,
    pulled: new PulledImages(undefined),
    nodeCredentials: async ({ registry }) => (registry === 'r.example' ? [{ username: 'node' }] : []),
  });
  const ensure = (image: string, own: AuthConfig[]): Promise<string> =>
    manager
      .ensure(
        { podUID: 'u', image, policy: 'IfNotPresent', sandbox, credentials: async () => own, event: () => {} },
        signal,
      )
      .then(
        () => 'there',
        () => 'not there',
      );
  expect(await ensure('r.example/a:1', [{ username: 'pod' }])).toBe('there');
  expect(tried).toEqual(['pod', 'node']);
  expect(await ensure('r.example/a:1', [])).toBe('there');
  expect(await ensure('other.example/a:1', [])).toBe('not there');
});
