import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { ensureLeaf, ensurePKI, type LeafProfile, type PKI } from '../../pki/index.ts';
import { AnonymousAuthenticator } from './anonymous.ts';
import { newAuthenticator } from './authenticator.ts';
import { ClientCertificates } from './client-certificate.ts';
import { StaticTokens } from './static-token.ts';

const DAY_MS = 86_400_000;
let directory: string;
let pki: PKI;
const clock = new FakeClock(Math.floor(Date.now() / 1000) * 1000);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kube-lite-authn-'));
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

async function certificate(
  commonName: string,
  organizations: readonly string[],
  usage: LeafProfile['usage'] = 'client',
): Promise<Uint8Array> {
  const name = `test-${Math.random()}`;
  const profile = { name, commonName, organizations, usage, alternativeNames: [] };
  return new X509Certificate((await ensureLeaf(directory, pki.clientCA, profile, clock)).certificatePEM).raw;
}

/** Signed by itself: CN=ann, O=devs, 1.3.6.1.4.1.57683.2=uid-7; good for a hundred years. */
const WITH_UID = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUKgAwIBAgIUT0pwpzmVZEMQCTYrOTbROhgB5ikwCgYIKoZIzj0EAwIw
MzEMMAoGA1UEAwwDYW5uMQ0wCwYDVQQKDARkZXZzMRQwEgYJKwYBBAGDwlMCDAV1
aWQtNzAgFw0yNjExMjYxMTQ0MzJaGA8yMTI2MTEwMjExNDQzMlowMzEMMAoGA1UE
AwwDYW5uMQ0wCwYDVQQKDARkZXZzMRQwEgYJKwYBBAGDwlMCDAV1aWQtNzBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABDLKj5Dlaq/knii8iahc5ITS4th8Yy29jwk7
cpHbtyhC1chGNzv8Zyoz69S5evZt1OANWLDdHdtP0iU/Cgoxrv+jMjAwMA8GA1Ud
EwEB/wQFMAMBAf8wHQYDVR0OBBYEFDoba75s7khECXGOi0bB0IL+40rkMAoGCCqG
SM49BAMCA0cAMEQCIDdRF2bC9s+EeZ/3lcIZE27ggleTeORklW+AvY6MCl6jAiBJ
TDSXd05/d12Mja9ZIZW9BZ9i2coPXj+SO4wPDmhvCw==
-----END CERTIFICATE-----
`;

describe('ClientCertificates', () => {
  it("takes the uid from Kubernetes' own attribute", () => {
    const later = new FakeClock(Date.now() + DAY_MS);
    const { user } = new ClientCertificates(WITH_UID, { clock: later }).verify(new X509Certificate(WITH_UID).raw);
    expect(user).toMatchObject({ username: 'ann', uid: 'uid-7', groups: ['devs', 'system:authenticated'] });
  });

  it('takes user and groups from the subject exactly as they are encoded', async () => {
    const verifier = new ClientCertificates(pki.clientCA.certificatePEM, { clock });
    for (const group of ['a"system:masters"', 'x\nO=system:masters', 'x,O=system:masters', 'x+O=system:masters']) {
      const { user } = verifier.verify(await certificate('eve', [group, 'plain']));
      expect(user.username).toBe('eve');
      expect(user.groups).toEqual([group, 'plain', 'system:authenticated']);
    }
  });

  it('refuses certificates of other authorities, for servers, without a name or out of date', async () => {
    const verifier = new ClientCertificates(pki.clientCA.certificatePEM, { clock });
    const raw = (pem: string): Uint8Array => new X509Certificate(pem).raw;
    expect(() => verifier.verify(raw(pki.apiserver.certificatePEM))).toThrow(/unknown authority/);
    expect(() => verifier.verify(raw(pki.frontProxyClient.certificatePEM))).toThrow(/unknown authority/);
    const forServers = await certificate('x', [], 'server');
    expect(() => verifier.verify(forServers)).toThrow(/not for client/);
    const nameless = await certificate('', ['system:masters']);
    expect(() => verifier.verify(nameless)).toThrow(/no common name/);
    const admin = raw(pki.admin.certificatePEM);
    expect(verifier.verify(admin).user).toMatchObject({ username: 'system:admin' });
    const later = new FakeClock(clock.now() + 366 * DAY_MS);
    expect(() => new ClientCertificates(pki.clientCA.certificatePEM, { clock: later }).verify(admin)).toThrow(
      /expired/,
    );
    const earlier = new FakeClock(clock.now() - DAY_MS);
    expect(() => new ClientCertificates(pki.clientCA.certificatePEM, { clock: earlier }).verify(admin)).toThrow(
      /not yet/,
    );
  });
});

describe('newAuthenticator', () => {
  const tokens = [new StaticTokens([['secret', { username: 'static', groups: ['g'] }]])];
  const authenticator = () =>
    newAuthenticator({
      certificates: new ClientCertificates(pki.clientCA.certificatePEM, { clock }),
      tokens,
      anonymous: new AnonymousAuthenticator(),
      logger: silentLogger,
    });
  const credentials = (authorization?: string, peerCertificate?: Uint8Array) => ({
    headers: authorization === undefined ? {} : { authorization },
    rawHeaders: [],
    path: '/',
    ...(peerCertificate === undefined ? {} : { peerCertificate }),
    remoteAddress: '',
  });

  it('prefers the certificate, falls back to the token, then to anonymous', async () => {
    const admin = new X509Certificate(pki.admin.certificatePEM).raw;
    const foreign = new X509Certificate(pki.apiserver.certificatePEM).raw;
    const known = async (...args: Parameters<typeof credentials>) =>
      (await authenticator().authenticate(credentials(...args)))?.user;
    expect(await known('Bearer secret', admin)).toMatchObject({ username: 'system:admin' });
    expect(await known('Bearer secret', foreign)).toMatchObject({ username: 'static' });
    expect(await known('bearer secret')).toEqual({ username: 'static', groups: ['g', 'system:authenticated'] });
    expect(await known()).toEqual({ username: 'system:anonymous', groups: ['system:unauthenticated'] });
    expect(await known('Basic eDp5')).toMatchObject({ username: 'system:anonymous' });
  });

  it('refuses wrong credentials instead of making them anonymous', async () => {
    const foreign = new X509Certificate(pki.apiserver.certificatePEM).raw;
    await expect(authenticator().authenticate(credentials('Bearer wrong'))).rejects.toMatchObject({ code: 401 });
    await expect(authenticator().authenticate(credentials(undefined, foreign))).rejects.toMatchObject({ code: 401 });
  });

  it('reads a token from a WebSocket subprotocol', async () => {
    const protocol = `base64url.bearer.authorization.k8s.io.${Buffer.from('secret').toString('base64url')}`;
    const headers = { 'sec-websocket-protocol': `${protocol}, v4.channel.k8s.io` };
    const known = await authenticator().authenticate({ headers, rawHeaders: [], path: '/', remoteAddress: '' });
    expect(known?.user.username).toBe('static');
  });
});
