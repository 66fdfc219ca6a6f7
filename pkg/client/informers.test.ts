import { describe, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { Pod } from '../api/generated/types.ts';
import { keyOf } from '../api/object.ts';
import { FakeClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import type { Client } from './client.ts';
import { createInformers } from './informers.ts';
import { FakeCluster } from './testing/fake-cluster.ts';

function setup(inProcess: boolean) {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock, inProcess });
  const informers = createInformers(cluster.client, { clock, logger: silentLogger, random: () => 0 });
  const controller = new AbortController();
  const done = informers.run(controller.signal, () => {});
  const stop = (): Promise<void> => {
    controller.abort();
    return done;
  };
  return { clock, cluster, informers, signal: controller.signal, stop };
}

function pod(name: string, labels: Record<string, string> = {}) {
  return { metadata: { name, namespace: 'a', labels } };
}

describe.each([true, false])('informer, inProcess %s', (inProcess) => {
  test('delivers what is there, then changes, and keeps indexes', async () => {
    const { clock, cluster, informers, signal, stop } = setup(inProcess);
    cluster.add(resources.pods, pod('one', { app: 'x' }));
    const informer = informers.for(resources.pods, {
      indexers: { app: (object) => [object.metadata.labels?.['app'] ?? ''] },
    });
    const seen: string[] = [];
    informer.addHandler({
      onAdd: (object) => seen.push(`add ${keyOf(object)}`),
      onUpdate: (object, old) =>
        seen.push(`update ${old.metadata.labels?.['app']}->${object.metadata.labels?.['app']}`),
      onDelete: (object) => seen.push(`delete ${keyOf(object)}`),
    });
    await informer.synced(signal);
    expect(informer.lister.get('a/one')).toBe(cluster.get(resources.pods, { namespace: 'a', name: 'one' }));
    expect(informer.lister.byIndex('app', 'x')).toHaveLength(1);
    cluster.change<Pod>(resources.pods, { namespace: 'a', name: 'one' }, (object) => {
      object.metadata.labels = { app: 'y' };
    });
    cluster.add(resources.pods, pod('two', { app: 'y' }));
    await clock.advance(1);
    expect(informer.lister.byIndex('app', 'x')).toHaveLength(0);
    expect(informer.lister.byIndex('app', 'y')).toHaveLength(2);
    expect([...informer.lister.list('a')]).toHaveLength(2);
    expect([...informer.lister.list('b')]).toHaveLength(0);
    cluster.remove(resources.pods, { namespace: 'a', name: 'one' });
    await clock.advance(1);
    expect(seen).toEqual(['add a/one', 'update x->y', 'add a/two', 'delete a/one']);
    expect(informers.for(resources.pods)).toBe(informer);
    await stop();
  });

  test('lists again when the version has expired and reports what was missed', async () => {
    const { clock, cluster, informers, signal, stop } = setup(inProcess);
    cluster.add(resources.pods, pod('gone'));
    cluster.add(resources.pods, pod('same'));
    cluster.add(resources.pods, pod('again'));
    const informer = informers.for(resources.pods);
    await informer.synced(signal);
    const seen: string[] = [];
    await clock.advance(1);
    cluster.tracker.disconnect();
    cluster.remove(resources.pods, { namespace: 'a', name: 'gone' });
    cluster.remove(resources.pods, { namespace: 'a', name: 'again' });
    cluster.add(resources.pods, pod('again'));
    cluster.add(resources.pods, pod('new'));
    cluster.tracker.compact();
    informer.addHandler({
      onAdd: (object) => seen.push(`add ${object.metadata.name}`),
      onDelete: (object) => seen.push(`delete ${object.metadata.name}`),
      onUpdate: (object) => seen.push(`update ${object.metadata.name}`),
    });
    seen.length = 0;
    await clock.advance(10_000);
    expect(seen.sort()).toEqual(['add again', 'add new', 'delete again', 'delete gone']);
    await stop();
  });

  test('backs off when the server refuses', async () => {
    const { clock, cluster, informers, stop } = setup(inProcess);
    if (inProcess) return stop();
    cluster.fail((request) => request.verb === 'list', new Error('refused'), 3);
    const informer = informers.for(resources.pods);
    await clock.advance(800 + 1600 + 3000);
    expect(informer.hasSynced).toBe(false);
    await clock.advance(400);
    expect(informer.hasSynced).toBe(true);
    return stop();
  });
});

test('a watch that got on before it broke is taken up again without more delay', async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  let breakOff: (error: Error) => void = () => {};
  let watches = 0;
  const client = {
    inProcess: false,
    list: (...args: Parameters<Client['list']>) => cluster.client.list(...args),
    async *watch() {
      watches++;
      const version = String(1_000 + watches);
      yield {
        type: 'MODIFIED',
        object: { ...pod('one'), metadata: { ...pod('one').metadata, resourceVersion: version } },
      };
      await new Promise((_, reject) => {
        breakOff = reject;
      });
    },
  } as unknown as Client;
  const informers = createInformers(client, { clock, logger: silentLogger, random: () => 0 });
  const controller = new AbortController();
  const done = informers.run(controller.signal, () => {});
  informers.for(resources.pods);
  for (let i = 1; i <= 5; i++) {
    await clock.advance(1);
    expect(watches).toBe(i);
    breakOff(new Error('connection reset'));
    await clock.advance(799);
  }
  controller.abort();
  breakOff(new Error('stopped'));
  await done;
});

test('a failing handler does not stop the others', async () => {
  const { cluster, informers, signal, stop } = setup(true);
  const informer = informers.for(resources.pods);
  const seen: string[] = [];
  informer.addHandler({
    onAdd: () => {
      throw new Error('broken');
    },
  });
  informer.addHandler({ onAdd: (object) => seen.push(object.metadata.name) });
  cluster.add(resources.pods, pod('one'));
  await informer.synced(signal);
  expect(seen).toEqual(['one']);
  await stop();
});
