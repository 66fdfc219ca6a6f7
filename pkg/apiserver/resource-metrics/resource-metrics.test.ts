import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { ObjectReader } from '../contract.ts';
import { ResourceMetrics } from './resource-metrics.ts';

function start() {
  const clock = new FakeClock();
  const objects: Record<string, object[]> = {
    nodes: [{ metadata: { name: 'a', labels: { zone: 'x' } } }, { metadata: { name: 'down' } }],
    pods: [
      { metadata: { namespace: 'n', name: 'p' }, spec: { nodeName: 'a' } },
      { metadata: { namespace: 'n', name: 'waits' }, spec: {} },
    ],
  };
  const reader = { list: (type: { resource: string }) => objects[type.resource] ?? [] } as unknown as ObjectReader;
  let scrapes = 0;
  const metrics = new ResourceMetrics({
    reader,
    clock,
    logger: silentLogger,
    async scrape({ metadata }) {
      if (metadata.name === 'down') throw new Error('connection refused');
      scrapes++;
      const seconds = clock.monotonic() / 4000;
      const labels = '{container="c",namespace="n",pod="p"}';
      return [
        `node_cpu_usage_seconds_total ${seconds}`,
        'node_memory_working_set_bytes 1048576',
        `container_cpu_usage_seconds_total${labels} ${seconds / 2}`,
        `container_memory_working_set_bytes${labels} 1024`,
      ].join('\n');
    },
  });
  return { clock, metrics, objects, scrapes: () => scrapes };
}

test('who asks first waits for two looks; later ones come while somebody asks', async () => {
  const { clock, metrics, scrapes } = start();
  await clock.advance(60_000);
  expect(scrapes()).toBe(0);
  const asked = Promise.all([metrics.nodes(), metrics.pods()]);
  await clock.advance(1000);
  const [nodes, pods] = await asked;
  expect(nodes).toMatchObject([
    {
      kind: 'NodeMetrics',
      metadata: { name: 'a', labels: { zone: 'x' } },
      window: '1s',
      usage: { cpu: '250000000n', memory: '1Mi' },
    },
  ]);
  expect(pods).toMatchObject([
    {
      metadata: { namespace: 'n', name: 'p' },
      containers: [{ name: 'c', usage: { cpu: '125000000n', memory: '1Ki' } }],
    },
  ]);
  expect(scrapes()).toBe(2);
  await clock.advance(15_000);
  expect(scrapes()).toBe(3);
  expect((await metrics.nodes())[0]?.window).toBe('15s');
  await clock.advance(10 * 60_000);
  const settled = scrapes();
  expect(settled).toBeLessThan(3 + 22);
  expect(clock.pending).toBe(0);
  await clock.advance(10 * 60_000);
  expect(scrapes()).toBe(settled);
  metrics.close();
});

test('nodes that are gone are forgotten', async () => {
  const { clock, metrics, objects } = start();
  const asked = metrics.nodes();
  await clock.advance(1000);
  await asked;
  objects['nodes'] = [];
  expect(await metrics.nodes()).toEqual([]);
  await clock.advance(15_000);
  objects['nodes'] = [{ metadata: { name: 'a' } }];
  expect(await metrics.nodes()).toEqual([]);
  metrics.close();
});

test('resources have names of their own', () => {
  expect(resources['pods.metrics.k8s.io'].kind).toBe('PodMetrics');
  expect(resources['nodes.metrics.k8s.io'].namespaced).toBe(false);
});
