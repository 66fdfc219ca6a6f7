import { beforeEach, describe, expect, it } from 'vitest';
import type { TestRequest } from './testing/admission-request.ts';
import { AdmissionHarness, type ResourceName, typeOf } from './testing/harness.ts';

let harness: AdmissionHarness;
beforeEach(() => {
  harness = new AdmissionHarness();
});

describe('NodeRestriction', () => {
  const user = { username: 'system:node:n1', groups: ['system:nodes'] };
  const ours = { metadata: { name: 'p', uid: 'u1' }, spec: { nodeName: 'n1', containers: [] } };
  const theirs = { metadata: { name: 'p', uid: 'u1' }, spec: { nodeName: 'n2', containers: [] } };
  const mirror = (metadata: object = {}, spec: object = {}): object => ({
    metadata: {
      annotations: { 'kubernetes.io/config.mirror': 'x' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u', controller: true }],
      ...metadata,
    },
    spec: { nodeName: 'n1', containers: [], ...spec },
  });
  const token = (spec: object): object => ({ spec });
  const bound = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'u1' };

  it.each<[string, ResourceName, object | undefined, Partial<TestRequest>]>([
    ['its mirror pod', 'pods', mirror(), {}],
    ['its pod status', 'pods', ours, { oldObject: ours, subresource: 'status' }],
    ['its node', 'nodes', { metadata: { labels: { 'kubernetes.io/hostname': 'n1', a: 'b' } } }, { name: 'n1' }],
    ['its node again', 'nodes', {}, { name: 'n1', oldObject: {} }],
    ['a token of its pod', 'serviceaccounts', token({ boundObjectRef: bound }), { subresource: 'token' }],
    ['its lease', 'leases', {}, { name: 'n1', namespace: 'kube-node-lease' }],
  ])('lets a node write %s', async (_, type, object, more) => {
    harness.put('namespaces', { metadata: { name: 'kube-node-lease' } });
    harness.reader.put(typeOf('pods'), { ...ours, metadata: { ...ours.metadata, namespace: 'ns' } });
    await harness.run(type, object, { user, ...more });
  });

  it.each<[string, ResourceName, object | undefined, Partial<TestRequest>]>([
    ['node "n1" can only create mirror pods', 'pods', ours, {}],
    ['can only create pods with spec.nodeName set to itself', 'pods', mirror({}, { nodeName: 'n2' }), {}],
    ['with an owner reference set to itself', 'pods', mirror({ ownerReferences: [] }), {}],
    ['a mirror pod may not reference service accounts', 'pods', mirror({}, { serviceAccountName: 'x' }), {}],
    [
      'can not create pods that reference configmaps',
      'pods',
      mirror({}, { volumes: [{ name: 'v', configMap: { name: 'c' } }] }),
      {},
    ],
    ['can only update pod status for pods', 'pods', theirs, { oldObject: theirs, subresource: 'status' }],
    [
      'cannot update labels through pod status',
      'pods',
      { ...ours, metadata: { labels: { a: 'b' } } },
      { oldObject: ours, subresource: 'status' },
    ],
    ['can only delete pods', 'pods', undefined, { operation: 'DELETE', name: 'p' }],
    ['is not allowed to modify node "n2"', 'nodes', {}, { name: 'n2', oldObject: {} }],
    ['is not allowed to modify taints', 'nodes', {}, { name: 'n1', oldObject: { spec: { taints: [{ key: 'a' }] } } }],
    [
      'is not allowed to modify labels: node-restriction.kubernetes.io/a, node-role.kubernetes.io/master',
      'nodes',
      {
        metadata: { labels: { 'node-restriction.kubernetes.io/a': '', 'node-role.kubernetes.io/master': '', own: '' } },
      },
      { name: 'n1', oldObject: {} },
    ],
    ['node requested token not bound to a pod', 'serviceaccounts', token({}), { subresource: 'token' }],
    ['different node', 'serviceaccounts', token({ boundObjectRef: bound }), { subresource: 'token' }],
    ['same name as the requesting node', 'leases', {}, { name: 'n2', namespace: 'kube-node-lease' }],
    ['can only access leases in', 'leases', {}, { name: 'n1' }],
  ])('refuses with "%s"', async (message, type, object, more) => {
    harness.put('namespaces', { metadata: { name: 'kube-node-lease' } });
    harness.reader.put(typeOf('pods'), { ...theirs, metadata: { ...theirs.metadata, namespace: 'ns' } });
    await expect(harness.run(type, object, { user, ...more })).rejects.toThrow(message);
  });
});
