import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { startControllers } from '../testing.ts';
import { detachedSignature, newBootstrapSigner } from './bootstrap-signer.ts';

const info = { namespace: 'kube-public', name: 'cluster-info' };

function token(id: string, usage: string, extra: object = {}) {
  const data = { 'token-id': id, 'token-secret': 'tokensecret00000', 'usage-bootstrap-signing': usage, ...extra };
  const encoded = Object.entries(data).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  return {
    metadata: { namespace: 'kube-system', name: `bootstrap-token-${id}` },
    type: 'bootstrap.kubernetes.io/token',
    data: Object.fromEntries(encoded),
  };
}

test('a signature has the form that kubeadm checks', () => {
  const [header = '', payload, signature = ''] = detachedSignature('x', { id: 'abcdef', secret: 's' }).split('.');
  expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'HS256', kid: 'abcdef' });
  expect(payload).toBe('');
  expect(Buffer.from(signature, 'base64url')).toHaveLength(32);
});

test('every token that may sign does, and only while it is there', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newBootstrapSigner(deps)]);
  cluster.add(resources.secrets, token('aaaaaa', 'true'));
  cluster.add(resources.secrets, token('bbbbbb', 'false'));
  cluster.add(resources.secrets, token('cccccc', 'true', { 'token-id': 'other0' }));
  await clock.advance(10);
  expect(cluster.actions).toEqual([]);
  cluster.add(resources.configmaps, { metadata: info, data: { kubeconfig: 'k', 'jws-kubeconfig-gone00': 'x' } });
  await clock.advance(10);
  const names = () => Object.keys(cluster.get(resources.configmaps, info)?.data ?? {});
  expect(names()).toEqual(['kubeconfig', 'jws-kubeconfig-aaaaaa']);
  const before = cluster.get(resources.configmaps, info)?.data?.['jws-kubeconfig-aaaaaa'];
  cluster.change(resources.configmaps, info, (map) => {
    map.data = { ...map.data, kubeconfig: 'another' };
  });
  await clock.advance(10);
  expect(cluster.get(resources.configmaps, info)?.data?.['jws-kubeconfig-aaaaaa']).not.toBe(before);
  cluster.remove(resources.secrets, { namespace: 'kube-system', name: 'bootstrap-token-aaaaaa' });
  await clock.advance(10);
  expect(names()).toEqual(['kubeconfig']);
  await stop();
});
