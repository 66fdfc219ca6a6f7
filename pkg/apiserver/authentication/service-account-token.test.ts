import { createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { ServiceAccount, TokenRequest } from '../../api/generated/types.ts';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createMetrics } from '../../base/metrics.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { type ServiceAccountKeys, serviceAccountKeysFromPEM } from '../../pki/index.ts';
import { FakeReader } from '../authorization/testing/fake-reader.ts';
import type { AuthenticatedUser } from '../contract.ts';
import { signJWT } from './jwt.ts';
import { ServiceAccountTokens } from './service-account-token.ts';
import { TokenIssuer } from './token-issuer.ts';
import { tokenReview } from './token-review.ts';
import { TokenUses } from './token-uses.ts';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const AUDIENCES = [ISSUER];
const key = { namespace: 'ns', name: 'bot' };

function newKeys(type: 'ec' | 'rsa' = 'ec'): ServiceAccountKeys {
  const pair =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return serviceAccountKeysFromPEM(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

const LAST_USED = 'kubernetes.io/legacy-token-last-used';

let clock: FakeClock;
let reader: FakeReader;
let keys: ServiceAccountKeys;
let issuer: TokenIssuer;
let tokens: ServiceAccountTokens;

beforeEach(() => {
  clock = new FakeClock(Date.UTC(2026, 0, 1));
  reader = new FakeReader();
  keys = newKeys();
  const cluster = new FakeCluster({ clock });
  const uses = new TokenUses({ client: cluster.client, clock, logger: silentLogger, metrics: createMetrics() });
  const deps = { keys, reader, clock, uses };
  issuer = new TokenIssuer({ issuer: ISSUER, audiences: AUDIENCES }, deps);
  tokens = new ServiceAccountTokens({ issuers: [ISSUER], audiences: AUDIENCES }, deps);
  reader.put(resources.serviceaccounts, { metadata: { ...key, uid: 'sa-1' } } as never);
  reader.put(resources.nodes, { metadata: { name: 'n1', uid: 'node-1' } } as never);
  reader.put(resources.pods, {
    metadata: { namespace: 'ns', name: 'p', uid: 'pod-1' },
    spec: { serviceAccountName: 'bot', nodeName: 'n1', containers: [] },
  } as never);
});

function request(spec: object = {}): TokenRequest {
  return issuer.request(key, { spec } as unknown as TokenRequest);
}

/** Of a token that needs no write. */
function userOf(token: string, audiences: readonly string[] = []) {
  return (tokens.authenticateToken(token, audiences) as AuthenticatedUser | undefined)?.user;
}

describe('ServiceAccount tokens', () => {
  it('work until they expire, for their account and audience only', async () => {
    const answer = request();
    expect(answer.status.expirationTimestamp).toBe('2026-01-01T01:00:00Z');
    expect(answer.spec).toEqual({ audiences: AUDIENCES, expirationSeconds: 3600, boundObjectRef: null });
    const token = answer.status.token!;
    expect(userOf(token)).toMatchObject({
      username: 'system:serviceaccount:ns:bot',
      uid: 'sa-1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ns'],
    });
    expect(() => userOf(token, ['other'])).toThrow(/is invalid for the target audiences/);
    expect(userOf(request({ audiences: ['other'] }).status.token!, ['other', 'more'])).toBeDefined();
    expect(() => userOf(request({ audiences: ['other'] }).status.token!)).toThrow(
      /is invalid for the target audiences/,
    );
    await clock.advance(3_700_000);
    expect(() => userOf(token)).toThrow(/service account token has expired/);
  });

  it('end with the account, or with the pod they are bound to', () => {
    const plain = request().status.token!;
    const bound = request({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } }).status.token!;
    expect(userOf(bound)?.extra).toMatchObject({
      'authentication.kubernetes.io/pod-name': ['p'],
      'authentication.kubernetes.io/pod-uid': ['pod-1'],
      'authentication.kubernetes.io/node-name': ['n1'],
    });
    reader.put(resources.pods, {
      metadata: { namespace: 'ns', name: 'p', uid: 'pod-2' },
      spec: { containers: [] },
    } as never);
    expect(() => userOf(bound)).toThrow('pod UID (pod-2) does not match service account pod ref claim (pod-1)');
    expect(userOf(plain)).toBeDefined();
    reader.put(resources.serviceaccounts, { metadata: { ...key, uid: 'sa-2' } } as never);
    expect(() => userOf(plain)).toThrow('service account UID (sa-2) does not match claim (sa-1)');
  });

  it('live longer than asked when a pod asks as the admission plugin does', async () => {
    const spec = { expirationSeconds: 3607, boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } };
    const answer = request(spec);
    expect(answer.status.expirationTimestamp).toBe('2026-01-01T01:00:07Z');
    await clock.advance(86_400_000);
    expect(userOf(answer.status.token!)).toBeDefined();
  });

  it('are refused when signed by another key, unsigned or from elsewhere', () => {
    const claims = {
      iss: ISSUER,
      aud: AUDIENCES,
      exp: 9e9,
      'kubernetes.io': { namespace: 'ns', serviceaccount: { name: 'bot', uid: 'sa-1' } },
    };
    expect(userOf(signJWT(keys, claims))).toBeDefined();
    expect(() => userOf(signJWT(newKeys(), claims))).toThrow(/error in cryptographic primitive/);
    const [, payload] = signJWT(keys, claims).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    expect(() => userOf(`${none}.${payload}.AAAA`)).toThrow(/error in cryptographic primitive/);
    const hmac = Buffer.from('{"alg":"HS256"}').toString('base64url');
    expect(() => userOf(`${hmac}.${payload}.AAAA`)).toThrow(/error in cryptographic primitive/);
    expect(userOf(signJWT(keys, { ...claims, iss: 'https://elsewhere' }))).toBeUndefined();
    expect(userOf('utter-garbage')).toBeUndefined();
    expect(userOf('a.b.c')).toBeUndefined();
  });

  it('kept in a Secret work as long as it holds them', () => {
    const account = { metadata: { ...key, uid: 'sa-1' } } as ServiceAccount;
    const token = issuer.legacyToken(account, 'bot-token');
    expect(() => userOf(token)).toThrow('Token has been invalidated');
    const data = { token: Buffer.from(token).toString('base64') };
    const metadata = { namespace: 'ns', name: 'bot-token', uid: 's', labels: { [LAST_USED]: '2026-01-01' } };
    reader.put(resources.secrets, { metadata, data } as never);
    expect(userOf(token)).toMatchObject({ username: 'system:serviceaccount:ns:bot' });
    reader.put(resources.secrets, { metadata, data: {} } as never);
    expect(() => userOf(token)).toThrow("Token does not match server's copy");
  });
});

describe('TokenIssuer', () => {
  it.each([
    [
      { expirationSeconds: 5 },
      'spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
    ],
    [{ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'ghost' } }, 'pods "ghost" not found'],
    [{ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'x' } }, 'does not match the UID in record'],
    [{ boundObjectRef: { kind: 'Service', apiVersion: 'v1', name: 'p' } }, 'cannot bind token to object of type'],
  ])('refuses %j', (spec, message) => {
    expect(() => request(spec)).toThrow(message);
  });

  it('refuses a pod of another account and an account that does not exist', () => {
    reader.put(resources.serviceaccounts, { metadata: { namespace: 'ns', name: 'other', uid: 'o' } } as never);
    const spec = { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } };
    expect(() => issuer.request({ namespace: 'ns', name: 'other' }, { spec } as never)).toThrow(
      /different serviceaccount/,
    );
    expect(() => issuer.request({ namespace: 'ns', name: 'ghost' }, { spec: {} } as never)).toThrow(/not found/);
  });

  it.each(['ec', 'rsa'] as const)('publishes keys with which others can verify (%s)', async (type) => {
    const own = newKeys(type);
    const other = new TokenIssuer({ issuer: ISSUER, audiences: AUDIENCES }, { keys: own, reader, clock });
    const token = other.request(key, { spec: {} } as never).status.token!;
    const jwks = other.jwks() as { keys: (JsonWebKey & { kid: string })[] };
    const { payload } = await jwtVerify(token, createLocalJWKSet(jwks as never), {
      issuer: ISSUER,
      audience: ISSUER,
      currentDate: new Date(clock.now()),
    });
    expect(payload.sub).toBe('system:serviceaccount:ns:bot');
    expect(createPublicKey({ key: jwks.keys[0]!, format: 'jwk' }).asymmetricKeyType).toBe(type);
    expect(other.discovery()).toMatchObject({ issuer: ISSUER, jwks_uri: `${ISSUER}/openid/v1/jwks` });
  });
});

describe('tokenReview', () => {
  const review = (spec: object) => tokenReview({ spec } as never, [tokens], AUDIENCES);

  it('says whose token it is, or that it is not good', async () => {
    const token = request().status.token!;
    expect((await review({ token })).status).toMatchObject({
      authenticated: true,
      audiences: AUDIENCES,
      user: { groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'] },
    });
    const wrong = (await review({ token, audiences: ['other'] })).status;
    expect(wrong.authenticated).toBeUndefined();
    expect(wrong.user).toEqual({});
    expect(wrong.error).toContain('is invalid for the target audiences');
    await expect(review({})).rejects.toThrow('token is required for TokenReview in authentication');
  });
});
