import { expect, it } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { ensureAuthenticationConfigMap } from './authentication-config-map.ts';

const key = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };

const config = {
  clientCAPEM: 'a',
  requestHeaderCAPEM: 'b',
  allowedNames: ['front-proxy-client'],
  headers: {
    usernameHeaders: ['X-Remote-User', 'X-User'],
    uidHeaders: ['X-Remote-Uid'],
    groupHeaders: ['X-Remote-Group'],
    extraPrefixes: ['X-Remote-Extra-'],
  },
};

it('publishes the CAs, writes only what changed and keeps other keys', async () => {
  const cluster = new FakeCluster();
  await ensureAuthenticationConfigMap({ ...config, clientCAPEM: 'a' }, cluster.client);
  expect(cluster.get(resources.configmaps, key)?.data).toMatchObject({
    'client-ca-file': 'a',
    'requestheader-client-ca-file': 'b',
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-username-headers': '["X-Remote-User","X-User"]',
  });
  cluster.actions.length = 0;
  await ensureAuthenticationConfigMap({ ...config, clientCAPEM: 'a' }, cluster.client);
  expect(cluster.actions).toEqual([]);
  cluster.change(resources.configmaps, key, (map) => {
    map.data = { ...map.data, other: 'x' };
  });
  await ensureAuthenticationConfigMap({ ...config, clientCAPEM: 'c' }, cluster.client);
  expect(cluster.get(resources.configmaps, key)?.data).toMatchObject({ 'client-ca-file': 'c', other: 'x' });
});
