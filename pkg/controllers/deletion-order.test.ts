import { expect, test } from 'vitest';
import { deletionOrder, rankByNode } from './deletion-order.ts';
import type { ReadPod } from './pod-status.ts';

const NOW = Date.parse('2026-01-01T10:00:00Z');

function pod(
  name: string,
  extra: { node?: string; phase?: string; ready?: string; cost?: string; restarts?: number; created?: string },
) {
  const { node = 'n', phase = 'Running', ready, cost, restarts = 0, created = '2026-01-01T00:00:00Z' } = extra;
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: created,
      annotations: cost === undefined ? {} : { 'controller.kubernetes.io/pod-deletion-cost': cost },
    },
    spec: { nodeName: node, containers: [] },
    status: {
      phase,
      conditions: ready === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: ready }],
      containerStatuses: [{ restartCount: restarts }],
    },
  } as unknown as ReadPod;
}

const OLD = '2026-01-01T00:00:00Z';

test.each([
  ['unassigned first', pod('a', { node: '' }), pod('b', { phase: 'Pending' })],
  ['pending before running', pod('a', { phase: 'Pending' }), pod('b', {})],
  ['not ready before ready', pod('a', {}), pod('b', { ready: OLD })],
  ['cheap before dear', pod('a', { ready: OLD, cost: '-5' }), pod('b', { ready: OLD, cost: '3' })],
  ['a cost that is no number is 0', pod('a', { ready: OLD, cost: 'much' }), pod('b', { ready: OLD, cost: '1' })],
  ['lately ready first', pod('a', { ready: '2026-01-01T09:59:00Z' }), pod('b', { ready: OLD })],
  ['often restarted first', pod('a', { ready: OLD, restarts: 3 }), pod('b', { ready: OLD })],
  ['young first', pod('a', { ready: OLD, created: '2026-01-01T09:59:59Z' }), pod('b', { ready: OLD })],
])('%s', (_, first, second) => {
  const compare = deletionOrder(NOW);
  const ranked = rankByNode([second, first], []);
  expect(ranked.toSorted(compare)[0]?.pod).toBe(first);
  expect(ranked.toReversed().toSorted(compare)[0]?.pod).toBe(first);
});

test('crowded nodes first', () => {
  const pods = [
    pod('a', { node: 'x', ready: OLD }),
    pod('b', { node: 'y', ready: OLD }),
    pod('c', { node: 'y', ready: OLD }),
  ];
  const order = rankByNode(pods, pods).toSorted(deletionOrder(NOW));
  expect(order.map((entry) => entry.pod.spec.nodeName)).toEqual(['y', 'y', 'x']);
});
