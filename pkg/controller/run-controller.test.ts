import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { FakeClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { createMetrics } from '../base/metrics.ts';
import { createInformers } from '../client/informers.ts';
import { FakeCluster } from '../client/testing/fake-cluster.ts';
import { type Reconciler, TerminalError } from './controller.ts';
import { createControllerMetrics } from './controller-metrics.ts';
import { Controller } from './run-controller.ts';
import { controllerOf, fromInformer } from './sources.ts';

function start(reconcile: Reconciler['reconcile']) {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const deps = { clock, logger: silentLogger };
  const informers = createInformers(cluster.client, deps);
  const registry = createMetrics();
  const controller = new Controller(
    {
      name: 'test',
      sources: [
        fromInformer(informers.for(resources.replicasets), { unhurried: ({ spec }) => spec?.replicas === 0 }),
        fromInformer(informers.for(resources.pods), { map: controllerOf(resources.replicasets) }),
      ],
      reconciler: { reconcile },
    },
    { ...deps, metrics: createControllerMetrics(registry) },
  );
  const stop = new AbortController();
  const state = { ready: false };
  const done = Promise.all([
    informers.run(stop.signal, () => {}),
    controller.run(stop.signal, () => {
      state.ready = true;
    }),
  ]);
  return {
    clock,
    cluster,
    registry,
    state,
    stop: () => {
      stop.abort();
      return done;
    },
  };
}

test('reconciles objects and owners; failures are retried, terminal errors are not', async () => {
  const calls: string[] = [];
  let failures = 2;
  const { clock, cluster, registry, state, stop } = start(async ({ namespace, name }) => {
    calls.push(`${namespace}/${name}`);
    if (name === 'fails' && failures-- > 0) throw new Error('not yet');
    if (name === 'hopeless') throw new TerminalError('never');
    return name === 'again' && calls.length < 8 ? { requeueAfterMs: 1000 } : undefined;
  });
  await clock.advance(0);
  expect(state.ready).toBe(true);
  const controller = { controller: true, apiVersion: 'apps/v1', kind: 'ReplicaSet', uid: 'u' };
  cluster.add(resources.replicasets, { metadata: { namespace: 'n', name: 'fails' } });
  cluster.add(resources.replicasets, { metadata: { namespace: 'n', name: 'hopeless' } });
  await clock.advance(100);
  expect(calls).toEqual(['n/fails', 'n/hopeless', 'n/fails', 'n/fails']);
  calls.length = 0;
  for (const owner of [
    { ...controller, name: 'rs' },
    { ...controller, name: 'other', kind: 'Job', apiVersion: 'batch/v1' },
    { ...controller, name: 'loose', controller: false },
  ]) {
    cluster.add(resources.pods, { metadata: { namespace: 'n', name: `of-${owner.name}`, ownerReferences: [owner] } });
  }
  await clock.advance(1);
  expect(calls).toEqual(['n/rs']);
  calls.length = 0;
  cluster.add(resources.replicasets, { metadata: { namespace: 'n', name: 'again' } });
  await clock.advance(3000);
  expect(calls).toHaveLength(4);
  expect(await registry.getSingleMetricAsString('workqueue_retries_total')).toContain('{name="test"} 2');
  await stop();
});

test('new objects that have no pods to wait for wait a moment, changed ones do not', async () => {
  const calls: string[] = [];
  const { clock, cluster, stop } = start(async ({ name }) => {
    calls.push(name);
    return undefined;
  });
  await clock.advance(0);
  const idle = { namespace: 'n', name: 'idle' };
  cluster.add(resources.replicasets, { metadata: idle, spec: { replicas: 0 } });
  cluster.add(resources.replicasets, { metadata: { namespace: 'n', name: 'busy' }, spec: { replicas: 1 } });
  await clock.advance(100);
  expect(calls).toEqual(['busy']);
  await clock.advance(50);
  expect(calls).toEqual(['busy', 'idle']);
  cluster.change(resources.replicasets, idle, (set) => {
    set.metadata.labels = { a: 'b' };
  });
  await clock.advance(0);
  expect(calls).toEqual(['busy', 'idle', 'idle']);
  await stop();
});
