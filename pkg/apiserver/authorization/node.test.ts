import { beforeEach, describe, expect, it } from 'vitest';
import { parseFieldSelector } from '../../api/field-selector.ts';
import { resources } from '../../api/generated/resources.ts';
import type { UserInfo } from '../../api/user.ts';
import { NodeAuthorizer } from './node.ts';
import { NodeReferences } from './node-references.ts';
import { FakeReader } from './testing/fake-reader.ts';

const kubelet: UserInfo = { username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };
let reader: FakeReader;
let authorizer: NodeAuthorizer;

beforeEach(() => {
  reader = new FakeReader();
  const { references } = NodeReferences.watch(reader);
  authorizer = new NodeAuthorizer({ references, reader });
  reader.put(resources.persistentvolumes, {
    metadata: { name: 'pv' },
    spec: {
      claimRef: { namespace: 'ns', name: 'claim' },
      csi: { nodeStageSecretRef: { namespace: 'csi', name: 'stage' } },
    },
  } as never);
  reader.put(resources.persistentvolumeclaims, {
    metadata: { namespace: 'ns', name: 'claim' },
    spec: { volumeName: 'pv' },
  } as never);
  place('p', 'n1');
});

function place(name: string, nodeName: string | undefined): void {
  reader.put(resources.pods, {
    metadata: { namespace: 'ns', name },
    spec: {
      nodeName,
      serviceAccountName: 'bot',
      imagePullSecrets: [{ name: 'pull' }],
      containers: [{ name: 'c', env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }] }],
      volumes: [
        { name: 'a', configMap: { name: 'config' } },
        { name: 'b', projected: { sources: [{ secret: { name: 'projected' } }, { configMap: { name: 'root-ca' } }] } },
        { name: 'c', persistentVolumeClaim: { claimName: 'claim' } },
      ],
    },
  } as never);
}

function allowed(text: string, namespace = '', user = kubelet): boolean {
  const [verb = '', target = '', what = ''] = text.split(' ');
  const name = what.startsWith('?') ? '' : what;
  const selector = what.startsWith('?') ? { fieldSelector: parseFieldSelector(what.slice(1)) } : {};
  const [full = '', subresource = ''] = target.split('/');
  const [resource = '', ...group] = full.split('.');
  const request = { isResourceRequest: true, path: '', version: 'v1', subpath: '' };
  return (
    authorizer.authorize({
      ...request,
      ...selector,
      user,
      verb,
      group: group.join('.'),
      resource,
      subresource,
      namespace,
      name,
    }).decision === 'allow'
  );
}

describe('NodeAuthorizer', () => {
  it.each([
    ['get secrets pull', 'ns'],
    ['get secrets env', 'ns'],
    ['watch secrets projected', 'ns'],
    ['get secrets stage', 'csi'],
    ['get configmaps config', 'ns'],
    ['list configmaps root-ca', 'ns'],
    ['get persistentvolumeclaims claim', 'ns'],
    ['get persistentvolumes pv', ''],
    ['create serviceaccounts/token bot', 'ns'],
    ['list pods ?spec.nodeName=n1', ''],
    ['watch pods ?spec.nodeName=n1', 'ns'],
    ['get pods p', 'ns'],
    ['watch pods p', 'ns'],
    ['delete pods p', 'ns'],
    ['patch pods/status p', 'ns'],
    ['create pods/eviction p', 'ns'],
    ['get nodes n1', ''],
    ['watch nodes n1', ''],
    ['list resourceslices.resource.k8s.io ?spec.nodeName=n1', ''],
    ['create resourceslices.resource.k8s.io', ''],
    ['update persistentvolumeclaims/status claim', 'ns'],
    ['get serviceaccounts bot', 'ns'],
    ['create nodes', ''],
    ['patch nodes/status n1', ''],
    ['update leases.coordination.k8s.io n1', 'kube-node-lease'],
    ['create leases.coordination.k8s.io', 'kube-node-lease'],
    ['create events.events.k8s.io', 'ns'],
    ['list services', ''],
    ['get runtimeclasses.node.k8s.io x', ''],
    ['create csinodes.storage.k8s.io', ''],
    ['create subjectaccessreviews.authorization.k8s.io', ''],
    ['create tokenreviews.authentication.k8s.io', ''],
  ])('allows %s in "%s"', (text, namespace) => expect(allowed(text, namespace)).toBe(true));

  it.each([
    ['get secrets pull', 'other'],
    ['get secrets other', 'ns'],
    ['list secrets', 'ns'],
    ['update secrets pull', 'ns'],
    ['list secrets', ''],
    ['get persistentvolumes other', ''],
    ['create serviceaccounts/token other', 'ns'],
    ['delete nodes n1', ''],
    ['update leases.coordination.k8s.io n2', 'kube-node-lease'],
    ['update leases.coordination.k8s.io n1', 'kube-system'],
    ['list pods', ''],
    ['list pods ?spec.nodeName=n2', ''],
    ['list pods ?spec.nodeName!=n1', ''],
    ['get pods other', 'ns'],
    ['update pods p', 'ns'],
    ['get pods/log p', 'ns'],
    ['list nodes', ''],
    ['get nodes n2', ''],
    ['get nodes/proxy n1', ''],
    ['list resourceslices.resource.k8s.io', ''],
    ['get persistentvolumeclaims/status claim', 'ns'],
    ['list deployments.apps', ''],
    ['create pods/exec p', 'ns'],
  ])('refuses %s in "%s"', (text, namespace) => expect(allowed(text, namespace)).toBe(false));

  it('lets nodes read the certificates of the Ingresses that they serve', () => {
    const ingress = (name: string, spec: object) =>
      reader.put(resources.ingresses, { metadata: { namespace: 'ns', name }, spec } as never);
    ingress('ours', { tls: [{ secretName: 'cert' }] });
    const users = {
      'nginx.ingress.kubernetes.io/auth-type': 'basic',
      'nginx.ingress.kubernetes.io/auth-secret': 'users',
    };
    reader.put(resources.ingresses, {
      metadata: { namespace: 'ns', name: 'named', annotations: users },
      spec: {},
    } as never);
    expect(allowed('get secrets users', 'ns')).toBe(true);
    ingress('theirs', { ingressClassName: 'other', tls: [{ secretName: 'other-cert' }] });
    expect(allowed('get secrets cert', 'ns')).toBe(true);
    expect(allowed('watch secrets cert', 'ns')).toBe(true);
    expect(allowed('get secrets cert', 'elsewhere')).toBe(false);
    expect(allowed('get secrets other-cert', 'ns')).toBe(false);
    expect(allowed('delete secrets cert', 'ns')).toBe(false);
  });

  it('is only about nodes', () => {
    expect(allowed('get secrets pull', 'ns', { username: 'system:node:n1', groups: [] })).toBe(false);
    expect(allowed('get secrets pull', 'ns', { username: 'bob', groups: ['system:nodes'] })).toBe(false);
    expect(allowed('get secrets pull', 'ns', { ...kubelet, username: 'system:node:n2' })).toBe(false);
  });

  it('follows pods', () => {
    place('q', 'n1');
    reader.remove(resources.pods, { namespace: 'ns', name: 'p' });
    expect(allowed('get secrets pull', 'ns')).toBe(true);
    reader.remove(resources.pods, { namespace: 'ns', name: 'q' });
    expect(allowed('get secrets pull', 'ns')).toBe(false);
    place('r', undefined);
    expect(allowed('get secrets pull', 'ns')).toBe(false);
    place('r', 'n1');
    expect(allowed('get secrets pull', 'ns')).toBe(true);
  });
});
