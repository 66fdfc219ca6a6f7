import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../pkg/base/clock.ts';
import { ensureAuthority } from '../../pkg/pki/authority.ts';
import { ensureLeaf } from '../../pkg/pki/index.ts';
import { call } from './api-call.ts';
import { Cluster, eventually, executable, missingForE2E, runCommand } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

/** An issuer of tokens and the webhooks for tokens and access, on loopback. */
class Peers {
  readonly server: Server;
  readonly asked: string[] = [];
  /** What the webhooks answer, by path; undefined: nothing at all. */
  readonly answers = new Map<string, (spec: Record<string, never>) => unknown>();
  readonly keys: Keys;
  #set: unknown;

  constructor(tls: { cert: string; key: string }, keys: Keys) {
    this.keys = keys;
    this.server = createServer(tls, (request, response) => void this.#serve(request, response));
  }

  get url(): string {
    return `https://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  async open(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.#set = { keys: [{ ...(await exportJWK(this.keys.publicKey)), kid: 'one', use: 'sig' }] };
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  sign(claims: Record<string, unknown>): Promise<string> {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const all = { iss: this.url, aud: 'kube', exp, ...claims };
    return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(this.keys.privateKey);
  }

  /** What the issuers below `/ROGUE` answer when they are asked for their keys. */
  #misbehave(path: string, response: ServerResponse): void {
    switch (path.split('/')[1]) {
      case 'lie':
        return void response.end(JSON.stringify({ issuer: 'https://evil', jwks_uri: `${this.url}/keys` }));
      case 'garbage':
        return void response.end('<html>\u0000');
      case 'flood': {
        const more = (): void => {
          while (!response.destroyed && response.write('['.repeat(65_536)));
        };
        response.on('drain', more);
        more();
      }
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    this.asked.push(path);
    if (path.includes('/.well-known') && !path.startsWith('/.well-known')) return this.#misbehave(path, response);
    if (path === '/keys') return void response.end(JSON.stringify(this.#set));
    if (path.startsWith('/.well-known'))
      return void response.end(JSON.stringify({ issuer: this.url, jwks_uri: `${this.url}/keys` }));
    const review = (await json(request)) as { spec: Record<string, never> };
    const answer = this.answers.get(path)?.(review.spec);
    if (typeof answer === 'string') response.end(answer);
    else if (answer !== undefined) response.end(JSON.stringify({ ...review, status: answer }));
  }
}

/** Issuers that are none, by their path. */
const ROGUES = ['hang', 'lie', 'garbage', 'flood'] as const;

describe.skipIf(missing !== undefined)('who makes a request and what they may do', () => {
  let directory: string;
  let peers: Peers;
  let ca: string;
  let proxy: { cert: string; key: string };
  let stranger: { cert: string; key: string };
  let cluster: Cluster;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kube-lite-auth-'));
    const authority = await ensureAuthority(directory, 'ca', systemClock);
    const names = { commonName: 'x', organizations: [], alternativeNames: ['localhost'] };
    const leaf = await ensureLeaf(directory, authority, { name: 'peers', usage: 'server', ...names }, systemClock);
    ca = authority.certificatePEM;
    peers = new Peers({ cert: leaf.certificatePEM, key: leaf.keyPEM }, await generateKeyPair('ES256'));
    await peers.open();
    await writeFile(join(directory, 'ca.pem'), ca);
    const client = async (commonName: string) => {
      const profile = { name: commonName, usage: 'client', ...names, commonName, alternativeNames: [] } as const;
      const { certificatePEM, keyPEM } = await ensureLeaf(directory, authority, profile, systemClock);
      return { cert: certificatePEM, key: keyPEM };
    };
    [proxy, stranger] = await Promise.all([client('corporate-proxy'), client('stranger')]);
    for (const path of ['/token', '/access']) await writeFile(join(directory, `${path}.yaml`), kubeconfig(path));
    await writeFile(join(directory, 'authn.yaml'), authentication('user.username'));
    await writeFile(join(directory, 'authz.yaml'), authorization(''));
    peers.answers.set('/token', () => ({}));
    peers.answers.set('/access', (spec) => ({ allowed: false, denied: spec['user'] === 'oidc:denied' }));
    cluster = await Cluster.start({
      node: false,
      flags: [
        `--authentication-config=${join(directory, 'authn.yaml')}`,
        `--authorization-config=${join(directory, 'authz.yaml')}`,
        `--authentication-token-webhook-config-file=${join(directory, 'token.yaml')}`,
        '--authentication-token-webhook-version=v1',
        `--requestheader-client-ca-file=${join(directory, 'ca.pem')}`,
        '--requestheader-allowed-names=corporate-proxy',
        '--requestheader-username-headers=X-Remote-User,X-Corp-User',
      ],
    });
    await cluster.ok(['create', 'clusterrolebinding', 'devs', '--clusterrole=view', '--group=oidc:devs']);
  });
  afterAll(() =>
    endAll(
      () => cluster?.remove(),
      () => peers?.close(),
      () => rm(directory, { recursive: true, force: true }),
    ),
  );

  const kubeconfig = (path: string): string =>
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
      clusters: [
        { name: 'k', cluster: { server: peers.url + path, 'certificate-authority': join(directory, 'ca.pem') } },
      ],
      users: [{ name: 'u', user: {} }],
    });

  const authentication = (message: string): string => `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: ${peers.url}
    audiences: [kube]
    certificateAuthority: |
${ca.trim().replace(/^/gm, '      ')}
  claimValidationRules: [{expression: 'claims.sub != "nobody"', message: ${message}}]
  claimMappings:
    username: {expression: '"oidc:" + claims.sub'}
    groups: {claim: groups, prefix: 'oidc:'}
    extra: [{key: example.com/team, valueExpression: claims.?team.orValue("")}]
${ROGUES.map(rogue).join('')}anonymous: {enabled: true, conditions: [{path: /livez}, {path: /readyz}]}
`;

  const rogue = (name: string): string => `- issuer:
    url: ${peers.url}/${name}
    audiences: [kube]
    certificateAuthority: |
${ca.trim().replace(/^/gm, '      ')}
  claimMappings: {username: {claim: sub, prefix: '${name}:'}}
`;

  const authorization = (condition: string): string => `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- type: Webhook
  name: access
  webhook:
    timeout: 10s
    authorizedTTL: 1m
    unauthorizedTTL: 1ms
    subjectAccessReviewVersion: v1
    matchConditionSubjectAccessReviewVersion: v1
    failurePolicy: NoOpinion
    connectionInfo: {type: KubeConfigFile, kubeConfigFile: ${join(directory, 'access.yaml')}}
    matchConditions:
    - expression: has(request.resourceAttributes)
    - expression: request.user.startsWith('oidc:')
${condition}- {type: Node, name: node}
- {type: RBAC, name: rbac}
`;

  const PODS = '/api/v1/namespaces/default/pods';
  const whoami = async (token: string) => {
    const body = JSON.stringify({ kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' });
    const headers = { 'content-type': 'application/json' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const answer = await call(cluster, path, { method: 'POST', token, headers, body });
    return answer.code === 201 ? JSON.parse(answer.body).status.userInfo : answer.code;
  };

  test('an issuer names users by claims and expressions', async () => {
    const token = await peers.sign({ sub: 'ann', groups: ['devs'], team: 'red' });
    expect(await whoami(token)).toEqual({
      username: 'oidc:ann',
      groups: ['oidc:devs', 'system:authenticated'],
      extra: { 'example.com/team': ['red'] },
    });
    expect((await call(cluster, PODS, { token })).code).toBe(200);
    expect((await call(cluster, PODS, { token, method: 'DELETE' })).code).toBe(403);
    expect(await whoami(await peers.sign({ sub: 'nobody' }))).toBe(401);
    expect(await whoami(await peers.sign({ sub: 'ann', aud: 'other' }))).toBe(401);
    expect(await whoami(await peers.sign({ sub: 'ann', exp: 1 }))).toBe(401);
    const kubectl = await cluster.kubectl(['get', 'pods', `--token=${token}`, '-v0']);
    expect(kubectl.code).toBe(0);
  });

  test('a token review knows them too', async () => {
    const token = await peers.sign({ sub: 'ann' });
    const body = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec: { token } };
    const review = JSON.parse(await cluster.ok(['create', '-o', 'json', '-f', '-'], JSON.stringify(body)));
    expect(review.status).toMatchObject({ authenticated: true, user: { username: 'oidc:ann' } });
    const other = { ...body, spec: { token, audiences: ['elsewhere'] } };
    const refused = JSON.parse(await cluster.ok(['create', '-o', 'json', '-f', '-'], JSON.stringify(other)));
    expect(refused.status.authenticated).toBeUndefined();
  });

  test('only some paths are for everybody', async () => {
    expect((await call(cluster, '/livez', { token: '' })).code).toBe(200);
    expect((await call(cluster, '/version', { token: '' })).code).toBe(401);
  });

  test('a front proxy says who makes a request', async () => {
    const headers = { 'x-remote-user': 'zoe', 'x-remote-group': 'oidc:devs', 'x-remote-extra-team': 'blue' };
    const proxied = { certificate: 'front-proxy-client', headers } as const;
    expect((await call(cluster, PODS, proxied)).code).toBe(200);
    const refused = await call(cluster, '/api/v1/nodes?watch=1', proxied);
    expect([refused.code, refused.body]).toEqual([403, expect.stringContaining('User \\"zoe\\" cannot watch')]);
    // Nobody else does.
    expect((await call(cluster, PODS, { token: '', headers })).code).toBe(401);
  });

  test('so does another one, by its own headers, and aggregated servers are told', async () => {
    const headers = { 'x-corp-user': 'bea', 'x-remote-group': 'oidc:devs' };
    expect((await call(cluster, PODS, { certificate: proxy, headers })).code).toBe(200);
    const named = { ...headers, 'impersonate-user': 'x' };
    expect((await call(cluster, PODS, { certificate: proxy, headers: named })).body).toContain('User \\"bea\\"');
    expect((await call(cluster, PODS, { certificate: stranger, headers })).code).toBe(401);
    const { data } = await cluster.get<{ data: Record<string, string> }>(
      '-n',
      'kube-system',
      'configmap',
      'extension-apiserver-authentication',
    );
    expect(data['requestheader-client-ca-file']).toContain(ca.trim());
    expect(JSON.parse(data['requestheader-allowed-names'] ?? '')).toEqual(['front-proxy-client', 'corporate-proxy']);
    expect(JSON.parse(data['requestheader-username-headers'] ?? '')).toEqual(['X-Remote-User', 'X-Corp-User']);
  });

  test('a webhook knows other tokens', async () => {
    const before = peers.asked.length;
    peers.answers.set('/token', (spec) =>
      spec['token'] === 'abc' ? { authenticated: true, user: { username: 'bob', groups: ['oidc:devs'] } } : {},
    );
    expect(await whoami('abc')).toMatchObject({ username: 'bob' });
    expect(await whoami('abc')).toMatchObject({ username: 'bob' });
    expect((await call(cluster, PODS, { token: 'abc' })).code).toBe(200);
    expect(await whoami('abd')).toBe(401);
    expect(peers.asked.slice(before)).toEqual(['/token', '/token']);
  });

  test('a webhook decides before everybody else', async () => {
    const before = peers.asked.length;
    expect((await call(cluster, PODS)).code).toBe(200);
    expect((await call(cluster, '/healthz', { token: await peers.sign({ sub: 'eve' }) })).code).toBe(200);
    // Neither an administrator nor a path is its affair.
    expect(peers.asked.slice(before).filter((path) => path === '/access')).toEqual([]);
    const groups = ['devs'];
    expect((await call(cluster, PODS, { token: await peers.sign({ sub: 'denied', groups }) })).code).toBe(403);
    expect((await call(cluster, PODS, { token: await peers.sign({ sub: 'stranger' }) })).code).toBe(403);
    peers.answers.set('/access', () => ({ allowed: true }));
    expect((await call(cluster, PODS, { token: await peers.sign({ sub: 'welcome' }) })).code).toBe(200);
  });

  test.each(ROGUES)('an issuer that is a %s names nobody and holds up nobody', async (name) => {
    const token = await peers.sign({ iss: `${peers.url}/${name}`, sub: 'root' });
    const ours = await peers.sign({ sub: 'ann', groups: ['devs'] });
    const refused = call(cluster, PODS, { token });
    expect((await call(cluster, PODS, { token: ours })).code).toBe(200);
    expect((await refused).code).toBe(401);
  });

  test('webhooks that hang or lie hold up nobody', async () => {
    peers.answers.set('/access', () => undefined);
    peers.answers.set('/token', () => undefined);
    const token = await peers.sign({ sub: 'late', groups: ['devs'] });
    let isAnswered = false;
    const waiting = call(cluster, PODS, { token }).finally(() => {
      isAnswered = true;
    });
    const lost = Array.from({ length: 50 }, (_, index) =>
      call(cluster, PODS, { token: `lost-${index}` }).catch(() => {}),
    );
    expect((await call(cluster, PODS)).code).toBe(200);
    // The webhook has its whole time yet; the administrator does not wait for that.
    expect(isAnswered).toBe(false);
    expect((await waiting).code).toBe(200);
    const lies = ['<html>', '[]', '{"status":{"allowed":true,"denied":true}}', '{"status":7}', '['.repeat(2 ** 22)];
    for (const [index, answer] of lies.entries()) {
      peers.answers.set('/access', () => answer);
      peers.answers.set('/token', () => answer);
      const liar = await peers.sign({ sub: `liar-${index}`, groups: ['devs'] });
      expect((await call(cluster, PODS, { token: liar })).code, answer.slice(0, 50)).toBe(200);
      expect((await call(cluster, PODS, { token: `liar-${index}` })).code).toBe(401);
    }
    peers.answers.set('/token', () => ({}));
    peers.server.closeAllConnections();
    await Promise.all(lost);
  });

  test('files are read again; a wrong one changes nothing', async () => {
    const token = await peers.sign({ sub: 'ann', groups: ['devs'] });
    expect(await whoami(token)).toMatchObject({ username: 'oidc:ann' });
    peers.answers.set('/access', () => ({ denied: true }));
    const authn = authentication('x').replace('"oidc:" + claims.sub', '"new:" + claims.sub');
    await writeFile(join(directory, 'authn.yaml'), authn);
    await eventually('new names', async () => (await whoami(token)).username === 'new:ann');
    await writeFile(join(directory, 'authn.yaml'), authn.replace('audiences', 'audience'));
    await eventually('a complaint', async () =>
      (await cluster.log()).includes('jwt[0].issuer.audience: unknown field'),
    );
    expect(await whoami(token)).toMatchObject({ username: 'new:ann' });
    await writeFile(join(directory, 'authz.yaml'), authorization("    - expression: request.user != 'oidc:ann'\n"));
    await eventually('new conditions', async () => (await cluster.log()).split('is read again').length > 2);
  });

  test.each([
    [
      'authentication-config',
      'jwt:\n- issuer: {url: http://x}\n',
      /authentication-config\.yaml:4: jwt\[0\]\.issuer\.url: URL scheme must be https/,
    ],
    [
      'authorization-config',
      'authorizers: [{type: RBAC}]\n',
      /authorization-config\.yaml:3: authorizers\[0\]\.name: is required/,
    ],
  ])('a wrong --%s ends the start with file, line and field', async (flag, text, message) => {
    const kind = flag === 'authentication-config' ? 'AuthenticationConfiguration' : 'AuthorizationConfiguration';
    const file = join(directory, `${flag}.yaml`);
    await writeFile(file, `apiVersion: apiserver.config.k8s.io/v1\nkind: ${kind}\n${text}`);
    const dataDir = join(directory, 'wrong');
    await mkdir(dataDir, { recursive: true });
    const result = await runCommand(executable, [
      'server',
      '--data-dir',
      dataDir,
      '--disable',
      'kubelet',
      `--${flag}`,
      file,
    ]);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(message);
  });

  test('tokens in Secrets: their use is noted, that of old ones warned of, and one that is given up is refused', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'kept', annotations: { 'kubernetes.io/service-account.name': 'keeper' } },
      type: 'kubernetes.io/service-account-token',
    };
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'keeper' } };
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [account, secret] }));
    const encoded = await eventually('a token', () =>
      cluster.ok(['get', 'secret', 'kept', '-o', 'jsonpath={.data.token}']),
    );
    const token = Buffer.from(encoded, 'base64').toString();
    const used = (): Promise<Awaited<ReturnType<typeof call>>> => call(cluster, '/version', { token });
    const first = await used();
    expect([first.code, first.headers['warning']]).toEqual([200, undefined]);
    const labels = await cluster.ok(['get', 'secret', 'kept', '-o', 'jsonpath={.metadata.labels}']);
    expect(labels).toMatch(/"kubernetes.io\/legacy-token-last-used":"\d{4}-\d\d-\d\d"/);
    await cluster.apply(JSON.stringify({ ...account, secrets: [{ name: 'kept' }] }));
    expect((await used()).headers['warning']).toMatch(/^299 - "Use tokens from the TokenRequest API/);
    await cluster.ok(['label', 'secret', 'kept', 'kubernetes.io/legacy-token-invalid-since=2026-01-01']);
    expect((await used()).code).toBe(401);
    const map = ['get', 'configmap', '-n', 'kube-system', 'kube-apiserver-legacy-service-account-token-tracking'];
    expect(await cluster.ok([...map, '-o', 'jsonpath={.data.since}'])).toMatch(/^\d{4}-\d\d-\d\d$/);
  });
});

describe.skipIf(missing !== undefined)('the classic flags of an issuer', () => {
  test('name users by a claim', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kube-lite-auth-'));
    const authority = await ensureAuthority(directory, 'ca', systemClock);
    const names = { commonName: 'x', organizations: [], alternativeNames: ['localhost'] };
    const leaf = await ensureLeaf(directory, authority, { name: 'peers', usage: 'server', ...names }, systemClock);
    const peers = new Peers({ cert: leaf.certificatePEM, key: leaf.keyPEM }, await generateKeyPair('ES256'));
    await peers.open();
    await writeFile(join(directory, 'ca.pem'), authority.certificatePEM);
    const flags = [
      `--oidc-issuer-url=${peers.url}`,
      '--oidc-client-id=kube',
      `--oidc-ca-file=${join(directory, 'ca.pem')}`,
      '--oidc-groups-claim=groups',
      '--oidc-signing-algs=ES256',
      '--oidc-required-claim=tenant=a',
      '--anonymous-auth=false',
    ];
    const cluster = await Cluster.start({ node: false, flags });
    try {
      const answer = await call(cluster, '/version', { token: await peers.sign({ sub: 'ann', tenant: 'b' }) });
      expect(answer.code).toBe(401);
      expect((await call(cluster, '/version', { token: '' })).code).toBe(401);
      const denied = await call(cluster, '/api/v1/nodes', {
        token: await peers.sign({ sub: 'ann', tenant: 'a', groups: ['g'] }),
      });
      expect([denied.code, denied.body]).toEqual([
        403,
        expect.stringContaining(`User \\"${peers.url}#ann\\" cannot list`),
      ]);
    } finally {
      await cluster.remove();
      peers.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
