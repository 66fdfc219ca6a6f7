import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../pkg/base/clock.ts';
import { ensureAuthority } from '../../pkg/pki/authority.ts';
import { ensureLeaf } from '../../pkg/pki/index.ts';
import { buildNodeImage } from '../images/node-image.ts';
import { call, echo } from './api-call.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const scripts = join(import.meta.dirname, 'aggregated');
const ROOT = '/apis/wardle.example.com/v1alpha1';

interface Tls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** A certificate for the Services of the test, and for loopback. */
async function newTLS(directory: string): Promise<Tls> {
  await mkdir(directory, { recursive: true });
  const authority = await ensureAuthority(directory, 'ca', systemClock);
  const alternativeNames = ['api.wardle.svc', 'echo.wardle.svc', 'bad.wardle.svc', 'localhost'];
  const profile = { name: 'leaf', commonName: 'sample', organizations: [], usage: 'server', alternativeNames } as const;
  const { certificatePEM, keyPEM } = await ensureLeaf(directory, authority, profile, systemClock);
  return { cert: certificatePEM, key: keyPEM, ca: authority.certificatePEM };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const pod = (name: string, script: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: wardle, labels: {app: ${name}}}
spec:
  serviceAccountName: sample
  terminationGracePeriodSeconds: 1
  volumes: [{name: tls, secret: {secretName: tls}}]
  containers:
  - name: main
    image: sample:test
    args: [/app/${script}]
    env: [{name: TLS_CERT, value: /tls/tls.crt}, {name: TLS_KEY, value: /tls/tls.key}]
    volumeMounts: [{name: tls, mountPath: /tls}]
    readinessProbe: {tcpSocket: {port: ${name === 'api' ? 8443 : 443}}, periodSeconds: 1}
`;

const setUp = ({ cert, key }: Tls): string => `
apiVersion: v1
kind: Namespace
metadata: {name: wardle}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: sample, namespace: wardle}
---
apiVersion: v1
kind: Secret
metadata: {name: tls, namespace: wardle}
data: {tls.crt: ${base64(cert)}, tls.key: ${base64(key)}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: wardle-delegates}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'system:auth-delegator'}
subjects: [{kind: ServiceAccount, namespace: wardle, name: sample}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: wardle-reads-authentication, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extension-apiserver-authentication-reader}
subjects: [{kind: ServiceAccount, namespace: wardle, name: sample}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: flunder-reader}
rules: [{apiGroups: [wardle.example.com], resources: [flunders], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: flunder-readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: flunder-reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: devs}]
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: wardle}
spec: {selector: {app: api}, ports: [{port: 443, targetPort: 8443}]}
---
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: wardle}
spec:
  selector: {app: echo}
  ports: [{name: http, port: 8080, targetPort: 80}, {name: https, port: 8443, targetPort: 443}]
---${pod('api', 'sample-server.mjs')}
---${pod('echo', 'echo-server.mjs')}`;

const apiService = (version: string, group: string, service: string, tls: string): string => `
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: ${version}.${group}}
spec: {group: ${group}, version: ${version}, groupPriorityMinimum: 2000, versionPriority: 200, service: ${service}, ${tls}}
`;

const flunder = (name: string): string => `
apiVersion: wardle.example.com/v1alpha1
kind: Flunder
metadata: {name: ${name}}
spec: {reference: x}
`;

describe.skipIf(missing !== undefined)('other servers behind the API server', () => {
  let cluster: Cluster;
  let tls: Tls;
  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kube-lite-e2e-'));
    await buildNodeImage(join(dataDir, 'agent/images'), 'sample', [
      join(scripts, 'sample-server.mjs'),
      join(scripts, 'echo-server.mjs'),
    ]);
    tls = await newTLS(join(dataDir, 'test-tls'));
    cluster = await Cluster.start({ dataDir });
    await cluster.apply(setUp(tls));
    const service = '{namespace: wardle, name: api}';
    await cluster.apply(apiService('v1alpha1', 'wardle.example.com', service, `caBundle: ${base64(tls.ca)}`));
    await cluster.ok(['wait', '-n', 'wardle', '--for=condition=Ready', 'pod/api', 'pod/echo', '--timeout=120s']);
    await cluster.ok(['wait', '--for=condition=Available', 'apiservice/v1alpha1.wardle.example.com', '--timeout=120s']);
  });
  afterAll(() => cluster?.remove());

  const condition = async (name: string): Promise<{ status: string; reason: string; message: string } | undefined> => {
    const object = await cluster.get<{
      status: { conditions?: { type: string; status: string; reason: string; message: string }[] };
    }>('apiservice', name);
    return object.status.conditions?.find(({ type }) => type === 'Available');
  };

  describe('an aggregated API server', () => {
    test('is discovered, explained and used like any other', async () => {
      await eventually('flunders', async () => (await cluster.ok(['api-resources'])).includes('flunders'));
      await cluster.ok(['create', '-f', '-'], flunder('one'));
      expect(await cluster.ok(['get', 'flunders', '-o', 'name'])).toBe('flunder.wardle.example.com/one\n');
      expect(await cluster.ok(['explain', 'flunders'])).toContain('A flunder that nobody can do without.');
      expect(await cluster.ok(['get', '--raw', '/openapi/v2'])).toContain('com.example.wardle.v1alpha1.Flunder');
      expect(await condition('v1alpha1.wardle.example.com')).toMatchObject({ status: 'True', reason: 'Passed' });
      expect(await condition('v1.apps')).toMatchObject({ status: 'True', reason: 'Local' });
    });

    test('knows who makes a request, and asks what they may do', async () => {
      const headers = {
        'content-type': 'application/json',
        'impersonate-user': 'dora',
        'impersonate-uid': '7',
        'impersonate-group': 'system:masters',
        'impersonate-extra-example.com%2fteam': 'a b',
      };
      const body = JSON.stringify({ metadata: { name: 'of-dora' } });
      const created = await call(cluster, `${ROOT}/namespaces/default/flunders`, { method: 'POST', headers, body });
      const { metadata } = JSON.parse(created.body);
      expect(JSON.parse(metadata.annotations['wardle.example.com/creator'])).toEqual({
        user: 'dora',
        uid: '7',
        groups: ['system:masters', 'system:authenticated'],
        extra: { 'example.com/team': ['a b'] },
      });
      const dev = ['--as=dora', '--as-group=devs'];
      expect(await cluster.ok(['get', 'flunders', '-o', 'name', ...dev])).toContain('one');
      const refused = await cluster.kubectl(['create', '--validate=false', '-f', '-', ...dev], flunder('two'));
      // Our own authorization comes first.
      expect(refused.stderr).toContain(
        'User "dora" cannot create resource "flunders" in API group "wardle.example.com"',
      );
      expect((await cluster.kubectl(['get', 'flunders', '--as=eve'])).stderr).toContain('Forbidden');
    });

    test('is watched', async () => {
      const watch = cluster.spawnKubectl(['get', 'flunders', '--watch-only', '-o', 'name']);
      let seen = '';
      watch.stdout?.on('data', (chunk) => {
        seen += chunk;
      });
      let count = 0;
      await eventually('an event', async () => {
        await cluster.ok(['create', '-f', '-'], flunder(`watched-${++count}`));
        return seen.includes('flunder.wardle.example.com/watched');
      });
      watch.kill();
      await once(watch, 'exit');
    });

    test('may upgrade connections', async () => {
      expect(await echo(cluster, `${ROOT}/any`, 'ping\n', 'ping')).toBe('hello system:admin\nping\n');
    });

    test('is not trusted by what anybody may say of themselves', async () => {
      const headers = { 'x-remote-user': 'system:admin', 'x-remote-group': 'system:masters' };
      const { body } = await call(cluster, `${ROOT}/namespaces/default/flunders`, { token: '', headers });
      expect(body).toContain('system:anonymous');
    });

    test('has an APIService that is patched, labelled, replaced, listed, and keeps what others say in its status', async () => {
      const all = '/apis/apiregistration.k8s.io/v1/apiservices';
      const one = `${all}/v1alpha1.wardle.example.com`;
      const send = async (path: string, method: string, body: object, type = 'application/json') => {
        const headers = { 'content-type': type };
        const answer = await call(cluster, path, { method, headers, body: JSON.stringify(body) });
        expect(answer.code, answer.body).toBe(200);
        return JSON.parse(answer.body);
      };
      const merge = 'application/merge-patch+json';
      const strategic = 'application/strategic-merge-patch+json';
      await cluster.ok([
        'patch',
        'apiservice',
        'v1alpha1.wardle.example.com',
        '-p',
        '{"spec":{"versionPriority":400}}',
      ]);
      const listed = JSON.parse((await call(cluster, all)).body).items.find(
        ({ metadata }: { metadata: { name: string } }) => metadata.name === 'v1alpha1.wardle.example.com',
      );
      expect(listed.spec.versionPriority).toBe(400);
      const labelled = await send(one, 'PATCH', { metadata: { labels: { e2e: 'patched' } } }, strategic);
      expect(labelled.metadata.labels).toEqual({ e2e: 'patched' });
      const current = JSON.parse((await call(cluster, `${one}/status`)).body);
      const updated = { type: 'StatusUpdated', status: 'True', reason: 'E2E', message: 'Set from an e2e test' };
      current.status.conditions.push(updated);
      expect((await send(`${one}/status`, 'PUT', current)).status.conditions).toContainEqual(
        expect.objectContaining(updated),
      );
      const patch = { type: 'StatusPatched', status: 'True', reason: 'E2E', message: 'Set by an e2e test' };
      const patched = await send(`${one}/status`, 'PATCH', { status: { conditions: [patch] } }, strategic);
      expect(patched.status.conditions.map(({ type }: { type: string }) => type)).toEqual(
        expect.arrayContaining(['Available', 'StatusPatched', 'StatusUpdated']),
      );
      const replaced = JSON.parse((await call(cluster, one)).body);
      replaced.metadata.labels = { e2e: 'replaced' };
      expect((await send(one, 'PUT', replaced)).metadata.labels).toEqual({ e2e: 'replaced' });
      await cluster.apply(
        apiService('v1', 'spare.example.com', '{namespace: wardle, name: api}', 'insecureSkipTLSVerify: true'),
      );
      await send(`${all}/v1.spare.example.com`, 'PATCH', { metadata: { labels: { e2e: 'spare' } } }, merge);
      const spare = `${all}?labelSelector=e2e%3Dspare`;
      expect((await call(cluster, spare, { method: 'DELETE' })).code).toBe(200);
      expect(JSON.parse((await call(cluster, spare)).body).items).toEqual([]);
      expect((await call(cluster, `${all}/v1alpha1.wardle.example.com`)).code).toBe(200);
    });

    test('owns objects and has them in namespaces, as others do', async () => {
      const emptied = `emptied-${randomUUID().slice(0, 8)}`;
      await cluster.ok(['create', 'namespace', emptied]);
      const owner = JSON.parse(await cluster.ok(['create', '-n', emptied, '-o', 'json', '-f', '-'], flunder('owner')));
      await cluster.ok(['create', '-n', emptied, '-f', '-'], flunder('other'));
      const { uid } = owner.metadata;
      const owned = (name: string, uidOfOwner: string): string => `
apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  namespace: ${emptied}
  ownerReferences: [{apiVersion: wardle.example.com/v1alpha1, kind: Flunder, name: owner, uid: ${uidOfOwner}}]
`;
      await cluster.apply(owned('of-nobody', 'gone'));
      await cluster.apply(owned('of-owner', uid));
      const has = async (name: string) => (await cluster.kubectl(['get', '-n', emptied, 'configmap', name])).code === 0;
      await eventually('an object of nobody is collected', async () => !(await has('of-nobody')));
      expect(await has('of-owner')).toBe(true);
      await cluster.ok(['delete', '-n', emptied, 'flunder', 'owner']);
      await eventually('an object goes with its owner', async () => !(await has('of-owner')));
      await cluster.ok(['delete', 'namespace', emptied, '--timeout=120s']);
      const left = await cluster.ok(['get', 'flunders', '-A', '-o', 'jsonpath={.items[*].metadata.name}']);
      expect(left).not.toContain('other');
    });

    test('that is gone says so, is shown as it was, and namespaces wait for it', async () => {
      const waiting = `waiting-${randomUUID().slice(0, 8)}`;
      await cluster.ok(['create', 'namespace', waiting]);
      await cluster.ok(['delete', 'pod', '-n', 'wardle', 'api', '--wait=false']);
      await eventually('unavailable', async () => (await condition('v1alpha1.wardle.example.com'))?.status === 'False');
      expect(await condition('v1alpha1.wardle.example.com')).toMatchObject({ reason: 'MissingEndpoints' });
      const answer = await call(cluster, `${ROOT}/namespaces/default/flunders`);
      expect([answer.code, answer.body]).toEqual([503, 'service unavailable\n']);
      const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
      const discovery = JSON.parse((await call(cluster, '/apis', { headers: { accept } })).body);
      const group = discovery.items.find((one: { metadata: { name: string } }) =>
        one.metadata.name.startsWith('wardle'),
      );
      expect(group.versions).toMatchObject([{ resources: [{ resource: 'flunders' }], freshness: 'Stale' }]);
      await cluster.ok(['delete', 'namespace', waiting, '--wait=false']);
      const problem = '{.status.conditions[?(@.type=="NamespaceDeletionDiscoveryFailure")].message}';
      const said = await eventually('a condition', () =>
        cluster.ok(['get', 'namespace', waiting, '-o', `jsonpath=${problem}`]).then((text) => text || undefined),
      );
      expect(said).toBe(
        'Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: wardle.example.com/v1alpha1: stale GroupVersion discovery: wardle.example.com/v1alpha1',
      );
      await cluster.ok(['delete', 'apiservice', 'v1alpha1.wardle.example.com']);
      expect((await call(cluster, ROOT)).code).toBe(404);
      await cluster.ok(['wait', '--for=delete', `namespace/${waiting}`, '--timeout=120s']);
    });
  });

  describe('servers that do not behave', () => {
    const servers: Server[] = [];
    afterAll(() => {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    });

    /** An aggregated server on this machine. */
    async function aggregate(group: string, listener: RequestListener): Promise<void> {
      const server = createServer({ cert: tls.cert, key: tls.key }, listener);
      servers.push(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      await cluster.apply(`
apiVersion: v1
kind: Service
metadata: {name: ${group.split('.')[0]}, namespace: wardle}
spec: {type: ExternalName, externalName: localhost, ports: [{port: ${port}}]}
---${apiService('v1', group, `{namespace: wardle, name: ${group.split('.')[0]}, port: ${port}}`, 'insecureSkipTLSVerify: true')}`);
    }

    test('know older documents only, and are described all the same', async () => {
      const kind = { group: 'old.example.com', version: 'v1', kind: 'Relic' };
      const resource = {
        name: 'relics',
        singularName: 'relic',
        namespaced: true,
        kind: 'Relic',
        verbs: ['get', 'list'],
      };
      const documents: Readonly<Record<string, unknown>> = {
        '/apis/old.example.com/v1': {
          kind: 'APIResourceList',
          groupVersion: 'old.example.com/v1',
          resources: [resource],
        },
        '/openapi/v2': {
          swagger: '2.0',
          paths: {
            '/apis/old.example.com/v1/relics': { get: { responses: {}, 'x-kubernetes-group-version-kind': kind } },
          },
          definitions: {},
        },
      };
      await aggregate('old.example.com', (request, response) => {
        const document = documents[request.url ?? ''];
        response.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document ?? {}));
      });
      const described = await eventually('a document of version 3', async () => {
        const { code, body } = await call(cluster, '/openapi/v3/apis/old.example.com/v1');
        return code === 200 && JSON.parse(body);
      });
      expect(described).toMatchObject({ openapi: '3.0.0', paths: { '/apis/old.example.com/v1/relics': {} } });
      expect(await cluster.ok(['api-resources', '--api-group=old.example.com', '-o', 'name'])).toBe(
        'relics.old.example.com\n',
      );
    });

    test('hang, lie, flood or break off, and hold up nobody', async () => {
      const ok = (group: string) => `{"kind":"APIResourceList","groupVersion":"${group}/v1","resources":[]}`;
      await aggregate('hang.example.com', () => {});
      await aggregate('garbage.example.com', (_request, response) => response.end('<html>\u0000{"kind":7'));
      await aggregate('broken.example.com', (request) => request.socket.destroy());
      await aggregate('flood.example.com', (request, response) => {
        if (request.url === '/apis/flood.example.com/v1') return response.end(ok('flood.example.com'));
        const more = (): void => {
          while (!response.destroyed && response.write('[[[['.repeat(16_384)));
        };
        response.on('drain', more);
        more();
        return response;
      });
      await eventually('flood', async () => (await condition('v1.flood.example.com'))?.status === 'True');
      await eventually('garbage', async () => (await condition('v1.garbage.example.com'))?.status === 'True');
      // Documents are made at the first time, which takes what a machine needs for it.
      let took = 0;
      for (let i = 0; i < 2; i++) {
        const started = performance.now();
        for (const path of ['/apis', '/openapi/v3', '/openapi/v2', '/api/v1/namespaces'])
          expect((await call(cluster, path)).code).toBe(200);
        took = performance.now() - started;
      }
      expect(took).toBeLessThan(5000);
      const garbage = await call(cluster, '/apis/garbage.example.com/v1/things');
      expect([garbage.code, garbage.body]).toEqual([200, '<html>\u0000{"kind":7']);
      await eventually('hang', async () => (await condition('v1.hang.example.com'))?.status === 'False');
      expect((await condition('v1.hang.example.com'))?.message).toContain('context deadline exceeded');
      await eventually(
        'broken',
        async () => (await condition('v1.broken.example.com'))?.reason === 'FailedDiscoveryCheck',
      );
      expect((await cluster.log()).includes('"level":"error"')).toBe(false);
    });
  });

  describe('proxying', () => {
    const below = '/api/v1/namespaces/wardle';
    const methods = ['DELETE', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
    const targets = ['pods/echo:80', 'pods/http:echo:80', 'services/echo:http', 'services/http:echo:8080'];

    test.each([...targets, 'services/https:echo:https', 'services/https:echo:8443', 'pods/https:echo:443'])(
      '%s takes every method',
      async (target) => {
        for (const method of [...methods, 'GET']) {
          const path = `${below}/${target}/proxy/some%20path?method=${method}`;
          const body = method === 'POST' || method === 'DELETE' ? 'hello' : undefined;
          const answer = await call(cluster, path, { method, ...(body === undefined ? {} : { body }) });
          expect(answer.code, `${method} ${path}`).toBe(200);
          expect(JSON.parse(answer.body)).toMatchObject({
            method,
            url: `/some%20path?method=${method}`,
            body: body ?? '',
            secure: target.includes('https'),
          });
        }
        for (const method of methods) {
          const { code, body } = await call(cluster, `${below}/${target}/proxy?method=${method}`, { method });
          expect([code, JSON.parse(body).url]).toEqual([200, `/?method=${method}`]);
        }
      },
    );

    test.each(targets)('%s without a path is below a slash', async (target) => {
      for (const method of ['GET', 'HEAD']) {
        const { code, headers } = await call(cluster, `${below}/${target}/proxy?a=b`, { method });
        expect([code, headers.location]).toEqual([301, `${below}/${target}/proxy/?a=b`]);
      }
    });

    test('rewrites links and redirects, streams, upgrades', async () => {
      const proxy = `${below}/services/echo:http/proxy`;
      expect((await call(cluster, `${proxy}/redirect`)).headers.location).toBe(`${proxy}/there`);
      expect((await call(cluster, `${proxy}/page`)).body).toBe(`<a href="${proxy}/one">1</a><a href="two">2</a>`);
      expect((await call(cluster, `${proxy}/slow`)).body).toBe('first\nlast\n');
      expect(await echo(cluster, `${proxy}/ws`, 'ping\n', 'ping')).toBe('ping\n');
      expect(await echo(cluster, `${below}/pods/echo:80/proxy/ws`, 'pong\n', 'pong')).toBe('pong\n');
    });

    test('keeps credentials to itself and refuses what is not there', async () => {
      const token = (await cluster.ok(['create', 'token', '-n', 'wardle', 'sample'])).trim();
      const refused = await call(cluster, `${below}/pods/echo:80/proxy/`, { token });
      expect([refused.code, JSON.parse(refused.body).message]).toEqual([
        403,
        'pods "echo:80" is forbidden: User "system:serviceaccount:wardle:sample" cannot get resource "pods/proxy" in API group "" in the namespace "wardle"',
      ]);
      await cluster.ok([
        'create',
        'clusterrolebinding',
        'x',
        '--clusterrole=cluster-admin',
        '--serviceaccount=wardle:sample',
      ]);
      const answer = await call(cluster, `${below}/pods/echo:80/proxy/`, { token });
      expect(JSON.parse(answer.body).headers).not.toHaveProperty('authorization');
      const wrong = async (path: string) => {
        const { code, body } = await call(cluster, path);
        return [code, JSON.parse(body).message];
      };
      expect(await wrong(`${below}/services/echo/proxy/`)).toEqual([503, 'no endpoints available for service "echo"']);
      expect(await wrong(`${below}/pods/ftp:echo:1/proxy/`)).toEqual([400, 'invalid pod request "ftp:echo:1"']);
      const [code, message] = await wrong(`${below}/pods/echo:81/proxy/`);
      expect([code, message]).toEqual([
        503,
        expect.stringMatching(/^error trying to reach service: dial tcp .*:81: connect: connection refused$/),
      ]);
    });

    test('a session needs the right to create it, whatever opens it', async () => {
      await cluster.ok(['create', 'clusterrole', 'gets-exec', '--verb=get', '--resource=pods/exec']);
      await cluster.ok(['create', 'clusterrolebinding', 'gets-exec', '--clusterrole=gets-exec', '--user=gus']);
      const headers = { 'impersonate-user': 'gus' };
      const { code, body } = await call(cluster, `${below}/pods/echo/exec?command=x&stdout=1`, { headers });
      expect([code, JSON.parse(body).message]).toEqual([
        403,
        'pods "echo" is forbidden: User "gus" cannot create resource "pods/exec" in API group "" in the namespace "wardle"',
      ]);
    });

    test('reaches the kubelet', async () => {
      const node = `/api/v1/nodes/${cluster.nodeName}/proxy`;
      const { code, body } = await call(cluster, `${node}/metrics`);
      expect(code).toBe(200);
      expect(body).toContain('# TYPE');
      const logs = await call(cluster, `${node}/logs/`);
      expect([logs.code, logs.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect((await call(cluster, `${node}/logs`)).headers.location).toBe('logs/');
      const run = await call(cluster, `${node}/run/wardle/echo/main?cmd=/bin/node%20--version`, {
        method: 'POST',
      });
      expect([run.code, run.body]).toEqual([200, expect.stringMatching(/^v\d+/)]);
      const said = await overWebSocket(`${node}/exec/wardle/echo/main?command=/bin/node&command=--version&output=1`);
      expect(said).toMatch(/^v\d+/);
    });

    /** What a command prints, by a WebSocket of the older kind: the first byte of a message is its stream. */
    async function overWebSocket(path: string): Promise<string> {
      const read = (name: string) => readFile(join(cluster.dataDir, 'server/tls', name), 'utf8');
      const [ca, cert, key] = await Promise.all([read('server-ca.crt'), read('admin.crt'), read('admin.key')]);
      const socket = new WebSocket(`wss://127.0.0.1:${cluster.port}${path}`, ['v4.channel.k8s.io'], { ca, cert, key });
      let text = '';
      socket.on('message', (data: Buffer) => {
        if (data[0] === 1) text += data.subarray(1).toString();
      });
      await once(socket, 'close');
      return text;
    }
  });
});
