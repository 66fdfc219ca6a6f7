import { expect, it } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { ensureAuthenticationConfigMap } from './authentication-config-map.ts';

const key = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };

it('publishes the CAs, writes only what changed and keeps other keys', async () => {
  const cluster = new FakeCluster();
  await ensureAuthenticationConfigMap({ clientCAPEM: 'a', requestHeaderCAPEM: 'b' }, cluster.client);
  expect(cluster.get(resources.configmaps, key)?.data).toMatchObject({
    'client-ca-file': 'a',
    'requestheader-client-ca-file': 'b',
    'requestheader-allowed-names': '["front-proxy-client"]',
  });
  cluster.actions.length = 0;
  await ensureAuthenticationConfigMap({ clientCAPEM: 'a', requestHeaderCAPEM: 'b' }, cluster.client);
  expect(cluster.actions).toEqual([]);
  cluster.change(resources.configmaps, key, (map) => {
    map.data = { ...map.data, other: 'x' };
  });
  await ensureAuthenticationConfigMap({ clientCAPEM: 'c', requestHeaderCAPEM: 'b' }, cluster.client);
  expect(cluster.get(resources.configmaps, key)?.data).toMatchObject({ 'client-ca-file': 'c', other: 'x' });
});
