import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { createInformers } from './informers.ts';
import { PartitionedInformer } from './partitioned-informer.ts';
import { FakeCluster } from './testing/fake-cluster.ts';

test('each partition sees its own objects only, first those that are there', async () => {
  const cluster = new FakeCluster();
  const pod = (name: string, nodeName?: string) => ({
    metadata: { name, namespace: 'ns' },
    spec: { containers: [], ...(nodeName === undefined ? {} : { nodeName }) },
  });
  cluster.add(resources.pods, pod('a', 'n1'));
  cluster.add(resources.pods, pod('b', 'n2'));
  cluster.add(resources.pods, pod('c'));
  const informers = createInformers(cluster.client, { clock: systemClock, logger: silentLogger });
  const nodeOf = (object: { readonly spec: { readonly nodeName?: string } }): string => object.spec.nodeName ?? '';
  const whole = informers.for(resources.pods, { indexers: { node: (object) => [nodeOf(object)] } });
  const partitioned = new PartitionedInformer(whole, 'node', nodeOf);
  const end = partitioned.start();
  const controller = new AbortController();
  const running = informers.run(controller.signal, () => {});
  const n1 = partitioned.partition('n1');
  const seen: string[] = [];
  const remove = n1.addHandler({
    onAdd: ({ metadata }) => seen.push(`+${metadata.name}`),
    onUpdate: ({ metadata }) => seen.push(`~${metadata.name}`),
    onDelete: ({ metadata }) => seen.push(`-${metadata.name}`),
  });
  await n1.synced(controller.signal);
  expect(seen).toEqual(['+a']);
  expect([...n1.lister.list()].map(({ metadata }) => metadata.name)).toEqual(['a']);
  expect([...n1.lister.list('other')]).toEqual([]);
  expect([n1.lister.get('ns/a')?.metadata.name, n1.lister.get('ns/b'), n1.lister.size]).toEqual(['a', undefined, 1]);

  // Being bound to the node is to come into being there.
  await cluster.client.patch(resources.pods, { namespace: 'ns', name: 'c' }, 'merge', { spec: { nodeName: 'n1' } });
  await cluster.client.patch(resources.pods, { namespace: 'ns', name: 'b' }, 'merge', {
    metadata: { labels: { x: 'y' } },
  });
  await cluster.client.patch(resources.pods, { namespace: 'ns', name: 'a' }, 'merge', {
    metadata: { labels: { x: 'y' } },
  });
  cluster.remove(resources.pods, { namespace: 'ns', name: 'a' });
  await expect.poll(() => seen).toEqual(['+a', '+c', '~a', '-a']);

  remove();
  cluster.add(resources.pods, pod('d', 'n1'));
  const late: string[] = [];
  n1.addHandler({ onAdd: ({ metadata }) => late.push(metadata.name) });
  await expect.poll(() => late).toEqual(['c', 'd']);
  expect(seen).toHaveLength(4);
  end();
  cluster.add(resources.pods, pod('e', 'n1'));
  await expect.poll(() => whole.lister.get('ns/e') !== undefined).toBe(true);
  expect(late).toEqual(['c', 'd']);
  controller.abort();
  await running;
});
