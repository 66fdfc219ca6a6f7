import { expect, test } from 'vitest';
import type { Node, Pod } from '../types.ts';
import { admitPod } from './admission.ts';

function podOf(spec: object, metadata: object = {}): Pod {
  return { metadata: { name: 'p', ...metadata }, spec: { containers: [{ name: 'a' }], ...spec } } as unknown as Pod;
}

function admit(spec: object, all = false): unknown {
  return admitPod({
    pod: podOf(spec),
    node: undefined,
    others: [],
    allocatable: { pods: '10' },
    features: { appArmor: all, supplementalGroupsPolicy: all, recursiveReadOnlyMounts: all },
    allowedUnsafeSysctls: [],
  });
}
const localhost = { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } };

test.each([
  [{}, undefined],
  [{ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, 'SysctlForbidden'],
  [{ containers: [{ name: 'a', ...localhost }] }, 'AppArmor'],
  [localhost, 'AppArmor'],
  [{ securityContext: { appArmorProfile: { type: 'Unconfined' } } }, undefined],
  [{ securityContext: { supplementalGroupsPolicy: 'Strict' } }, 'SupplementalGroupsPolicyNotSupported'],
  [{ securityContext: { supplementalGroupsPolicy: 'Merge' } }, undefined],
])('%j', (spec, reason) => {
  expect(admit(spec)).toEqual(reason === undefined ? undefined : { failure: expect.objectContaining({ reason }) });
});

test('what the node has is not refused', () => {
  expect(admit({ securityContext: { supplementalGroupsPolicy: 'Strict' } }, true)).toBeUndefined();
  expect(admit(localhost, true)).toBeUndefined();
});

const sysctls = { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } };

test('what a critical pod lacks is to be made free, if nothing else is against it', () => {
  const requests = (cpu: string, memory: string): object => ({
    containers: [{ name: 'a', resources: { requests: { cpu, memory } } }],
  });
  const ask = (spec: object, pods: string): unknown =>
    admitPod({
      pod: podOf(spec),
      node: { metadata: { name: 'n' }, spec: {}, status: {} } as unknown as Node,
      others: [podOf(requests('1', '64'))],
      allocatable: { pods, cpu: '2', memory: '100' },
      features: { appArmor: false, supplementalGroupsPolicy: false, recursiveReadOnlyMounts: false },
      allowedUnsafeSysctls: [],
    });
  const critical = { ...requests('1500m', '60'), priority: 2_000_000_000 };
  expect(ask({ ...critical, priority: 1_999_999_999 }, '1')).toEqual({
    failure: {
      reason: 'OutOfpods',
      message: "Node didn't have enough resource: pods, requested: 1, used: 1, capacity: 1",
    },
  });
  expect(ask(critical, '1')).toEqual({
    needs: [
      { resource: 'pods', amount: 1 },
      { resource: 'cpu', amount: 500 },
      { resource: 'memory', amount: 24 },
    ],
  });
  expect(ask({ ...critical, ...requests('1', '1') }, '2')).toBeUndefined();
  expect(ask({ ...critical, nodeSelector: { a: 'b' } }, '1')).toEqual({
    failure: expect.objectContaining({ reason: 'NodeAffinity' }),
  });
});

const port = { containers: [{ name: 'a', ports: [{ containerPort: 80, hostPort: 4000 }] }] };
const units = (amount: string): object => ({
  containers: [{ name: 'a', resources: { requests: { 'example.com/unit': amount } } }],
});

test.each([
  ['sysctls come before all', podOf({ ...sysctls, os: { name: 'windows' } }), 'SysctlForbidden'],
  ['AppArmor comes last', podOf({ ...localhost, nodeSelector: { a: 'c' } }), 'NodeAffinity'],
  ['amounts come before labels', podOf({ ...units('2'), nodeSelector: { a: 'c' } }), 'OutOfexample.com/unit'],
  ['extended resources of the node', podOf(units('1')), undefined],
  ['of nobody here', podOf({ containers: [{ name: 'a', resources: { requests: { 'a.com/b': '1' } } }] }), undefined],
  ['labels', podOf({ nodeSelector: { a: 'c' } }), 'NodeAffinity'],
  ['ports', podOf(port), 'NodePorts'],
  ['taints', podOf({ tolerations: [] }), 'TaintToleration'],
  ['static pods', podOf({ tolerations: [] }, { annotations: { 'kubernetes.io/config.source': 'file' } }), undefined],
  [
    'label of another system',
    podOf({}, { labels: { 'kubernetes.io/os': 'windows' } }),
    'PodOSSelectorNodeLabelDoesNotMatch',
  ],
  ['another system', podOf({ os: { name: 'windows' } }), 'PodOSNotSupported'],
])('the node: %s', (_, pod, reason) => {
  const node = {
    metadata: { name: 'n', labels: { a: 'b' } },
    spec: { taints: [{ key: 'k', effect: 'NoExecute' }] },
    status: { allocatable: { 'example.com/unit': '1' } },
  } as unknown as Node;
  const tolerant = { ...pod, spec: { tolerations: [{ operator: 'Exists' }], ...pod.spec } } as Pod;
  const refusal = admitPod({
    pod: tolerant,
    node,
    others: [podOf(port)],
    allocatable: { pods: '10' },
    features: { appArmor: false, supplementalGroupsPolicy: false, recursiveReadOnlyMounts: false },
    allowedUnsafeSysctls: [],
  });
  expect(refusal).toEqual(reason === undefined ? undefined : { failure: expect.objectContaining({ reason }) });
});
