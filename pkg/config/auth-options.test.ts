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

  test('audit as upstream has it, but that nothing waits', async () => {
    const flags = { 'audit-policy-file': '/p', 'audit-log-path': '-', 'audit-webhook-config-file': '/w' };
    const { audit } = await load({ ...flags, 'audit-log-mode': 'blocking-strict', 'audit-log-truncate-enabled': true });
    expect(audit).toMatchObject({
      log: { mode: 'blocking-strict', format: 'json', compress: false, maxEventBytes: 102_400 },
      webhook: { mode: 'batch', throttle: { qps: 10, burst: 15 }, maxBatchBytes: 10_485_760 },
    });
    expect((await load(flags)).audit?.log?.mode).toBe('batch');
    const unlimited = await load({ ...flags, 'audit-webhook-batch-throttle-enable': false });
    expect(unlimited.audit?.webhook).not.toHaveProperty('throttle');
  });

  const audited = { 'audit-policy-file': '/p', 'audit-log-path': '-' };
  test.each([
    [
      { ...audited, 'audit-log-mode': 'never' },
      '--audit-log-mode: "never" is not one of batch, blocking, blocking-strict',
    ],
    [{ ...audited, 'audit-log-format': 'xml' }, '--audit-log-format: "xml" is not one of json, legacy'],
    [{ ...audited, 'audit-webhook-version': 'v0' }, '--audit-webhook-version: "v0" is not one of audit.k8s.io/v1'],
    [
      { ...audited, 'audit-log-batch-throttle-enable': true },
      '--audit-log-batch-throttle-enable: how often a file is written cannot be limited',
    ],
    [{ 'requestheader-allowed-names': 'x' }, '--requestheader-allowed-names: needs --requestheader-client-ca-file'],
    [{ 'requestheader-group-headers': 'X Y' }, '--requestheader-group-headers: "X Y" is no name of a header'],
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
