import { afterAll, describe, expect, test } from 'vitest';
import type { Node, Pod } from '../../api/generated/types.ts';
import { type NodeFixture, nodeFixture as node, podFixture as pod, TestProfile } from '../testing/fixtures.ts';

const controller = new AbortController();
afterAll(() => controller.abort());

async function outcome(wanted: Pod, nodes: readonly Node[], placed: Record<string, readonly Pod[]> = {}) {
  const profile = (await TestProfile.create(controller.signal)).nodes(...nodes);
  for (const [name, pods] of Object.entries(placed)) profile.place(name, ...pods);
  return profile.outcome(wanted);
}

const tainted = (name: string, value: string, effect = 'NoSchedule'): Node =>
  node(name, { spec: { taints: [{ key: 'example.com/k', value, effect }] } });
const hostPort = (hostIP?: string, protocol = 'TCP'): object => ({
  ports: [{ containerPort: 80, hostPort: 8080, protocol, ...(hostIP === undefined ? {} : { hostIP }) }],
});
const namedAffinity = (...names: string[]): object => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: names.map((name) => ({
          matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }],
        })),
      },
    },
  },
});

const restartsAll = pod({ container: { restartPolicyRules: [{ action: 'RestartAllContainers' }] } });
const declaring = (name: string): Node => {
  const plain = node(name);
  return { ...plain, status: { ...plain.status, declaredFeatures: ['RestartAllContainersOnContainerExits'] } };
};

describe('filters', () => {
  test.each<[string, Pod, Node[], Record<string, Pod[]>, string]>([
    ['fits', pod({ requests: { cpu: '4' } }), [node('a')], {}, 'a'],
    ['cpu', pod({ requests: { cpu: '4001m' } }), [node('a')], {}, '0/1 nodes are available: 1 Insufficient cpu.'],
    [
      'all that is lacking is told',
      pod({ requests: { cpu: '5', memory: '9Gi', 'ephemeral-storage': '1Gi', 'example.com/a': '1' } }),
      [node('a')],
      {},
      '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient ephemeral-storage, 1 Insufficient example.com/a, 1 Insufficient memory.',
    ],
    ['what the node must be able to do', restartsAll, [node('a'), declaring('b')], {}, 'b'],
    [
      'what no node can do',
      restartsAll,
      [node('a')],
      {},
      "0/1 nodes are available: 1 node(s) didn't match Pod's required features.",
    ],
    [
      'what others use counts',
      pod({ requests: { cpu: '2' } }),
      [node('a')],
      { a: [pod({ requests: { cpu: '3' } })] },
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
    [
      'init containers count when they are larger',
      pod({ requests: { cpu: '1' }, spec: { initContainers: [{ name: 'i', resources: { requests: { cpu: '5' } } }] } }),
      [node('a')],
      {},
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
    [
      'sidecars count with the containers',
      pod({
        requests: { cpu: '3' },
        spec: { initContainers: [{ name: 'i', restartPolicy: 'Always', resources: { requests: { cpu: '2' } } }] },
      }),
      [node('a')],
      {},
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
    [
      'overhead counts',
      pod({ requests: { cpu: '4' }, spec: { overhead: { cpu: '1m' } } }),
      [node('a')],
      {},
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
    [
      'requests of the whole pod count',
      pod({ requests: { cpu: '1' }, spec: { resources: { requests: { cpu: '5' } } } }),
      [node('a')],
      {},
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
    [
      'too many pods',
      pod(),
      [node('a', { allocatable: { pods: '1' } })],
      { a: [pod()] },
      '0/1 nodes are available: 1 Too many pods.',
    ],
    [
      'node selector',
      pod({ spec: { nodeSelector: { disk: 'ssd' } } }),
      [node('a'), node('b', { labels: { disk: 'ssd' } })],
      {},
      'b',
    ],
    [
      'no node selected',
      pod({ spec: { nodeSelector: { disk: 'ssd' } } }),
      [node('a')],
      {},
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    ],
    ['a node by name', pod({ spec: namedAffinity('b') }), [node('a'), node('b')], {}, 'b'],
    ['one of two nodes by name', pod({ spec: namedAffinity('c', 'b') }), [node('a'), node('b')], {}, 'b'],
    [
      'nodes that are not named are not looked at',
      pod({ spec: namedAffinity('b'), requests: { cpu: '5' } }),
      [node('a'), node('b'), node('c')],
      {},
      "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity].",
    ],
    [
      'a name that no node has',
      pod({ spec: namedAffinity('c') }),
      [node('a')],
      {},
      "0/1 nodes are available: 1 node(s) didn't satisfy plugin(s) [NodeAffinity].",
    ],
    [
      'the name that the pod asks for',
      pod({ spec: { nodeName: 'b' } }),
      [node('a')],
      {},
      "0/1 nodes are available: 1 node(s) didn't match the requested node name.",
    ],
    [
      'cordoned',
      pod(),
      [node('a', { spec: { unschedulable: true } })],
      {},
      '0/1 nodes are available: 1 node(s) were unschedulable.',
    ],
    [
      'cordoned and tolerated',
      pod({ spec: { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] } }),
      [node('a', { spec: { unschedulable: true } })],
      {},
      'a',
    ],
    [
      'taints are not told',
      pod(),
      [tainted('a', 'v1'), tainted('b', 'v2'), tainted('c', 'v2', 'NoExecute')],
      {},
      '0/3 nodes are available: 3 node(s) had untolerated taint(s).',
    ],
    [
      'tolerated',
      pod({ spec: { tolerations: [{ key: 'example.com/k', operator: 'Exists', effect: 'NoSchedule' }] } }),
      [tainted('a', 'v1')],
      {},
      'a',
    ],
    [
      'host port taken',
      pod({ container: hostPort() }),
      [node('a')],
      { a: [pod({ container: hostPort() })] },
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    ],
    [
      'host port taken on all addresses',
      pod({ container: hostPort('127.0.0.1') }),
      [node('a')],
      { a: [pod({ container: hostPort('0.0.0.0') })] },
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    ],
    [
      'host port on another address',
      pod({ container: hostPort('127.0.0.1') }),
      [node('a')],
      { a: [pod({ container: hostPort('127.0.0.2') })] },
      'a',
    ],
    [
      'host port of another protocol',
      pod({ container: hostPort(undefined, 'UDP') }),
      [node('a')],
      { a: [pod({ container: hostPort() })] },
      'a',
    ],
    [
      'reasons are counted and sorted',
      pod({ spec: { nodeSelector: { disk: 'ssd' } }, requests: { cpu: '5' } }),
      [node('a'), node('b', { labels: { disk: 'ssd' } })],
      {},
      "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector.",
    ],
    [
      'resource claims',
      pod({ name: 'p', spec: { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }] } }),
      [node('a')],
      {},
      '0/1 nodes are available: pod "default/p": ResourceClaim not created yet.',
    ],
  ])('%s', async (_name, wanted, nodes, placed, expected) => {
    expect(await outcome(wanted, nodes, placed)).toBe(expected);
  });

  test('resources that the configuration ignores', async () => {
    const profile = await TestProfile.create(controller.signal, {
      NodeResourcesFit: {
        ignoredResources: ['example.com/a'],
        ignoredResourceGroups: ['example.org'],
        scoringStrategy: { type: 'LeastAllocated', resources: [{ name: 'cpu', weight: 1 }], shape: [] },
      },
    });
    profile.nodes(node('a'));
    expect(profile.outcome(pod({ requests: { 'example.com/a': '1', 'example.org/b': '1' } }))).toBe('a');
    expect(profile.outcome(pod({ requests: { 'example.com/c': '1' } }))).toBe(
      '0/1 nodes are available: 1 Insufficient example.com/c.',
    );
  });

  test('affinity that the configuration adds', async () => {
    const expression = { key: 'pool', operator: 'In', values: ['x'] };
    const profile = await TestProfile.create(controller.signal, {
      NodeAffinity: {
        addedAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [expression] }] },
        },
      },
    });
    profile.nodes(node('a'));
    expect(profile.outcome(pod())).toBe(
      "0/1 nodes are available: 1 node(s) didn't match scheduler-enforced node affinity.",
    );
    profile.nodes(node('b', { labels: { pool: 'x' } }));
    expect(profile.outcome(pod())).toBe('b');
  });
});

describe('scores', () => {
  const busy = { used: [pod({ requests: { cpu: '3', memory: '6Gi' } })] };
  const preference = { matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] }] };

  test.each<[string, string, Pod, Record<string, NodeFixture>, Record<string, Pod[]>, Record<string, number>]>([
    [
      'least allocated',
      'NodeResourcesFit',
      pod({ requests: { cpu: '1', memory: '2Gi' } }),
      { used: {}, empty: {} },
      busy,
      { used: 0, empty: 75 },
    ],
    [
      'balance',
      'NodeResourcesBalancedAllocation',
      pod({ requests: { cpu: '2' } }),
      { a: {}, b: { allocatable: { cpu: '8' } } },
      {},
      { a: 75, b: 87 },
    ],
    ['balance says nothing of pods that request nothing', 'NodeResourcesBalancedAllocation', pod(), { a: {} }, {}, {}],
    [
      'preferred affinity',
      'NodeAffinity',
      pod({
        spec: {
          affinity: {
            nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, preference }] },
          },
        },
      }),
      { a: { labels: { zone: 'a' } }, b: { labels: { zone: 'b' } } },
      {},
      { a: 0, b: 100 },
    ],
    [
      'soft taints',
      'TaintToleration',
      pod(),
      { a: { spec: { taints: [{ key: 'x', effect: 'PreferNoSchedule' }] } }, b: {} },
      {},
      { a: 0, b: 100 },
    ],
    [
      'soft taints that are tolerated',
      'TaintToleration',
      pod({ spec: { tolerations: [{ key: 'x', operator: 'Exists' }] } }),
      { a: { spec: { taints: [{ key: 'x', effect: 'PreferNoSchedule' }] } }, b: {} },
      {},
      { a: 100, b: 100 },
    ],
    [
      'an image that half of the nodes have',
      'ImageLocality',
      pod(),
      { a: {}, b: { images: [{ names: ['app:1'], sizeBytes: 1000 * 2 ** 20 }] } },
      {},
      { a: 0, b: 48 },
    ],
  ])('%s', async (_name, plugin, wanted, nodes, placed, expected) => {
    const profile = await TestProfile.create(controller.signal);
    profile.nodes(...Object.entries(nodes).map(([name, fixture]) => node(name, fixture)));
    for (const [name, pods] of Object.entries(placed)) profile.place(name, ...pods);
    expect(profile.scores(plugin, wanted)).toEqual(expected);
  });

  test.each([
    ['MostAllocated', [], { used: 100, empty: 25 }],
    [
      'RequestedToCapacityRatio',
      [
        { utilization: 0, score: 0 },
        { utilization: 50, score: 10 },
        { utilization: 100, score: 0 },
      ],
      { used: 0, empty: 50 },
    ],
  ] as const)('strategy %s', async (type, shape, expected) => {
    const scoringStrategy = { type, shape, resources: [{ name: 'cpu', weight: 1 }] };
    const profile = await TestProfile.create(controller.signal, {
      NodeResourcesFit: { ignoredResources: [], ignoredResourceGroups: [], scoringStrategy },
    });
    profile.nodes(node('used'), node('empty')).place('used', pod({ requests: { cpu: '3' } }));
    expect(profile.scores('NodeResourcesFit', pod({ requests: { cpu: '1' } }))).toEqual(expected);
  });
});
