import { afterAll, describe, expect, test } from 'vitest';
import { newStatus, StatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Pod } from '../../api/generated/types.ts';
import { FakeClock } from '../../base/clock.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { defaultConfiguration } from '../config/configuration.ts';
import type { ExtenderTransport } from '../extenders/extender.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { podInfo } from '../framework/pod-info.ts';
import { nodeFixture as node, podFixture as pod, TestProfile } from '../testing/fixtures.ts';
import { adviceFor } from './advice.ts';
import { explain, explainPod } from './explain-pod.ts';
import { formatExplanation } from './explanation.ts';

const controller = new AbortController();
afterAll(() => controller.abort());

const port = { ports: [{ containerPort: 1, hostPort: 80 }] };
const term = { topologyKey: 'rack', labelSelector: { matchLabels: { app: 'db' } } };
const spread = {
  maxSkew: 1,
  topologyKey: 'kubernetes.io/hostname',
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: {},
};
const named = (name: string): object => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }],
      },
    },
  },
});
const antiAffinityTo = (app: string): object => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app } } },
      ],
    },
  },
});
const affinityTo = (key: string): object => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values: ['x', 'y'] }] }],
      },
    },
  },
});

const unreachable = () => Promise.reject(new Error('nobody answers'));
const around = ({ cluster: { nodes } }: TestProfile) => ({ nodes, labelsOfNamespace: () => ({}) });

describe('advice', () => {
  test.each<[string, Pod, object, string]>([
    [
      'NodeResourcesFit',
      pod({ requests: { cpu: '2' } }),
      {},
      'free 1 of cpu, or request at most 1 (now 2; 3 of 4 are requested by others)',
    ],
    [
      'NodeResourcesFit',
      pod({ requests: { memory: '9Gi' } }),
      {},
      'request at most 8192Mi of memory (now 9216Mi), or use a larger node',
    ],
    [
      'TaintToleration',
      pod(),
      {
        spec: {
          taints: [
            { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
            { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
          ],
        },
      },
      'kubectl uncordon a, and the end of not-ready (kubectl describe node a)',
    ],
    ['NodeUnschedulable', pod(), { spec: { unschedulable: true } }, 'kubectl uncordon a'],
    [
      'TaintToleration',
      pod(),
      { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } },
      'tolerate k=v:NoSchedule, or kubectl taint nodes a k=v:NoSchedule-',
    ],
    [
      'NodeAffinity',
      pod({ spec: { nodeSelector: { disk: 'ssd' } } }),
      {},
      'kubectl label nodes a --overwrite disk=ssd',
    ],
    [
      'NodeAffinity',
      pod({ spec: { nodeSelector: { 'kubernetes.io/hostname': 'b', disk: 'ssd' } } }),
      {},
      'a nodeSelector without kubernetes.io/hostname=b (of this node it is a), and kubectl label nodes a --overwrite disk=ssd',
    ],
    ['NodeAffinity', pod({ spec: affinityTo('disk') }), {}, 'labels for the node so that disk In (x, y)'],
    [
      'NodeAffinity',
      pod({ spec: named('c') }),
      {},
      'a nodeAffinity that allows this node, too (now: metadata.name In (c))',
    ],
    [
      'NodeResourcesFit',
      pod({ requests: { memory: '9Gi' } }),
      { allocatable: { memory: '8388609Ki' } },
      'request at most 8192Mi of memory (now 9216Mi), or use a larger node',
    ],
    [
      'NodeResourcesFit',
      pod({ requests: { cpu: '2' } }),
      { allocatable: { cpu: '3' } },
      'free 2 of cpu (now 2; 3 of 3 are requested by others)',
    ],
    [
      'NodeResourcesFit',
      pod({ requests: { 'example.com/gpu': '1' } }),
      {},
      'a node that has example.com/gpu: this one has none',
    ],
    [
      'InterPodAffinity',
      pod({ spec: antiAffinityTo('holder') }),
      {},
      'delete default/holder, which the anti-affinity matches in the same kubernetes.io/hostname',
    ],
    [
      'InterPodAffinity',
      pod({ labels: { app: 'guest' } }),
      {},
      'delete default/holder, whose anti-affinity is against pods with these labels',
    ],
    ['NodePorts', pod({ container: port }), {}, 'another host port than 80/TCP, or delete default/holder'],
    [
      'InterPodAffinity',
      pod({ spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } } }),
      {},
      'label the node with rack',
    ],
    [
      'PodTopologySpread',
      pod({ spec: { topologySpreadConstraints: [spread] } }),
      {},
      'more matching pods elsewhere first, or a larger maxSkew (kubernetes.io/hostname: 1)',
    ],
  ])('%s: %#', async (plugin, wanted, fixture, advice) => {
    const profile = (await TestProfile.create(controller.signal)).nodes(node('a', fixture), node('b'));
    profile.place(
      'a',
      pod({
        name: 'holder',
        labels: { app: 'holder' },
        container: { ...port, resources: { requests: { cpu: '3' } } },
        spec: antiAffinityTo('guest'),
      }),
    );
    const { nodes } = explain(profile.framework, wanted, undefined, around(profile));
    expect(nodes[0]?.verdicts.find((verdict) => verdict.plugin === plugin)).toMatchObject({ advice });
    expect(nodes[1]?.node).toBe('b');
  });
});

test('reads the cluster, writes nothing, and lists verdicts and scores', async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  for (const one of [node('a', { spec: { unschedulable: true } }), node('b'), node('c')])
    cluster.add(resources.nodes, one as never);
  cluster.add(
    resources.pods,
    pod({ name: 'other', requests: { cpu: '3', memory: '6Gi' }, spec: { nodeName: 'c' } }) as never,
  );
  cluster.add(resources.pods, pod({ name: 'mine', requests: { cpu: '1' }, spec: { nodeName: 'b' } }) as never);
  const key = { namespace: 'default', name: 'mine' };
  const explanation = await explainPod(
    key,
    defaultConfiguration,
    { client: cluster.client, clock, extenderTransport: unreachable },
    controller.signal,
  );
  const text = formatExplanation(explanation, false).split('\n');
  expect(text.slice(0, 6)).toEqual([
    'pod default/mine is on b',
    '',
    'NODE  PLUGIN             WHY                         WHAT WOULD HELP',
    'a     NodeUnschedulable  node(s) were unschedulable  kubectl uncordon a',
    'b     -                  the pod fits',
    'c     -                  the pod fits',
  ]);
  expect(text[7]).toMatch(/^NODE {2}SCORE {2}TaintToleration/);
  expect(text[8]).toMatch(/^b /);
  expect(formatExplanation(explanation, true)).toMatch(/^b +TaintToleration +ok$/m);
  expect(cluster.actions).toEqual([]);
  await expect(
    explainPod(
      { namespace: 'default', name: 'no' },
      defaultConfiguration,
      { client: cluster.client, clock, extenderTransport: unreachable },
      controller.signal,
    ),
  ).rejects.toThrow('not found');
});

test.each([
  ["node(s) didn't match PersistentVolume's node affinity", /where its volume is \(kubectl get pv/],
  ["node(s) didn't find available persistent volumes to bind", /allowedTopologies/],
  ['node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)', /create the volume/],
  ['node(s) did not have enough free storage', /csistoragecapacities/],
])('advice for volumes: %s', (reason, advice) => {
  const rejection = { plugin: 'VolumeBinding', reasons: [reason], resolvable: false };
  const nowhere = { nodes: [], labelsOfNamespace: () => undefined };
  expect(adviceFor(rejection, podInfo(pod()), {} as NodeInfo, nowhere)).toMatch(advice);
});

test('extenders refuse and score, and may fail', async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  for (const name of ['a', 'b', 'c']) cluster.add(resources.nodes, node(name) as never);
  cluster.add(resources.pods, pod({ name: 'mine' }) as never);
  const extender = {
    urlPrefix: 'http://e',
    filterVerb: 'filter',
    prioritizeVerb: 'prioritize',
    preemptVerb: undefined,
    bindVerb: undefined,
    weight: 2,
    httpTimeoutMs: 1000,
    tls: undefined,
    nodeCacheCapable: true,
    managedResources: [],
    ignorable: false,
  };
  const text = async (extenderTransport: ExtenderTransport): Promise<string> => {
    const configuration = { ...defaultConfiguration, extenders: [extender] };
    const deps = { client: cluster.client, clock, extenderTransport };
    const key = { namespace: 'default', name: 'mine' };
    return formatExplanation(await explainPod(key, configuration, deps, controller.signal), false);
  };
  const answered = await text(async (url) =>
    url.endsWith('/filter') ? { NodeNames: ['b', 'c'], FailedNodes: { a: 'not here' } } : [{ Host: 'c', Score: 10 }],
  );
  expect(answered).toMatch(/^a +http:\/\/e +not here +ask who runs this extender of the scheduler$/m);
  expect(answered).toMatch(/^b +- +the pod fits$/m);
  expect(answered).toMatch(/^NODE +SCORE.* extenders\nc .* 200\nb .* 0\n$/m);
  expect(await text(unreachable)).toMatch(/^a +extenders +.*nobody answers/m);
});

test('a pod of another scheduler', async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  cluster.add(resources.nodes, node('a') as never);
  cluster.add(resources.pods, pod({ name: 'mine', spec: { schedulerName: 'other' } }) as never);
  const deps = { client: cluster.client, clock, extenderTransport: unreachable };
  const key = { namespace: 'default', name: 'mine' };
  const text = formatExplanation(await explainPod(key, defaultConfiguration, deps, controller.signal), false);
  expect(text).toContain('It is for the scheduler other to place (spec.schedulerName)');
  expect(text).toMatch(/^a +- +the pod fits/m);
});

test('what may not be listed is said', async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  cluster.add(resources.pods, pod({ name: 'mine' }) as never);
  const refusal = new StatusError(newStatus(403, 'Forbidden', 'csinodes is forbidden'));
  cluster.fail(({ verb, type }) => verb === 'list' && type.resource === 'csinodes', refusal);
  const deps = { client: cluster.client, clock, extenderTransport: unreachable };
  const key = { namespace: 'default', name: 'mine' };
  await expect(explainPod(key, defaultConfiguration, deps, controller.signal)).rejects.toThrow('csinodes is forbidden');
});

test.each([
  [
    pod({ spec: { schedulingGates: [{ name: 'g' }] } }),
    'SchedulingGates refuses the pod whatever the node: waiting for scheduling gates: [g]',
  ],
  [
    pod({ spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'x' } }] } }),
    'VolumeRestrictions refuses the pod whatever the node: persistentvolumeclaim "x" not found',
  ],
  [
    pod({ spec: { resourceClaims: [{ name: 'gpu', resourceClaimName: 'x' }] } }),
    'DynamicResources refuses the pod whatever the node: could not find ResourceClaim "default/x"',
  ],
])('what is refused whatever the node: %#', async (wanted, line) => {
  const profile = (await TestProfile.create(controller.signal)).nodes(node('a'));
  const text = formatExplanation(explain(profile.framework, wanted, undefined, around(profile)), false);
  expect(text).toContain(line);
  expect(text).toContain('what would help: ');
});

test('devices that cannot be had, and selectors that fail', async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  cluster.add(resources.nodes, node('a') as never);
  cluster.add(resources.deviceclasses, { metadata: { name: 'gpu' }, spec: {} });
  const claiming = (name: string, selectors: readonly object[]): void => {
    const requests = [
      { name: 'r', exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1, selectors } },
    ];
    cluster.add(resources.resourceclaims, {
      metadata: { name, namespace: 'default' },
      spec: { devices: { requests } },
      status: {},
    });
    const spec = { resourceClaims: [{ name: 'gpu', resourceClaimName: name }] };
    cluster.add(resources.pods, pod({ name, spec }) as never);
  };
  claiming('plain', []);
  claiming('broken', [{ cel: { expression: 'device.attributes["x"].y' } }]);
  const text = async (name: string): Promise<string> => {
    const key = { namespace: 'default', name };
    const deps = { client: cluster.client, clock, extenderTransport: unreachable };
    return formatExplanation(await explainPod(key, defaultConfiguration, deps, controller.signal), false);
  };
  expect(await text('plain')).toMatch(/^a +DynamicResources +cannot allocate all claims +free devices on this node/m);
  cluster.add(resources.resourceslices, {
    metadata: { name: 's' },
    spec: {
      driver: 'gpu.example.com',
      allNodes: true,
      pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'x' }],
    },
  });
  expect(await text('plain')).toMatch(/^a +- +the pod fits/m);
  expect(await text('broken')).toContain('claim default/broken: selector #0: CEL runtime error: no such key: y');
});
