import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { FakeClock } from '../base/clock.ts';
import { Group } from '../base/lifecycle.ts';
import { createLogger, silentLogger } from '../base/logger.ts';
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

test('a kind that is not served keeps its own controller from running, and no other', async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const unserved = { ...resources.pods, group: 'gone.example.com' };
  const lines: string[] = [];
  const logger = createLogger({ level: 'error', destination: { write: (line) => void lines.push(line) } });
  const informers = createInformers(cluster.client, { clock, logger: silentLogger });
  const sources = [fromInformer(informers.for(unserved))];
  const reconciler = { reconcile: async () => undefined };
  const parts = [
    new Controller({ name: 'unserved', sources, reconciler }, { clock, logger }),
    new Controller(
      { name: 'next', sources: [fromInformer(informers.for(resources.pods))], reconciler },
      { clock, logger },
    ),
  ];
  const group = new Group('controllers', [informers, ...parts], { logger: silentLogger });
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const done = group.run(stop.signal, () => ready.resolve());
  await ready.promise;
  expect(lines.join('')).toContain('controller does not run');
  expect(lines.join('')).toContain('the server does not serve pods in gone.example.com/v1');
  stop.abort();
  await done;
});
