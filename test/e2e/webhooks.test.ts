import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../pkg/base/clock.ts';
import { ensureAuthority } from '../../pkg/pki/authority.ts';
import { ensureLeaf } from '../../pkg/pki/index.ts';
import { buildNodeImage } from '../images/node-image.ts';
import { call } from './api-call.ts';
import { Cluster, type CommandResult, eventually, missingForE2E } from './cluster.ts';
import { hosts } from './webhooks/hosts.ts';

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
    await cluster.ok(['-n', 'webhooks', 'wait', '--for=condition=Ready', 'pod/hook', '--timeout=120s']);
    await eventually('an endpoint', async () =>
      (await cluster.ok(['-n', 'webhooks', 'get', 'endpointslices', '-o', 'yaml'])).includes('ready: true'),
    );
  });

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

  function converter(): object {
    return { service: { namespace: 'webhooks', name: 'hook', path: '/convert' }, caBundle };
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
    expect((await tryTo('replace', 'ConfigMap', configMap('good', bad))).stderr).toContain('denied the request');
    await create('ConfigMap', configMap('bad', bad, 'exempt'));
    const hanging = webhook('/hang', { rules: [{ ...RULE, resources: ['pods'] }], timeoutSeconds: 1 });
    await configure('Validating', 'hang', hanging);
    const hung = await cluster.kubectl(['-n', 'work', 'run', 'hung', '--image=busybox:test']);
    expect(hung.stderr).toMatch(/failed calling webhook "hang.example.com".*deadline/);
    expect((await cluster.kubectl(['-n', 'work', 'get', 'pod', 'hung'])).code).toBe(1);
  });

  const EFFECTS = [
    ['Validating', '/always-deny', (name: string) => expectCode('create', name, 1)],
    ['Mutating', '/mark', (name: string) => expectData(name, { ...START, marked: 'yes' })],
  ] as const;
  const START = { 'mutation-start': 'yes' };

  async function expectCode(verb: string, name: string, code: number): Promise<void> {
    expect((await tryTo(verb, 'ConfigMap', configMap(name, START))).code).toBe(code);
  }

  async function expectData(name: string, data: object): Promise<void> {
    await create('ConfigMap', configMap(name, START));
    expect((await cluster.get<{ data: object }>('-n', 'work', 'configmap', name)).data).toEqual(data);
    await cluster.ok(['-n', 'work', 'delete', 'configmap', name]);
  }

  test.each(EFFECTS)(
    '%s: a configuration that is updated or patched is in force at once',
    async (kind, path, holds) => {
      await configure(kind, 'changing', webhook(path));
      await holds('x');
      const resource = `${kind.toLowerCase()}webhookconfiguration`;
      const only = (operations: string[]): object[] => [{ ...RULE, operations }];
      const current = await cluster.get<{ webhooks: object[] }>(resource, 'changing');
      const updated = { ...current, webhooks: [{ ...current.webhooks[0], rules: only(['UPDATE']) }] };
      await cluster.ok(['replace', '-f', '-'], JSON.stringify(updated));
      await expectData('x', START);
      const patch = [{ op: 'replace', path: '/webhooks/0/rules', value: only(['CREATE']) }];
      await cluster.ok(['patch', resource, 'changing', '--type=json', '-p', JSON.stringify(patch)]);
      await holds('y');
    },
  );

  test.each(EFFECTS)(
    '%s: ten configurations are listed by a label, and deleted as a collection',
    async (kind, path, holds) => {
      const names = Array.from({ length: 10 }, (_, i) => `listed-${i}`);
      const configurations = names.map((name) => ({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: `${kind}WebhookConfiguration`,
        metadata: { name, labels: { listed: kind } },
        webhooks: [webhook(path)],
      }));
      await cluster.ok(
        ['create', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'List', items: configurations }),
      );
      const resource = `${kind.toLowerCase()}webhookconfigurations`;
      const collection = `/apis/admissionregistration.k8s.io/v1/${resource}?labelSelector=listed%3D${kind}`;
      const listed = async (): Promise<string[]> =>
        JSON.parse((await call(cluster, collection)).body).items.map(
          ({ metadata }: { metadata: { name: string } }) => metadata.name,
        );
      expect(await listed()).toEqual(names);
      await holds('listed');
      expect((await call(cluster, collection, { method: 'DELETE' })).code).toBe(200);
      expect(await listed()).toEqual([]);
      await expectData('listed', START);
    },
  );

  test('are discovered', async () => {
    const get = async (path: string) => JSON.parse((await call(cluster, path)).body);
    const group = 'admissionregistration.k8s.io';
    const version = { groupVersion: `${group}/v1`, version: 'v1' };
    const inList = (await get('/apis')).groups.find(({ name }: { name: string }) => name === group);
    for (const found of [inList, await get(`/apis/${group}`)]) expect(found.versions).toContainEqual(version);
    const names = (await get(`/apis/${group}/v1`)).resources.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['mutatingwebhookconfigurations', 'validatingwebhookconfigurations']));
  });

  test('that nobody can trust refuse whatever they are to judge', async () => {
    const clientConfig = { service: { namespace: 'webhooks', name: 'hook', path: '/always-allow' } };
    await configure('Validating', 'closed', webhook('/always-allow', { clientConfig, failurePolicy: 'Fail' }));
    const refused = await tryTo('create', 'ConfigMap', configMap('closed'));
    expect(refused.stderr).toMatch(
      /Internal error.*failed calling webhook.*x509: certificate signed by unknown authority/,
    );
  });

  test('change configmaps one after the other, and pods before their defaults', async () => {
    await configure('Mutating', 'a', webhook('/mutate'));
    await configure('Mutating', 'b', webhook('/mutate', { name: 'again.example.com' }));
    await configure('Mutating', 'c', webhook('/init-container', { rules: [{ ...RULE, resources: ['pods'] }] }));
    await create('ConfigMap', configMap('mutated', { 'mutation-start': 'yes' }));
    const { data } = await cluster.get<{ data: object }>('-n', 'work', 'configmap', 'mutated');
    expect(data).toEqual({ 'mutation-start': 'yes', 'mutation-stage-1': 'yes', 'mutation-stage-2': 'yes' });
    await configure(
      'Mutating',
      'd',
      webhook('/break-owners', { objectSelector: { matchLabels: { owners: 'broken' } } }),
    );
    const broken = {
      ...configMap('broken'),
      metadata: { name: 'broken', namespace: 'work', labels: { owners: 'broken' } },
    };
    const warned = await tryTo('create', 'ConfigMap', broken);
    expect(warned.stderr).toContain('.metadata.managedFields was in an invalid state after admission');
    expect(
      await cluster.ok([
        '-n',
        'work',
        'get',
        'configmap',
        'broken',
        '-o',
        'jsonpath={.metadata.managedFields[0].operation}',
      ]),
    ).toBe('Update');
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
    for (const kind of ['Mutating', 'Validating']) {
      const victim = { metadata: { name: 'victim', labels: { victim: 'yes' } }, webhooks: [webhook('/always-allow')] };
      await create(`${kind}WebhookConfiguration`, victim);
      const resource = `${kind.toLowerCase()}webhookconfiguration`;
      const { metadata } = await cluster.get<{ metadata: { labels: object } }>(resource, 'victim');
      expect(metadata.labels).toEqual({ victim: 'yes' });
      await cluster.ok(['delete', resource, 'victim']);
    }
  });

  test('deny attaching, definitions and custom resources', async () => {
    await create('Pod', {
      metadata: { name: 'target', namespace: 'work' },
      spec: { containers: [{ name: 'c', image: 'busybox:test', command: ['sleep', '1000'], stdin: true }] },
    });
    await create('CustomResourceDefinition', hosts('v1', converter()));
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
    await cluster.ok(['-n', 'work', 'wait', '--for=condition=Ready', 'pod/target', '--timeout=120s']);
    const attached = await cluster.kubectl(['-n', 'work', 'attach', 'target', '-c', 'c', '-i'], 'x');
    expect(attached.stderr).toContain("attaching to pod 'target' is not allowed");
    const crd = await tryTo('create', 'CustomResourceDefinition', {
      ...hosts('v1', converter()),
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
    expect(patched.stderr).toContain('unwanted data');
    await cluster.ok(['delete', 'validatingwebhookconfigurations', '--all']);
    await cluster.ok(['-n', 'work', 'patch', 'host', 'good', '--type=merge', '-p', worse]);
    await configure('Validating', 'deny', webhook('/deny-cr', { rules: [cr] }));
    expect((await cluster.kubectl(['-n', 'work', 'delete', 'host', 'good'])).stderr).toContain('unwanted data');
    await cluster.ok(['delete', 'validatingwebhookconfigurations', '--all']);
    await cluster.ok(['delete', 'crd', 'hosts.example.com', '--timeout=120s']);
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
    await reset();
    // Ten seconds, when nothing is said.
    await slow({ timeoutSeconds: undefined });
    await create('ConfigMap', configMap('timed3'));
    expect(
      await cluster.ok([
        'get',
        'validatingwebhookconfiguration',
        'slow',
        '-o',
        'jsonpath={.webhooks[0].timeoutSeconds}',
      ]),
    ).toBe('10');
  });

  test('change custom resources whose stored version changes', async () => {
    await create('CustomResourceDefinition', hosts('v1'));
    await cluster.ok(['wait', '--for=condition=Established', 'crd/hosts.example.com']);
    const rule = {
      operations: ['CREATE', 'UPDATE'],
      apiGroups: ['example.com'],
      apiVersions: ['*'],
      resources: ['hosts'],
    };
    await configure('Mutating', 'mutate', webhook('/mutate', { rules: [rule] }));
    await create('Host', { metadata: { name: 'moved', namespace: 'work' }, data: START });
    const versions = ['v1', 'v2'].map((name, i) => ({
      op: 'replace',
      path: `/spec/versions/${i}/storage`,
      value: name === 'v2',
    }));
    await cluster.ok(['patch', 'crd', 'hosts.example.com', '--type=json', '-p', JSON.stringify(versions)]);
    const patch = JSON.stringify({ port: '80' });
    const patched = await cluster.ok([
      '-n',
      'work',
      'patch',
      'hosts.v2.example.com',
      'moved',
      '--type=merge',
      '-p',
      patch,
      '-o',
      'json',
    ]);
    expect(JSON.parse(patched)).toMatchObject({
      apiVersion: 'example.com/v2',
      port: '80',
      data: { ...START, 'mutation-stage-1': 'yes' },
    });
    await cluster.ok(['delete', 'crd', 'hosts.example.com', '--timeout=120s']);
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
    await create('CustomResourceDefinition', hosts('v1', converter()));
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
        spec: hosts('v2', converter()).spec,
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
    await cluster.ok(['delete', 'crd', 'hosts.example.com', '--timeout=120s']);
  });
});
