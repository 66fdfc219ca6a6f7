import { describe, expect, test } from 'vitest';
import type { Node, Pod } from '../../api/generated/types.ts';
import { feasibleNodesToFind, SchedulingCycle } from '../cycle.ts';
import { NodeInfo } from '../framework/node-info.ts';
import { podInfo } from '../framework/pod-info.ts';
import { defaultPlugins } from './index.ts';

interface NodeFixture {
  labels?: Record<string, string>;
  spec?: object;
  allocatable?: Record<string, string>;
  images?: object[];
}

let nextUID = 0;

function nodeInfo(name: string, { labels, spec = {}, allocatable, images }: NodeFixture = {}): NodeInfo {
  const info = new NodeInfo(name);
  info.setNode({
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec,
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '10', ...allocatable }, images },
  } as unknown as Node);
  return info;
}

function podOf(spec: object, container: object = {}): Pod {
  nextUID++;
  return {
    metadata: { name: `p${nextUID}`, namespace: 'default', uid: `u${nextUID}` },
    spec: { containers: [{ name: 'c', image: 'app:1', ...container }], ...spec },
    status: {},
  } as unknown as Pod;
}

const requests = (amounts: Record<string, string>): object => ({ resources: { requests: amounts } });

function outcome(pod: Pod, nodes: NodeInfo[]): string {
  const result = new SchedulingCycle(defaultPlugins, () => 0.99).run(podInfo(pod), nodes);
  return 'noFit' in result ? result.noFit.message : result.placement.node.name;
}

const portHolder = nodeInfo('busy');
portHolder.addPod(podInfo(podOf({}, { ports: [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' }] })));
const full = nodeInfo('full', { allocatable: { pods: '1' } });
full.addPod(podInfo(podOf({})));

describe('filters', () => {
  test.each<[string, Pod, NodeInfo[], string]>([
    ['no nodes', podOf({}), [], 'no nodes available to schedule pods'],
    ['fits', podOf({}, requests({ cpu: '4' })), [nodeInfo('a')], 'a'],
    ['cpu', podOf({}, requests({ cpu: '4001m' })), [nodeInfo('a')], '0/1 nodes are available: 1 Insufficient cpu.'],
    [
      'cpu and memory',
      podOf({}, requests({ cpu: '5', memory: '9Gi' })),
      [nodeInfo('a'), nodeInfo('b')],
      '0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory.',
    ],
    [
      'unknown resource',
      podOf({}, requests({ 'example.com/none': '1' })),
      [nodeInfo('a')],
      '0/1 nodes are available: 1 Insufficient example.com/none.',
    ],
    ['too many pods', podOf({}), [full], '0/1 nodes are available: 1 Too many pods.'],
    [
      'node selector',
      podOf({ nodeSelector: { disk: 'ssd' } }),
      [nodeInfo('a'), nodeInfo('b', { labels: { disk: 'ssd' } })],
      'b',
    ],
    [
      'no node selected',
      podOf({ nodeSelector: { disk: 'ssd' } }),
      [nodeInfo('a')],
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    ],
    ['field selector', podOf(namedAffinity('b')), [nodeInfo('a'), nodeInfo('b')], 'b'],
    [
      'field selector of an absent node',
      podOf(namedAffinity('c')),
      [nodeInfo('a')],
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    ],
    [
      'cordoned',
      podOf({}),
      [nodeInfo('a', { spec: { unschedulable: true } })],
      '0/1 nodes are available: 1 node(s) were unschedulable.',
    ],
    [
      'taints',
      podOf({}),
      [tainted('a', 'v1'), tainted('b', 'v2')],
      '0/2 nodes are available: 1 node(s) had untolerated taint {example.com/k: v1}, 1 node(s) had untolerated taint {example.com/k: v2}.',
    ],
    [
      'tolerated',
      podOf({ tolerations: [{ key: 'example.com/k', operator: 'Exists', effect: 'NoSchedule' }] }),
      [tainted('a', 'v1')],
      'a',
    ],
    [
      'host port taken',
      podOf({}, { ports: [{ containerPort: 1, hostPort: 8080, protocol: 'TCP' }] }),
      [portHolder],
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    ],
    [
      'other protocol',
      podOf({}, { ports: [{ containerPort: 1, hostPort: 8080, protocol: 'UDP' }] }),
      [portHolder],
      'busy',
    ],
    [
      'reasons are counted and sorted',
      podOf({ nodeSelector: { disk: 'ssd' } }, requests({ cpu: '5' })),
      [nodeInfo('a'), nodeInfo('b', { labels: { disk: 'ssd' } })],
      "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector.",
    ],
  ])('%s', (_name, pod, nodes, expected) => {
    expect(outcome(pod, nodes)).toBe(expected);
  });
});

describe('scores', () => {
  const used = nodeInfo('used');
  used.addPod(podInfo(podOf({}, requests({ cpu: '3', memory: '6Gi' }))));

  test.each<[string, Pod, NodeInfo[], string]>([
    ['the emptier node', podOf({}, requests({ cpu: '100m' })), [used, nodeInfo('empty')], 'empty'],
    [
      'preferred affinity',
      podOf(preferred('zone', 'b')),
      [nodeInfo('a', { labels: { zone: 'a' } }), nodeInfo('b', { labels: { zone: 'b' } })],
      'b',
    ],
    [
      'fewer soft taints',
      podOf({}),
      [nodeInfo('a', { spec: { taints: [{ key: 'x', effect: 'PreferNoSchedule' }] } }), nodeInfo('b')],
      'b',
    ],
    [
      'the image is there',
      podOf({}),
      [nodeInfo('a'), nodeInfo('b', { images: [{ names: ['app:1'], sizeBytes: 900 * 2 ** 20 }] })],
      'b',
    ],
  ])('%s', (_name, pod, nodes, expected) => {
    expect(outcome(pod, nodes)).toBe(expected);
  });
});

test.each([
  [50, 50],
  [100, 100],
  [1000, 420],
  [5000, 500],
])('of %i nodes %i feasible ones are enough', (total, expected) => {
  expect(feasibleNodesToFind(total)).toBe(expected);
});

function tainted(name: string, value: string): NodeInfo {
  return nodeInfo(name, { spec: { taints: [{ key: 'example.com/k', value, effect: 'NoSchedule' }] } });
}

function namedAffinity(name: string): object {
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] };
  return {
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
  };
}

function preferred(key: string, value: string): object {
  const preference = { matchExpressions: [{ key, operator: 'In', values: [value] }] };
  return {
    affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }] } },
  };
}
