import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { ensureLeaf, ensurePKI, FRONT_PROXY_USER, type PKI } from '../../pki/index.ts';
import { newAuthenticator } from './authenticator.ts';
import { ClientCertificates } from './client-certificate.ts';
import { RequestHeaders, type TrustedProxies } from './request-header.ts';

let directory: string;
let pki: PKI;
const clock = new FakeClock(Math.floor(Date.now() / 1000) * 1000);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kube-lite-proxy-'));
  pki = await ensurePKI(directory, {
    clock,
    nodeName: 'n',
    nodeAddresses: [],
    serverNames: [],
    serviceIPs: [],
    clusterDomain: 'cluster.local',
  });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const der = (pem: string): Uint8Array => new X509Certificate(pem).raw;

const HEADERS = {
  usernameHeaders: ['X-Remote-User', 'X-User'],
  uidHeaders: ['X-Remote-Uid'],
  groupHeaders: ['X-Remote-Group', 'X-Group'],
  extraPrefixes: ['X-Remote-Extra-', 'X-More-'],
};

async function user(
  peerCertificate: Uint8Array | undefined,
  rawHeaders: readonly string[],
  proxies: readonly TrustedProxies[] = [
    { caPEM: pki.requestHeaderCA.certificatePEM, allowedNames: [FRONT_PROXY_USER] },
  ],
) {
  const authenticator = newAuthenticator({
    requestHeaders: new RequestHeaders({ proxies, headers: HEADERS }, { clock }),
    certificates: new ClientCertificates(pki.clientCA.certificatePEM, { clock }),
    tokens: [],
    logger: silentLogger,
  });
  const certificate = peerCertificate === undefined ? {} : { peerCertificate };
  const headers = Object.fromEntries(
    rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? '']] : [])),
  );
  return (await authenticator.authenticate({ headers, rawHeaders, path: '/', remoteAddress: '', ...certificate }))
    ?.user;
}

const ALICE = ['X-Remote-User', 'alice'];

test('a proxy names the user with groups, uid and extra values', async () => {
  const headers = [
    ...ALICE,
    'x-remote-uid',
    '42',
    'X-Remote-Group',
    'one, two',
    'X-Remote-Group',
    Buffer.from('grüppe').toString('latin1'),
    'X-Remote-Extra-Example.com%2Fscopes',
    'a',
    'X-Remote-Extra-example.com%2fScopes',
    'b',
  ];
  expect(await user(der(pki.frontProxyClient.certificatePEM), headers)).toEqual({
    username: 'alice',
    uid: '42',
    groups: ['one, two', 'grüppe', 'system:authenticated'],
    extra: { 'example.com/scopes': ['a', 'b'] },
  });
});

test('nobody else does', async () => {
  expect(await user(der(pki.admin.certificatePEM), ALICE)).toMatchObject({ username: 'system:admin' });
  expect(await user(undefined, ALICE)).toBeUndefined();
  const profile = {
    name: 'other',
    commonName: 'other',
    organizations: [],
    usage: 'client',
    alternativeNames: [],
  } as const;
  const other = der((await ensureLeaf(directory, pki.requestHeaderCA, profile, clock)).certificatePEM);
  await expect(user(other, ALICE)).rejects.toMatchObject({ code: 401 });
  await expect(user(der(pki.apiserver.certificatePEM), ALICE)).rejects.toMatchObject({ code: 401 });
});

test('a proxy that names nobody is nobody', async () => {
  await expect(
    user(der(pki.frontProxyClient.certificatePEM), ['X-Remote-Group', 'system:masters']),
  ).rejects.toMatchObject({
    code: 401,
  });
});

test('other headers, in their order', async () => {
  const headers = ['X-Group', 'b', 'X-User', 'second', 'X-Remote-Group', 'a', 'X-More-Scope', '1', 'X-Remote-User', ''];
  expect(await user(der(pki.frontProxyClient.certificatePEM), headers)).toEqual({
    username: 'second',
    groups: ['a', 'b', 'system:authenticated'],
    extra: { scope: ['1'] },
  });
});

test('proxies of other authorities, with any name', async () => {
  const proxies = [
    { caPEM: pki.requestHeaderCA.certificatePEM, allowedNames: [FRONT_PROXY_USER] },
    { caPEM: pki.clientCA.certificatePEM, allowedNames: [] },
  ];
  expect(await user(der(pki.admin.certificatePEM), ALICE, proxies)).toMatchObject({ username: 'alice' });
  expect(await user(der(pki.frontProxyClient.certificatePEM), ALICE, proxies)).toMatchObject({ username: 'alice' });
  const only = [{ caPEM: pki.clientCA.certificatePEM, allowedNames: ['proxy'] }];
  expect(await user(der(pki.admin.certificatePEM), ALICE, only)).toMatchObject({ username: 'system:admin' });
});
