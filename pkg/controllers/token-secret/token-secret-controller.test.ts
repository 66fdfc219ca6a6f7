import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { startControllers } from '../testing.ts';
import { newTokenSecretController } from './token-secret-controller.ts';

test('token Secrets are filled, and go with their ServiceAccount', async () => {
  const legacyTokens = {
    legacyToken: ({ metadata }: { metadata: { name: string } }, secret: string) => `${metadata.name}/${secret}`,
  };
  const { cluster, clock, stop } = startControllers((deps) => [
    newTokenSecretController({ ...deps, legacyTokens, rootCA: 'PEM' }),
  ]);
  const secret = (name: string, account: string, type = 'kubernetes.io/service-account-token') =>
    cluster.add(resources.secrets, {
      metadata: { namespace: 'n', name, annotations: { 'kubernetes.io/service-account.name': account } },
      type,
    });
  cluster.add(resources.serviceaccounts, { metadata: { namespace: 'n', name: 'bot', uid: 'u' } });
  secret('t', 'bot');
  secret('lost', 'nobody');
  secret('opaque', 'nobody', 'Opaque');
  await clock.advance(10);
  expect(cluster.get(resources.secrets, { namespace: 'n', name: 't' })).toMatchObject({
    metadata: { annotations: { 'kubernetes.io/service-account.uid': 'u' } },
    data: { 'ca.crt': btoa('PEM'), namespace: btoa('n'), token: btoa('bot/t') },
  });
  const names = () => cluster.list(resources.secrets).map(({ metadata }) => metadata.name);
  expect(names()).toEqual(['opaque', 't']);
  cluster.remove(resources.serviceaccounts, { namespace: 'n', name: 'bot' });
  await clock.advance(10);
  expect(names()).toEqual(['opaque']);
  await stop();
});
