import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { loadOptions, serverConfig, serverOptions, watchFile } from './index.ts';

async function load(flags: Record<string, unknown>): Promise<ReturnType<typeof serverConfig>> {
  const values = await loadOptions({ specs: serverOptions, flags, file: '/nowhere', fileRequired: false });
  return serverConfig(values, 'host');
}

describe('who makes a request and what they may do', () => {
  test('without flags', async () => {
    const { authentication, authorization } = await load({});
    expect(authentication).toEqual({
      anonymous: undefined,
      configFile: undefined,
      oidc: undefined,
      webhook: undefined,
    });
    expect(authorization).toEqual({ configFile: undefined, modes: ['Node', 'RBAC'], webhook: undefined });
  });

  const oidc = { 'oidc-issuer-url': 'https://issuer', 'oidc-client-id': 'kube' };
  test.each([
    [{}, { usernameClaim: 'sub', usernamePrefix: 'https://issuer#', groupsPrefix: '', algorithms: ['RS256'] }],
    [{ 'oidc-username-claim': 'email' }, { usernamePrefix: '' }],
    [{ 'oidc-username-prefix': '-' }, { usernamePrefix: '' }],
    [{ 'oidc-username-prefix': 'o:', 'oidc-username-claim': 'email' }, { usernamePrefix: 'o:' }],
    [
      { 'oidc-required-claim': 'a=b=c,d=' },
      {
        requiredClaims: [
          { claim: 'a', value: 'b=c' },
          { claim: 'd', value: '' },
        ],
      },
    ],
  ])('OpenID Connect %j', async (flags, expected) => {
    expect((await load({ ...oidc, ...flags })).authentication.oidc).toMatchObject(expected);
  });

  test('a webhook in the middle', async () => {
    const flags = { 'authorization-mode': 'Node,Webhook,RBAC', 'authorization-webhook-config-file': '/w' };
    expect((await load(flags)).authorization).toEqual({
      configFile: undefined,
      modes: ['Node', 'Webhook', 'RBAC'],
      webhook: { kubeconfig: '/w', authorizedTTLMs: 300_000, unauthorizedTTLMs: 30_000, version: 'v1beta1' },
    });
  });

  test.each([
    [{ 'oidc-issuer-url': 'https://issuer' }, '--oidc-issuer-url and --oidc-client-id must be specified together'],
    [{ ...oidc, 'oidc-issuer-url': 'http://issuer' }, '--oidc-issuer-url: "http://issuer" is no https URL'],
    [{ ...oidc, 'authentication-config': '/a' }, '--authentication-config and --oidc-issuer-url exclude each other'],
    [{ ...oidc, 'oidc-required-claim': 'x' }, '--oidc-required-claim: "x" is not key=value'],
    [{ 'authorization-mode': 'ABAC' }, '--authorization-mode: ABAC is not supported; use RBAC'],
    [{ 'authorization-mode': 'Rbac' }, '--authorization-mode: "Rbac" is not one of Node, RBAC, Webhook'],
    [{ 'authorization-mode': 'RBAC,RBAC' }, 'a mode is named twice'],
    [{ 'authorization-mode': 'Webhook' }, 'Webhook and --authorization-webhook-config-file need each other'],
    [{ 'authorization-config': '/a', 'authorization-mode': 'RBAC' }, '--authorization-config excludes'],
    [
      { 'authentication-token-webhook-config-file': '/w', 'authentication-token-webhook-version': 'v2' },
      '"v2" is not v1',
    ],
  ])('%j', async (flags, message) => {
    await expect(load(flags)).rejects.toThrow(message);
  });
});

test('a file that is put in the place of another is seen, once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'watch-file-'));
  const file = join(directory, 'config.yaml');
  await writeFile(file, 'old');
  const stop = new AbortController();
  let calls = 0;
  const changed = Promise.withResolvers<void>();
  const watching = watchFile(
    file,
    'old',
    async () => {
      calls++;
      changed.resolve();
    },
    { clock: systemClock },
    stop.signal,
  );
  await writeFile(file, 'old');
  await writeFile(join(directory, 'next'), 'new');
  await rename(join(directory, 'next'), file);
  await changed.promise;
  stop.abort();
  await watching;
  expect(calls).toBe(1);
  await rm(directory, { recursive: true });
});
