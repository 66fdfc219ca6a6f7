import { expect, test } from 'vitest';
import type { NodeReserves } from '../config/index.ts';
import { kubeletReserves } from './kubelet-reserves.ts';

const reserves: NodeReserves = {
  systemReserved: [],
  kubeReserved: [],
  evictionHard: [],
  evictionSoft: [],
  evictionSoftGracePeriod: [],
  evictionMinimumReclaim: [],
  evictionMaxPodGraceSeconds: 0,
  evictionTransitionPeriodMs: 300_000,
  containerLogMaxSizeBytes: 10_485_760,
  containerLogMaxFiles: 5,
  maxParallelImagePulls: 0,
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  imageMinimumGCAgeMs: 120_000,
  imageMaximumGCAgeMs: 0,
};

test('reserves of the system and of kube-lite add up', () => {
  const systemReserved = ['cpu=500m', 'memory=1Gi'];
  const { reserved } = kubeletReserves({ ...reserves, systemReserved, kubeReserved: ['cpu=1', 'memory=512Mi'] });
  expect(reserved).toEqual({ cpu: '1500m', memory: '1536Mi' });
});

test('thresholds', () => {
  const { eviction } = kubeletReserves({
    ...reserves,
    evictionHard: ['memory.available<100Mi'],
    evictionSoft: ['nodefs.available<20%'],
    evictionSoftGracePeriod: ['nodefs.available=1m30s'],
    evictionMinimumReclaim: ['nodefs.available=1Gi'],
  });
  expect(eviction?.thresholds).toEqual([
    { signal: 'memory.available', value: { quantity: '100Mi' }, gracePeriodMs: 0, minReclaim: undefined },
    { signal: 'nodefs.available', value: { fraction: 0.2 }, gracePeriodMs: 90_000, minReclaim: { quantity: '1Gi' } },
  ]);
});

test('0% and 100% switch a threshold off', () => {
  const { eviction } = kubeletReserves({
    ...reserves,
    evictionHard: ['nodefs.available<0%', 'imagefs.available<100%', 'nodefs.inodesFree<1%'],
    evictionSoft: ['pid.available<0%'],
  });
  expect(eviction?.thresholds.map(({ signal }) => signal)).toEqual(['nodefs.inodesFree']);
});

test('how old images become', () => {
  const imageGC = (ages: Partial<NodeReserves>): object | undefined =>
    kubeletReserves({ ...reserves, ...ages }).imageGC;
  expect(imageGC({})).toEqual({ highThresholdPercent: 85, lowThresholdPercent: 80, minAgeMs: 120_000 });
  expect(imageGC({ imageMaximumGCAgeMs: 120_000 })).toMatchObject({ minAgeMs: 120_000, maxAgeMs: 120_000 });
});

test.each<[Partial<NodeReserves>, string]>([
  [{ evictionHard: ['memory<100Mi'] }, '"memory<100Mi" is not of the form SIGNAL<VALUE'],
  [{ evictionHard: ['memory.available<x'] }, 'x is neither a quantity nor a percentage'],
  [{ evictionSoft: ['pid.available<10%'] }, 'grace period must be specified for the soft threshold pid.available'],
  [{ systemReserved: ['disk=1Gi'] }, '"disk=1Gi" is not RESOURCE=QUANTITY'],
  [{ kubeReserved: ['cpu=many'] }, '"cpu=many"'],
  [{ containerLogMaxFiles: 1 }, '--container-log-max-files: 1'],
  [{ imageMaximumGCAgeMs: 60_000 }, '--image-maximum-gc-age must not be less than --image-minimum-gc-age'],
  [{ imageGCLowThresholdPercent: 90 }, '--image-gc-low-threshold: 90'],
])('%j is refused', (wrong, message) => {
  expect(() => kubeletReserves({ ...reserves, ...wrong })).toThrow(message);
});
