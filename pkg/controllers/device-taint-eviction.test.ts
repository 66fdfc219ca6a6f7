import { describe, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { Pod, ResourceSlice } from '../api/generated/types.ts';
import { newDeviceTaintEvictionController } from './device-taint-eviction/device-taint-eviction-controller.ts';
import { evictionTime, type ReadClaim, type ReadSlice } from './device-taint-eviction/eviction-time.ts';
import { startControllers } from './testing.ts';

const ADDED = '2026-01-01T00:00:00Z';
const taint = { key: 'k', effect: 'NoExecute', timeAdded: ADDED };
const result = (device: string, tolerations?: object[]): object => ({
  request: 'r',
  driver: 'd',
  pool: 'p',
  device,
  tolerations,
});
const claim = (...results: object[]): ReadClaim =>
  ({ metadata: {}, spec: {}, status: { allocation: { devices: { results } } } }) as unknown as ReadClaim;
const slice = (generation: number, taints: readonly object[]): ReadSlice =>
  ({
    metadata: { name: `s${generation}` },
    spec: { driver: 'd', pool: { name: 'p', generation, resourceSliceCount: 1 }, devices: [{ name: 'x', taints }] },
  }) as unknown as ReadSlice;
const tolerating = (more: object): object => ({ key: 'k', operator: 'Exists', effect: 'NoExecute', ...more });

describe('when pods have to go', () => {
  test.each<[string, ReadClaim, ReadSlice[], number | undefined]>([
    ['no taint', claim(result('x')), [slice(1, [])], undefined],
    ['at once', claim(result('x')), [slice(1, [taint])], 0],
    ['it does not evict', claim(result('x')), [slice(1, [{ ...taint, effect: 'NoSchedule' }])], undefined],
    ['another device', claim(result('y')), [slice(1, [taint])], undefined],
    ['no slice', claim(result('x')), [], undefined],
    ['only the newest generation counts', claim(result('x')), [slice(1, [taint]), slice(2, [])], undefined],
    ['tolerated', claim(result('x', [tolerating({})])), [slice(1, [taint])], undefined],
    [
      'tolerated for a while',
      claim(result('x', [tolerating({ tolerationSeconds: 9 }), tolerating({ tolerationSeconds: 5 })])),
      [slice(1, [taint])],
      5,
    ],
    [
      'tolerated when allocated only',
      claim(result('x', [tolerating({ effect: 'NoSchedule' })])),
      [slice(1, [taint])],
      0,
    ],
  ])('%s', (_name, of, slices, seconds) => {
    const expected = seconds === undefined ? undefined : Date.parse(ADDED) + seconds * 1000;
    expect(evictionTime(of, () => slices)).toBe(expected);
  });
});

test('pods are deleted, or not after all', async () => {
  const { cluster, clock, events, stop } = startControllers((deps) => [newDeviceTaintEvictionController(deps)]);
  for (const [name, tolerationSeconds] of [
    ['soon', 0],
    ['later', 60],
  ] as const) {
    cluster.add(resources.pods, {
      metadata: { namespace: 'n', name, uid: name },
      spec: { containers: [], nodeName: 'a', resourceClaims: [{ name: 'gpu', resourceClaimName: name }] },
      status: { phase: 'Running' },
    });
    cluster.add(resources.resourceclaims, {
      metadata: { namespace: 'n', name },
      spec: {},
      status: {
        allocation: { devices: { results: [result('x', [tolerating({ tolerationSeconds })])] } },
        reservedFor: [{ resource: 'pods', name, uid: name }],
      },
    });
  }
  const taints = [{ ...taint, timeAdded: new Date(clock.now()).toISOString().replace('.000', '') }];
  cluster.add(resources.resourceslices, { metadata: { name: 's' }, spec: slice(1, taints).spec });
  await clock.advance(100);
  expect(events()).toEqual(['DeviceTaintManagerEviction Marking for deletion']);
  const pod = cluster.get<Pod>(resources.pods, { namespace: 'n', name: 'soon' });
  expect(pod?.metadata.deletionTimestamp).toBeDefined();
  expect(pod?.status.conditions).toMatchObject([{ type: 'DisruptionTarget', reason: 'DeletionByDeviceTaintManager' }]);
  cluster.change<ResourceSlice>(resources.resourceslices, { name: 's' }, (one) => {
    one.spec.devices = [{ name: 'x' }];
  });
  await clock.advance(100_000);
  expect(events()).toEqual([
    'DeviceTaintManagerEviction Marking for deletion',
    'DeviceTaintManagerEviction Cancelling deletion',
  ]);
  expect(
    cluster.get<Pod>(resources.pods, { namespace: 'n', name: 'later' })?.metadata.deletionTimestamp,
  ).toBeUndefined();
  await stop();
});
