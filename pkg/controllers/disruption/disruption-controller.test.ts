import { describe, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { Pod, PodDisruptionBudget } from '../../api/generated/types.ts';
import { startControllers } from '../testing.ts';
import { newDisruptionController } from './disruption-controller.ts';

function setup(spec: PodDisruptionBudget['spec']) {
  const started = startControllers((deps) => [newDisruptionController(deps)]);
  const { cluster } = started;
  cluster.add(resources.replicasets, { metadata: { namespace: 'n', name: 'rs', uid: 'rs' }, spec: { replicas: 3 } });
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'rs', controller: true };
  cluster.add(resources.poddisruptionbudgets, {
    metadata: { namespace: 'n', name: 'b' },
    spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
    status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  });
  const status = () => cluster.get(resources.poddisruptionbudgets, { namespace: 'n', name: 'b' })?.status;
  return {
    ...started,
    pod: (name: string, ready: boolean, owned: object | null = owner) =>
      cluster.add(resources.pods, {
        metadata: { namespace: 'n', name, labels: { app: 'web' }, ownerReferences: owned === null ? [] : [owned] },
        spec: { containers: [], nodeName: 'n1' },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
      } as never),
    status,
    numbers(): unknown[] {
      const { expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed } = status() ?? {};
      return [expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed];
    },
  };
}

describe('disruption controller', () => {
  test.each<[PodDisruptionBudget['spec'], number[]]>([
    [{ minAvailable: 1 }, [2, 1, 2, 1]],
    [{ minAvailable: 2 }, [2, 2, 2, 0]],
    [{ minAvailable: '50%' }, [3, 2, 2, 0]],
    [{ maxUnavailable: 2 }, [3, 1, 2, 1]],
    [{ maxUnavailable: '50%' }, [3, 1, 2, 1]],
    [{ maxUnavailable: 5 }, [3, 0, 2, 2]],
  ])('%j: expected, desired, healthy, allowed', async (spec, expected) => {
    const context = setup(spec);
    context.pod('a', true);
    context.pod('b', true);
    await context.clock.advance(10);
    expect(context.numbers()).toEqual(expected);
    const isAllowed = (expected[3] ?? 0) > 0;
    expect(context.status()?.conditions).toEqual([
      expect.objectContaining({
        type: 'DisruptionAllowed',
        status: isAllowed ? 'True' : 'False',
        reason: isAllowed ? 'SufficientPods' : 'InsufficientPods',
        observedGeneration: 1,
      }),
    ]);
    const writes = context.cluster.actions.length;
    await context.clock.advance(600_000);
    expect(context.cluster.actions).toHaveLength(writes);
    await context.stop();
  });

  test('an evicted pod does not count until it is gone or the eviction has come to nothing', async () => {
    const { cluster, clock, pod, numbers, events, stop } = setup({ minAvailable: 1 });
    pod('a', true);
    pod('b', true);
    await clock.advance(10);
    cluster.change<PodDisruptionBudget>(resources.poddisruptionbudgets, { namespace: 'n', name: 'b' }, (budget) => {
      budget.status!.disruptedPods = { a: new Date(clock.now()).toISOString() };
    });
    await clock.advance(10);
    expect(numbers()).toEqual([2, 1, 1, 0]);
    await clock.advance(121_000);
    expect(numbers()).toEqual([2, 1, 2, 1]);
    expect(events('Pod')).toEqual(["NotDeleted Pod was expected by PDB n/b to be deleted but it wasn't"]);
    cluster.change<Pod>(resources.pods, { namespace: 'n', name: 'a' }, (draft) => {
      draft.status!.conditions = [];
    });
    await clock.advance(10);
    expect(numbers()).toEqual([2, 1, 1, 0]);
    await stop();
  });

  test('pods without controller, and of controllers without scale', async () => {
    const bare = setup({ maxUnavailable: 1 });
    bare.pod('a', true, null);
    await bare.clock.advance(10);
    expect(bare.numbers()).toEqual([0, 0, 1, 0]);
    expect(bare.events().at(-1)).toMatch(
      /^UnmanagedPods .*selector: &LabelSelector\{MatchLabels:map\[string\]string\{app: web,\},MatchExpressions/,
    );
    await bare.stop();
    const job = setup({ maxUnavailable: 1 });
    job.pod('a', true, { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'j', controller: true });
    await job.clock.advance(10);
    expect(job.status()?.conditions?.[0]).toMatchObject({
      reason: 'SyncFailed',
      message: 'jobs.batch does not implement the scale subresource',
    });
    await job.stop();
  });
});
