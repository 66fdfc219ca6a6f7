import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { FakeClock, systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/logger.ts';
import { ensureAuthority } from '../../../pki/authority.ts';
import { ensureLeaf } from '../../../pki/index.ts';
import { ConfiguredTokens } from './configured-tokens.ts';
import { type IssuerSettings, SIGNING_ALGORITHMS } from './settings.ts';

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

let directory: string;
let server: Server;
let url: string;
let ca: string;
let answer: (path: string) => unknown;
let asked: string[] = [];
let first: Keys;
let second: Keys;
const clock = new FakeClock();
const made: ConfiguredTokens[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kube-lite-oidc-'));
  const authority = await ensureAuthority(directory, 'ca', systemClock);
  ca = authority.certificatePEM;
  const profile = {
    name: 'issuer',
    commonName: 'x',
    organizations: [],
    usage: 'server',
    alternativeNames: ['localhost'],
  } as const;
  const { certificatePEM, keyPEM } = await ensureLeaf(directory, authority, profile, systemClock);
  server = createServer({ cert: certificatePEM, key: keyPEM }, (request, response) => {
    asked.push(request.url ?? '');
    const body = answer(request.url ?? '');
    if (body !== undefined) response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `https://localhost:${(server.address() as AddressInfo).port}`;
  [first, second] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('ES256')]);
});
afterEach(() => {
  for (const tokens of made.splice(0)) tokens.configure([]);
  asked = [];
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true, force: true });
});

async function serve(...keys: (readonly [string, Keys])[]): Promise<void> {
  const set = await Promise.all(keys.map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid })));
  answer = (path) =>
    path === '/keys'
      ? { keys: set }
      : path.startsWith('/.well-known/')
        ? { issuer: url, jwks_uri: `${url}/keys` }
        : undefined;
}

function tokensOf(change: Partial<IssuerSettings> = {}): ConfiguredTokens {
  const tokens = new ConfiguredTokens({ clock, logger: silentLogger });
  tokens.configure([settings(change)]);
  made.push(tokens);
  return tokens;
}

function settings(change: Partial<IssuerSettings> = {}): IssuerSettings {
  return {
    url,
    discoveryURL: undefined,
    certificateAuthority: ca,
    audiences: ['kube'],
    algorithms: SIGNING_ALGORITHMS,
    claimRules: [],
    username: { claim: 'sub', prefix: 'o:' },
    groups: undefined,
    uid: undefined,
    extra: [],
    userRules: [],
    ...change,
  };
}

function sign(claims: Record<string, unknown> = {}, keys = first, kid = 'one', alg = 'RS256'): Promise<string> {
  const now = Math.floor(clock.now() / 1000);
  const all = { iss: url, aud: 'kube', sub: 'ann', exp: now + 60, ...claims };
  return new SignJWT(all).setProtectedHeader({ alg, kid }).sign(keys.privateKey);
}

test('a token of the issuer names its user, checked once', async () => {
  await serve(['one', first]);
  const tokens = tokensOf();
  const token = await sign();
  expect(await tokens.authenticateToken(token)).toEqual({ user: { username: 'o:ann', groups: [] } });
  expect(await tokens.authenticateToken(token)).toEqual({ user: { username: 'o:ann', groups: [] } });
  expect(asked).toEqual(['/.well-known/openid-configuration', '/keys']);
  await clock.advance(61_000);
  await expect(tokens.authenticateToken(token)).rejects.toThrow('the token has expired');
});

test('tokens of others are not looked at', async () => {
  await serve(['one', first]);
  const tokens = tokensOf();
  expect(await tokens.authenticateToken(await sign({ iss: 'https://elsewhere' }))).toBeUndefined();
  expect(await tokens.authenticateToken('no.token')).toBeUndefined();
  expect(asked).toEqual([]);
});

test('new keys are fetched when a token needs them, but not all the time', async () => {
  await serve(['one', first]);
  const tokens = tokensOf();
  await tokens.authenticateToken(await sign());
  const later = await sign({}, second, 'two', 'ES256');
  await serve(['one', first], ['two', second]);
  await expect(tokens.authenticateToken(later)).rejects.toThrow();
  expect(asked).toHaveLength(2);
  await clock.advance(10_000);
  expect((await tokens.authenticateToken(later))?.user.username).toBe('o:ann');
  expect(asked).toHaveLength(4);
});

test('tokens that are wrong', async () => {
  await serve(['one', first]);
  const tokens = tokensOf({ algorithms: ['RS256'] });
  const now = Math.floor(clock.now() / 1000);
  const wrong = async (token: string) => tokens.authenticateToken(token).then(() => '', String);
  expect(await wrong(await sign({ aud: ['other'] }))).toContain('expected audience in ["kube"] got ["other"]');
  expect(await wrong(await sign({ exp: undefined }))).toContain('no expiry');
  expect(await wrong(await sign({ exp: now }))).toContain('has expired');
  expect(await wrong(await sign({ nbf: now + 1000 }))).toContain('not yet valid');
  expect(await wrong(await sign({}, second, 'one', 'ES256'))).toContain('"alg"');
  const [head = '', , signature = ''] = (await sign()).split('.');
  const forged = Buffer.from(JSON.stringify({ iss: url, aud: 'kube', sub: 'root', exp: now + 60 })).toString(
    'base64url',
  );
  expect(await wrong(`${head}.${forged}.${signature}`)).toContain('signature verification failed');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  expect(await wrong(`${none}.${forged}.`)).toContain('"alg"');
});

test.each([
  ['garbage', () => '<html>', 'the keys of the issuer cannot be had'],
  ['another issuer', () => ({ issuer: 'https://evil', jwks_uri: `${url}/keys` }), 'of another issuer'],
  ['no keys', (path: string) => (path === '/keys' ? [] : { issuer: url, jwks_uri: `${url}/keys` }), 'no keys'],
  ['a flood', () => `"${'x'.repeat(2_000_000)}"`, 'more than 1048576 bytes'],
])('an issuer that answers with %s', async (_name, behave, message) => {
  answer = behave;
  await expect(tokensOf().authenticateToken(await sign())).rejects.toThrow(message);
});

test('an issuer that hangs holds up its own tokens for a while only', async () => {
  const reached = Promise.withResolvers<void>();
  answer = () => {
    reached.resolve();
    return undefined;
  };
  const tokens = tokensOf();
  const token = await sign({ exp: Math.floor(clock.now() / 1000) + 3600 });
  const waiting = expect(tokens.authenticateToken(token)).rejects.toThrow('the issuer does not answer');
  await reached.promise;
  await clock.advance(5000);
  await waiting;
  await expect(tokens.authenticateToken(token)).rejects.toThrow('the issuer does not answer');
  expect(asked).toHaveLength(1);
});

test('another configuration keeps the keys of issuers that stay', async () => {
  await serve(['one', first]);
  const tokens = tokensOf();
  await tokens.authenticateToken(await sign());
  tokens.configure([settings({ username: { claim: 'sub', prefix: 'new:' } })]);
  expect((await tokens.authenticateToken(await sign()))?.user.username).toBe('new:ann');
  expect(asked).toHaveLength(2);
  tokens.configure([]);
  expect(await tokens.authenticateToken(await sign())).toBeUndefined();
});
