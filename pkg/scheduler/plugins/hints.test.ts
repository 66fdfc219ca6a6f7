import { afterAll, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { Node, PersistentVolumeClaim, Pod, ResourceResourceClaim } from '../../api/generated/types.ts';
import type { ClusterEvent } from '../framework/cluster-event.ts';
import { NodeInfo } from '../framework/node-info.ts';
import { podInfo } from '../framework/pod-info.ts';
import { pluginsByName } from '../profiles.ts';
import { nodeFixture as node, podFixture as pod, TestProfile } from '../testing/fixtures.ts';

const controller = new AbortController();
afterAll(() => controller.abort());

const HOST = 'kubernetes.io/hostname';

function nodeEvent(present: Node, old?: Node): ClusterEvent {
  const info = new NodeInfo(present.metadata.name);
  info.setNode(present);
  return old === undefined
    ? { resource: 'Node', action: 'Add', node: info }
    : { resource: 'Node', action: 'Update', node: info, old };
}
const deleted = (one: Pod): ClusterEvent => ({ resource: 'AssignedPod', action: 'Delete', pod: podInfo(one) });
const added = (one: Pod): ClusterEvent => ({ resource: 'AssignedPod', action: 'Add', pod: podInfo(one) });
const changed = (one: Pod, old: Pod): ClusterEvent => ({
  resource: 'AssignedPod',
  action: 'Update',
  pod: podInfo(one),
  old: podInfo(old),
});
const claimEvent = (name: string): ClusterEvent => ({
  resource: 'PersistentVolumeClaim',
  action: 'Update',
  object: { metadata: { name, namespace: 'default' }, spec: {} } as unknown as PersistentVolumeClaim,
});

const big = pod({ requests: { cpu: '3' } });
const port = (hostPort: number): Pod => pod({ container: { ports: [{ containerPort: 1, hostPort }] } });
const term = { topologyKey: HOST, labelSelector: { matchLabels: { app: 'db' } } };
const rule = (kind: string): object => ({
  affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
});
const spread = {
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: HOST,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'db' } },
    },
  ],
};
const db = pod({ labels: { app: 'db' } });
const other = pod({ labels: { app: 'other' } });
const tainted = node('a', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } });
const declaring = (name: string, ...declaredFeatures: string[]): Node => {
  const plain = node(name);
  return { ...plain, status: { ...plain.status, declaredFeatures } };
};
const using = pod({ spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] } });

const claiming = pod({ spec: { resourceClaims: [{ name: 'gpu', resourceClaimName: 'c' }] } });
const allocated = { allocation: { devices: { results: [] } } };
const deviceClaim = (name: string, status: object): ResourceResourceClaim =>
  ({ metadata: { name, namespace: 'default', uid: `claim-${name}` }, spec: {}, status }) as ResourceResourceClaim;
const deviceClaimEvent = (name: string, status: object, old?: object): ClusterEvent => ({
  resource: 'ResourceClaim',
  action: old === undefined ? 'Add' : 'Update',
  object: deviceClaim(name, status),
  old: old === undefined ? undefined : deviceClaim(name, old),
});

test.each<[string, string, Pod, ClusterEvent, boolean]>([
  ['NodeResourcesFit', 'a node with room', big, nodeEvent(node('a')), true],
  ['NodeResourcesFit', 'a node that is too small', big, nodeEvent(node('a', { allocatable: { cpu: '2' } })), false],
  ['NodeResourcesFit', 'a pod that left', big, deleted(other), true],
  ['NodeResourcesFit', 'a pod that came', big, added(other), false],
  ['NodeResourcesFit', 'a pod that became smaller', big, changed(pod(), big), true],
  ['NodeResourcesFit', 'a pod that became larger', big, changed(big, pod()), false],
  ['NodeDeclaredFeatures', 'a node', pod(), nodeEvent(node('a')), true],
  ['NodeDeclaredFeatures', 'other features', pod(), nodeEvent(declaring('a', 'X'), node('a')), true],
  ['NodeDeclaredFeatures', 'the same features', pod(), nodeEvent(declaring('a', 'X'), declaring('a', 'X')), false],
  ['NodeUnschedulable', 'uncordoned', pod(), nodeEvent(node('a'), node('a', { spec: { unschedulable: true } })), true],
  ['NodeUnschedulable', 'another cordoned node', pod(), nodeEvent(node('a', { spec: { unschedulable: true } })), false],
  [
    'NodeAffinity',
    'a label that it wants',
    pod({ spec: { nodeSelector: { d: 's' } } }),
    nodeEvent(node('a', { labels: { d: 's' } })),
    true,
  ],
  [
    'NodeAffinity',
    'another label',
    pod({ spec: { nodeSelector: { d: 's' } } }),
    nodeEvent(node('a', { labels: { d: 't' } })),
    false,
  ],
  ['NodeAffinity', 'a pod that left', pod({ spec: { nodeSelector: { d: 's' } } }), deleted(other), false],
  ['TaintToleration', 'a node without taints', pod(), nodeEvent(node('a'), tainted), true],
  ['TaintToleration', 'a tainted node', pod(), nodeEvent(tainted), false],
  ['NodePorts', 'the port is free again', port(80), deleted(port(80)), true],
  ['NodePorts', 'another port is free again', port(80), deleted(port(81)), false],
  ['NodeName', 'a new node', pod({ spec: { nodeName: 'a' } }), nodeEvent(node('a')), true],
  ['InterPodAffinity', 'company came', pod({ spec: rule('podAffinity') }), added(db), true],
  ['InterPodAffinity', 'somebody came', pod({ spec: rule('podAffinity') }), added(other), false],
  ['InterPodAffinity', 'an adversary left', pod({ spec: rule('podAntiAffinity') }), deleted(db), true],
  ['InterPodAffinity', 'somebody left', pod({ spec: rule('podAntiAffinity') }), deleted(other), false],
  ['InterPodAffinity', 'one that was against it left', db, deleted(pod({ spec: rule('podAntiAffinity') })), true],
  [
    'InterPodAffinity',
    'a node without the key',
    pod({ spec: rule('podAffinity') }),
    nodeEvent({ ...node('a'), metadata: { name: 'a', uid: 'u' } } as Node),
    false,
  ],
  ['PodTopologySpread', 'a pod that counts left', pod({ spec: spread }), changed(other, db), true],
  ['PodTopologySpread', 'a pod that does not count came', pod({ spec: spread }), added(other), false],
  ['PodTopologySpread', 'a node with the key came', pod({ spec: spread }), nodeEvent(node('a')), true],
  ['VolumeBinding', 'its claim changed', using, claimEvent('c'), true],
  ['VolumeBinding', 'another claim changed', using, claimEvent('d'), false],
  ['VolumeBinding', 'a pod left', using, deleted(other), false],
  ['VolumeRestrictions', 'one with the same claim left', using, deleted(using), true],
  ['VolumeRestrictions', 'another pod left', using, deleted(other), false],
  ['NodeVolumeLimits', 'one with volumes left', using, deleted(using), true],
  ['NodeVolumeLimits', 'one without volumes left', using, deleted(other), false],
  ['SchedulingGates', 'the pod itself changed', pod(), { resource: 'Pod', action: 'Update', pod: other }, true],
  ['SchedulingGates', 'a node came', pod(), nodeEvent(node('a')), false],
  ['DefaultPreemption', 'a victim left', pod(), deleted(other), false],
  ['DynamicResources', 'a node came', claiming, nodeEvent(node('a')), true],
  ['DynamicResources', 'devices came', claiming, { resource: 'ResourceSlice', action: 'Add' }, true],
  ['DynamicResources', 'its claim came', claiming, deviceClaimEvent('c', {}), true],
  ['DynamicResources', 'another claim came', claiming, deviceClaimEvent('d', {}), false],
  ['DynamicResources', 'another claim gave its devices back', claiming, deviceClaimEvent('d', {}, allocated), true],
  ['DynamicResources', 'the status of its claim is as it was', claiming, deviceClaimEvent('c', {}, {}), false],
  ['DynamicResources', 'its claim got devices', claiming, deviceClaimEvent('c', allocated, {}), true],
  [
    'DynamicResources',
    'a claim that is not made yet',
    pod({ spec: { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }] } }),
    deviceClaimEvent('c', {}),
    false,
  ],
])('%s: %s', async (name, _what, waiting, event, expected) => {
  const profile = await TestProfile.create(controller.signal, {}, (api) => {
    api.add(resources.namespaces, { metadata: { name: 'default' } });
    api.add(resources.resourceclaims, { ...deviceClaim('c', {}) });
  });
  expect(pluginsByName(profile.framework).get(name)?.mayHelp?.(event, podInfo(waiting))).toBe(expected);
});
