import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../pkg/base/clock.ts';
import { ensureAuthority } from '../../pkg/pki/authority.ts';
import { ensureLeaf } from '../../pkg/pki/index.ts';
import { buildNodeImage } from '../images/node-image.ts';
import { Cluster, type CommandResult, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

describe.skipIf(missing !== undefined)('webhooks in a pod', () => {
  let cluster: Cluster;
  let caBundle: string;

  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kube-lite-e2e-'));
    await buildNodeImage(join(dataDir, 'agent/images'), 'webhook', [join(import.meta.dirname, 'webhooks/server.mjs')]);
    const tls = join(dataDir, 'test-tls');
    await mkdir(tls);
    const authority = await ensureAuthority(tls, 'ca', systemClock);
    const alternativeNames = ['hook.webhooks.svc'];
    const profile = { name: 'leaf', commonName: 'hook', organizations: [], usage: 'server', alternativeNames } as const;
    const certificate = await ensureLeaf(tls, authority, profile, systemClock);
    caBundle = Buffer.from(authority.certificatePEM).toString('base64');
    cluster = await Cluster.start({ dataDir });
    await create('Namespace', { metadata: { name: 'webhooks' } });
    await create('Namespace', { metadata: { name: 'work', labels: { team: 'a' } } });
    await create('Namespace', { metadata: { name: 'exempt', labels: { exempt: 'yes' } } });
    await create('Secret', {
      metadata: { name: 'tls', namespace: 'webhooks' },
      stringData: { 'tls.crt': certificate.certificatePEM, 'tls.key': certificate.keyPEM },
    });
    await create('Pod', {
      metadata: { name: 'hook', namespace: 'webhooks', labels: { app: 'hook' } },
      spec: {
        containers: [
          {
            name: 'hook',
            image: 'webhook:test',
            readinessProbe: { httpGet: { path: '/ready', port: 8443, scheme: 'HTTPS' }, periodSeconds: 1 },
            volumeMounts: [{ name: 'tls', mountPath: '/tls' }],
          },
        ],
        volumes: [{ name: 'tls', secret: { secretName: 'tls' } }],
      },
    });
    await create('Service', {
      metadata: { name: 'hook', namespace: 'webhooks' },
      spec: { selector: { app: 'hook' }, ports: [{ port: 443, targetPort: 8443 }] },
    });
    await cluster.ok(['-n', 'webhooks', 'wait', '--for=condition=Ready', 'pod/hook', '--timeout=60s']);
    await eventually('an endpoint', async () =>
      (await cluster.ok(['-n', 'webhooks', 'get', 'endpointslices', '-o', 'yaml'])).includes('ready: true'),
    );
  }, 180_000);

  afterAll(() => cluster?.remove());

  afterEach(async () => {
    await cluster.ok(['delete', 'mutatingwebhookconfigurations,validatingwebhookconfigurations', '--all']);
  });

  const API_VERSIONS: Readonly<Record<string, string>> = {
    CustomResourceDefinition: 'apiextensions.k8s.io/v1',
    MutatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
    ValidatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
    Host: 'example.com/v1',
  };

  function yaml(kind: string, object: object): string {
    return JSON.stringify({ apiVersion: API_VERSIONS[kind] ?? 'v1', kind, ...object });
  }

  function create(kind: string, object: object): Promise<string> {
    return cluster.ok(['create', '-f', '-'], yaml(kind, object));
  }

  function tryTo(verb: string, kind: string, object: object): Promise<CommandResult> {
    return cluster.kubectl([verb, '-f', '-'], yaml(kind, object));
  }

  const RULE = { operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] };

  function webhook(path: string, more: object = {}): object {
    return {
      name: `${path.slice(1)}.example.com`,
      clientConfig: { service: { namespace: 'webhooks', name: 'hook', path }, caBundle },
      rules: [RULE],
      namespaceSelector: { matchLabels: { team: 'a' } },
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      timeoutSeconds: 10,
      ...more,
    };
  }

  function configure(kind: 'Mutating' | 'Validating', name: string, ...webhooks: object[]): Promise<string> {
    return create(`${kind}WebhookConfiguration`, { metadata: { name, labels: { test: 'yes' } }, webhooks });
  }

  function configMap(name: string, data: object = {}, namespace = 'work'): object {
    return { metadata: { name, namespace }, data };
  }

  test('deny pods and configmaps, and hold nobody up elsewhere', async () => {
    await configure(
      'Validating',
      'deny',
      webhook('/deny-data'),
      webhook('/deny-pods', { rules: [{ ...RULE, resources: ['pods'] }] }),
    );
    const bad = { 'webhook-e2e-test': 'webhook-disallow' };
    const denied = await tryTo('create', 'ConfigMap', configMap('bad', bad));
    expect(denied.code).toBe(1);
    expect(denied.stderr).toContain(
      'admission webhook "deny-data.example.com" denied the request: the configmap contains unwanted key and value',
    );
    await create('ConfigMap', configMap('good'));
    for (const args of [
      ['-n', 'work', 'patch', 'configmap', 'good', '--type=merge', '-p', JSON.stringify({ data: bad })],
      ['-n', 'work', 'run', 'p', '--image=busybox:test', '--labels=webhook-e2e-test=disallow'],
    ])
      expect((await cluster.kubectl(args)).stderr).toContain('denied the request');
    await create('ConfigMap', configMap('bad', bad, 'exempt'));
  });

  test('a configuration that is changed is in force at once', async () => {
    await configure('Validating', 'deny', webhook('/always-deny'));
    expect((await tryTo('create', 'ConfigMap', configMap('x'))).stderr).toContain('this webhook denies all requests');
    const only = (operations: string[]): string =>
      JSON.stringify([{ op: 'replace', path: '/webhooks/0/rules/0/operations', value: operations }]);
    await cluster.ok(['patch', 'validatingwebhookconfiguration', 'deny', '--type=json', '-p', only(['UPDATE'])]);
    await create('ConfigMap', configMap('x'));
    await cluster.ok(['patch', 'validatingwebhookconfiguration', 'deny', '--type=json', '-p', only(['CREATE'])]);
    expect((await tryTo('create', 'ConfigMap', configMap('y'))).code).toBe(1);
    expect(await cluster.ok(['get', 'validatingwebhookconfigurations', '-l', 'test=yes', '-o', 'name'])).toContain(
      'deny',
    );
    await cluster.ok(['delete', 'validatingwebhookconfigurations', '-l', 'test=yes']);
    await create('ConfigMap', configMap('y'));
  });

  test('change configmaps one after the other, and pods before their defaults', async () => {
    await configure('Mutating', 'a', webhook('/mutate'));
    await configure('Mutating', 'b', webhook('/mutate', { name: 'again.example.com' }));
    await configure('Mutating', 'c', webhook('/init-container', { rules: [{ ...RULE, resources: ['pods'] }] }));
    await create('ConfigMap', configMap('mutated', { 'mutation-start': 'yes' }));
    const { data } = await cluster.get<{ data: object }>('-n', 'work', 'configmap', 'mutated');
    expect(data).toEqual({ 'mutation-start': 'yes', 'mutation-stage-1': 'yes', 'mutation-stage-2': 'yes' });
    const pod = {
      metadata: { name: 'p', namespace: 'work' },
      spec: { containers: [{ name: 'c', image: 'busybox:test' }] },
    };
    const made = JSON.parse(
      await cluster.ok(['create', '--dry-run=server', '-o', 'json', '-f', '-'], yaml('Pod', pod)),
    );
    expect(made.spec.initContainers).toMatchObject([{ name: 'added', terminationMessagePolicy: 'File' }]);
  });

  test('have no say about webhook configurations', async () => {
    const rules = [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }];
    const everywhere = { rules, namespaceSelector: {}, objectSelector: { matchLabels: { victim: 'yes' } } };
    await configure('Validating', 'deny', webhook('/always-deny', everywhere));
    await configure('Mutating', 'label', webhook('/label', everywhere));
    const victim = { metadata: { name: 'victim', labels: { victim: 'yes' } }, webhooks: [webhook('/always-allow')] };
    await create('MutatingWebhookConfiguration', victim);
    const { metadata } = await cluster.get<{ metadata: { labels: object } }>('mutatingwebhookconfiguration', 'victim');
    expect(metadata.labels).toEqual({ victim: 'yes' });
    await cluster.ok(['delete', 'mutatingwebhookconfiguration', 'victim']);
  });

  test('deny attaching, definitions and custom resources', async () => {
    await create('Pod', {
      metadata: { name: 'target', namespace: 'work' },
      spec: { containers: [{ name: 'c', image: 'busybox:test', command: ['sleep', '1000'], stdin: true }] },
    });
    await create('CustomResourceDefinition', hosts('v1'));
    await cluster.ok(['wait', '--for=condition=Established', 'crd/hosts.example.com']);
    const cr = { operations: ['*'], apiGroups: ['example.com'], apiVersions: ['*'], resources: ['hosts'] };
    const written = [{ ...cr, operations: ['CREATE', 'UPDATE'] }];
    await configure(
      'Validating',
      'deny',
      webhook('/deny-attach', { rules: [{ ...RULE, operations: ['CONNECT'], resources: ['pods/attach'] }] }),
      webhook('/deny-cr', { rules: [cr] }),
      webhook('/always-deny', {
        rules: [{ operations: ['CREATE'], apiGroups: ['apiextensions.k8s.io'], apiVersions: ['*'], resources: ['*'] }],
      }),
    );
    await configure(
      'Mutating',
      'mutate',
      webhook('/mutate', { rules: written }),
      webhook('/mutate', { rules: written, name: 'again.example.com' }),
    );
    await cluster.ok(['-n', 'work', 'wait', '--for=condition=Ready', 'pod/target', '--timeout=30s']);
    const attached = await cluster.kubectl(['-n', 'work', 'attach', 'target', '-c', 'c', '-i'], 'x');
    expect(attached.stderr).toContain("attaching to pod 'target' is not allowed");
    const crd = await tryTo('create', 'CustomResourceDefinition', {
      ...hosts('v1'),
      metadata: { name: 'x.example.com' },
    });
    expect(crd.code).toBe(1);
    const host = (name: string, data: object): object => ({
      metadata: { name, namespace: 'work' },
      hostPort: 'h:1',
      data,
    });
    const bad = await tryTo('create', 'Host', host('bad', { 'webhook-e2e-test': 'webhook-disallow' }));
    expect(bad.stderr).toContain('the custom resource contains unwanted data');
    await create('Host', host('good', { 'mutation-start': 'yes' }));
    // The second stage is not in the schema.
    expect((await cluster.get<{ data: object }>('-n', 'work', 'host', 'good')).data).toEqual({
      'mutation-start': 'yes',
      'mutation-stage-1': 'yes',
    });
    const worse = JSON.stringify({ data: { 'webhook-e2e-test': 'webhook-disallow' } });
    const patched = await cluster.kubectl(['-n', 'work', 'patch', 'host', 'good', '--type=merge', '-p', worse]);
    expect(patched.code).toBe(1);
    await cluster.ok(['delete', 'validatingwebhookconfigurations', '--all']);
    await cluster.ok(['-n', 'work', 'patch', 'host', 'good', '--type=merge', '-p', worse]);
    await configure('Validating', 'deny', webhook('/deny-cr', { rules: [cr] }));
    expect((await cluster.kubectl(['-n', 'work', 'delete', 'host', 'good'])).stderr).toContain('unwanted data');
    await cluster.ok(['delete', 'validatingwebhookconfigurations', '--all']);
    await cluster.ok(['delete', 'crd', 'hosts.example.com', '--timeout=20s']);
  });

  test('are given so much time and no more', async () => {
    const slow = (more: object): Promise<string> => configure('Validating', 'slow', webhook('/slow', more));
    const reset = (): Promise<string> => cluster.ok(['delete', 'validatingwebhookconfiguration', 'slow']);
    await slow({ timeoutSeconds: 1 });
    const late = await tryTo('create', 'ConfigMap', configMap('timed'));
    expect(late.stderr).toMatch(
      /failed calling webhook "slow.example.com": failed to call webhook: Post "https:\/\/hook.webhooks.svc:443\/slow\?timeout=1s": context deadline exceeded/,
    );
    await reset();
    await slow({ timeoutSeconds: 1, failurePolicy: 'Ignore' });
    await create('ConfigMap', configMap('timed'));
    await reset();
    await slow({ timeoutSeconds: 10 });
    await create('ConfigMap', configMap('timed2'));
  });

  test('that misbehave hurt nobody', async () => {
    const rude = ['/lie', '/bad-patch', '/bad-type', '/garbage', '/fail', '/redirect', '/flood'];
    for (const path of rude) {
      await configure('Mutating', 'rude', webhook(path, { timeoutSeconds: 5 }));
      const refused = await tryTo('create', 'ConfigMap', configMap('rude'));
      expect(refused.stderr, path).toContain('Internal error occurred');
      await cluster.ok(['delete', 'mutatingwebhookconfiguration', 'rude']);
    }
    await configure('Mutating', 'rude', ...rude.map((path) => webhook(path, { failurePolicy: 'Ignore' })).slice(0, 1));
    await create('ConfigMap', configMap('ignored'));
    await configure('Validating', 'hang', webhook('/hang', { timeoutSeconds: 3 }));
    const hanging = tryTo('create', 'ConfigMap', configMap('hangs'));
    await create('ConfigMap', configMap('elsewhere', {}, 'exempt'));
    expect((await hanging).stderr).toContain('context deadline exceeded');
    await configure('Validating', 'nobody', webhook('/x', { clientConfig: { url: 'https://127.0.0.1:1/' } }));
    expect((await tryTo('create', 'ConfigMap', configMap('closed'))).stderr).toMatch(/connection refused|deadline/);
    expect(await cluster.ok(['get', '--raw', '/readyz'])).toBe('ok');
  });

  test('convert custom resources', async () => {
    await create('CustomResourceDefinition', hosts('v1'));
    await cluster.ok(['wait', '--for=condition=Established', 'crd/hosts.example.com']);
    const host = (name: string): object => ({ metadata: { name, namespace: 'work' }, hostPort: 'h:1' });
    await create('Host', host('one'));
    const get = (version: string): Promise<string> =>
      cluster.ok(['-n', 'work', 'get', `hosts.${version}.example.com`, '-o', 'json']);
    expect(JSON.parse(await get('v2')).items).toMatchObject([{ apiVersion: 'example.com/v2', host: 'h', port: '1' }]);
    await cluster.ok(
      ['replace', '-f', '-'],
      JSON.stringify({
        ...(await cluster.get<object>('crd', 'hosts.example.com')),
        spec: hosts('v2').spec,
      }),
    );
    await eventually(
      'the new storage version',
      async () =>
        (await cluster.ok(['get', 'crd', 'hosts.example.com', '-o', 'jsonpath={.status.storedVersions}'])) ===
        '["v1","v2"]',
    );
    await create('Host', host('two'));
    const { items } = JSON.parse(await get('v2')) as { items: { apiVersion: string; host: string }[] };
    expect(items.map(({ apiVersion, host: name }) => `${apiVersion} ${name}`)).toEqual(
      Array(2).fill('example.com/v2 h'),
    );
    // Written in the old version, changed on its way by a webhook, and stored in the new version.
    const written = { operations: ['UPDATE'], apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['hosts'] };
    await configure('Mutating', 'label', webhook('/label', { rules: [written] }));
    const patch = JSON.stringify({ hostPort: 'h:2', data: { 'mutation-start': 'no' } });
    await cluster.ok(['-n', 'work', 'patch', 'hosts.v1.example.com', 'one', '--type=merge', '-p', patch]);
    const one = await cluster.get<object>('-n', 'work', 'hosts.v2.example.com', 'one');
    expect(one).toMatchObject({ host: 'h', port: '2', metadata: { labels: { added: 'yes' } } });
    await cluster.ok(['delete', 'crd', 'hosts.example.com', '--timeout=20s']);
  });

  function hosts(storage: string): { metadata: object; spec: object } {
    const version = (name: string): object => ({
      name,
      served: true,
      storage: name === storage,
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: {
            hostPort: { type: 'string' },
            host: { type: 'string' },
            port: { type: 'string' },
            data: {
              type: 'object',
              properties: {
                'mutation-start': { type: 'string' },
                'mutation-stage-1': { type: 'string' },
                'webhook-e2e-test': { type: 'string' },
              },
            },
          },
        },
      },
    });
    return {
      metadata: { name: 'hosts.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'hosts', singular: 'host', kind: 'Host' },
        versions: [version('v1'), version('v2')],
        conversion: {
          strategy: 'Webhook',
          webhook: {
            conversionReviewVersions: ['v1'],
            clientConfig: { service: { namespace: 'webhooks', name: 'hook', path: '/convert' }, caBundle },
          },
        },
      },
    };
  }
});
