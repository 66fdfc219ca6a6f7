import { expect, test } from 'vitest';
import type { PodFailure } from '../pod/pod-status.ts';
import { KubeletMetrics } from '../stats/kubelet-metrics.ts';
import type { Pod } from '../types.ts';
import { Preemption } from './preemption.ts';

function pod(name: string, cpu: string, priority = 0): Pod {
  const containers = [{ name: 'a', resources: { requests: { cpu } } }];
  return { metadata: { name, namespace: 'ns', uid: name }, spec: { containers, priority } } as unknown as Pod;
}

test('room is made when all that had to go have ended; those that did not in time are not counted', async () => {
  const events: string[] = [];
  const ending = new Map<string, { failure: PodFailure; resolve: (ended: boolean) => void }>();
  const metrics = new KubeletMetrics('n');
  const preemption = new Preemption({
    recorder: {
      event: (subject, type, reason, message) => events.push(`${Object(subject).name} ${type} ${reason}: ${message}`),
      flush: async () => {},
    },
    metrics,
    pods: () => [pod('a', '300m'), pod('b', '200m'), pod('c', '100m')],
    evict: (uid, failure) => new Promise((resolve) => ending.set(uid, { failure, resolve })),
  });
  expect(preemption.underWay).toBeUndefined();
  preemption.begin(pod('critical', '1', 2_000_000_000), [{ resource: 'cpu', amount: 450 }]);
  expect(events).toEqual([
    'a Warning Preempting: Preempted in order to admit critical pod',
    'b Warning Preempting: Preempted in order to admit critical pod',
  ]);
  expect(ending.get('a')?.failure).toMatchObject({
    reason: 'Preempting',
    message: 'Preempted in order to admit critical pod',
    condition: {
      type: 'DisruptionTarget',
      reason: 'TerminationByKubelet',
      message: 'Pod was preempted by Kubelet to accommodate a critical pod.',
    },
  });
  const done = preemption.underWay;
  ending.get('a')?.resolve(true);
  ending.get('b')?.resolve(false);
  await done;
  expect(preemption.underWay).toBeUndefined();
  const text = await metrics.text({
    pods: 0,
    containers: new Map(),
    volumes: { desired: new Map(), actual: new Map() },
  });
  expect(text).toContain('kubelet_preemptions{preemption_signal="cpu"} 1');

  const needs = [{ resource: 'memory', amount: 1 }];
  expect(() => preemption.begin(pod('critical', '1', 2_000_000_000), needs)).toThrow('[(res: memory, q: 1), ]');
  expect(preemption.underWay).toBeUndefined();
});
