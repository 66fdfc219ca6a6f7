import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { startControllers } from '../testing.ts';
import { newNodeTTLController, stepFor } from './node-ttl-controller.ts';

test.each([
  [1, 0, 0],
  [100, 0, 0],
  [101, 0, 1],
  [90, 1, 1],
  [89, 1, 0],
  [5000, 0, 4],
  [3, 4, 0],
])('%d nodes at step %d: step %d', (nodes, present, step) => {
  expect(stepFor(nodes, present)).toBe(step);
});

test('all nodes are annotated, and again when there are many more', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newNodeTTLController(deps)]);
  const ttls = () =>
    new Set(
      cluster.list(resources.nodes).map(({ metadata }) => metadata.annotations?.['node.alpha.kubernetes.io/ttl']),
    );
  for (let i = 0; i < 100; i++) cluster.add(resources.nodes, { metadata: { name: `n${i}` } });
  await clock.advance(100);
  expect(ttls()).toEqual(new Set(['0']));
  cluster.add(resources.nodes, { metadata: { name: 'one-more' } });
  await clock.advance(100);
  expect(ttls()).toEqual(new Set(['15']));
  await stop();
});
