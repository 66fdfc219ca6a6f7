/** An upstream kubelet joins with a bootstrap token: its requests in their order, made by openssl and kubectl. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, type CommandResult, eventually, missingForE2E, runCommand } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`the tests of a kubelet that joins do not run: ${missing}`);

const ADDRESS = '192.0.2.7';
const TOKEN = { id: 'abcdef', secret: '0123456789abcdef' };

const CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';
const SERVING = 'kubernetes.io/kubelet-serving';

describe.skipIf(missing !== undefined)('an upstream kubelet with a bootstrap token', () => {
  let cluster: Cluster;
  let dir: string;
  let node: string;
  let attempts = 0;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kubelet-join-'));
    cluster = await Cluster.start({ node: false });
    const token = [
      `--from-literal=token-id=${TOKEN.id}`,
      `--from-literal=token-secret=${TOKEN.secret}`,
      '--from-literal=usage-bootstrap-authentication=true',
      '--from-literal=usage-bootstrap-signing=true',
      '--from-literal=auth-extra-groups=system:bootstrappers:kubeadm:default-node-token',
    ];
    const type = '--type=bootstrap.kubernetes.io/token';
    await cluster.ok([
      'create',
      'secret',
      'generic',
      `bootstrap-token-${TOKEN.id}`,
      '-n',
      'kube-system',
      type,
      ...token,
    ]);
    await writeConfig('bootstrap', { token: `${TOKEN.id}.${TOKEN.secret}` });
  });
  afterAll(() =>
    endAll(
      () => cluster?.remove(),
      () => rm(dir, { recursive: true }),
    ),
  );

  async function writeConfig(name: string, user: Readonly<Record<string, string>>): Promise<void> {
    const server = `https://127.0.0.1:${cluster.port}`;
    const authority = join(cluster.dataDir, 'server/tls/server-ca.crt');
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server, 'certificate-authority': authority } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    await writeFile(join(dir, name), JSON.stringify(config));
  }

  function as(name: string, args: readonly string[], input?: string): Promise<CommandResult> {
    return runCommand('kubectl', ['--kubeconfig', join(dir, name), ...args], { input, env: { HOME: dir } });
  }

  async function ok(name: string, args: readonly string[], input?: string): Promise<string> {
    const result = await as(name, args, input);
    expect(result.code, `${name}: kubectl ${args.join(' ')}: ${result.stderr}`).toBe(0);
    return result.stdout;
  }

  /** A request with a key of its own, in files of this name. */
  async function newRequest(name: string, subject: string, names?: string): Promise<string> {
    const file = (ending: string): string => join(dir, `${name}.${ending}`);
    const args = ['req', '-new', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-subj', subject];
    const more = names === undefined ? [] : ['-addext', `subjectAltName=${names}`];
    expect(await runCommand('openssl', [...args, ...more, '-keyout', file('key'), '-out', file('csr')])).toMatchObject({
      code: 0,
    });
    return (await readFile(file('csr'))).toString('base64');
  }

  async function submit(who: string, name: string, signerName: string, request: string, usage: string): Promise<void> {
    const spec = { request, signerName, usages: ['digital signature', usage], expirationSeconds: 86_400 };
    const object = {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name },
      spec,
    };
    await ok(who, ['create', '-f', '-'], JSON.stringify(object));
  }

  /** The certificate of a request, as the one who asked reads it. */
  async function issued(who: string, name: string): Promise<string> {
    const field = 'jsonpath={.status.certificate}';
    const selector = `--field-selector=metadata.name=${name}`;
    await ok(who, ['get', 'csr', selector]);
    const text = await eventually(
      `${name} is signed`,
      async () => (await ok(who, ['get', 'csr', name, '-o', field])) || undefined,
    );
    return Buffer.from(text, 'base64').toString('latin1');
  }

  async function details(certificate: string): Promise<string> {
    const path = join(dir, 'shown.crt');
    await writeFile(path, certificate);
    const result = await runCommand('openssl', ['x509', '-in', path, '-noout', '-text']);
    expect(result).toMatchObject({ code: 0 });
    return result.stdout;
  }

  test('is a bootstrapper, and no more', async () => {
    expect(await ok('bootstrap', ['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'])).toBe(
      `system:bootstrap:${TOKEN.id}`,
    );
    expect((await as('bootstrap', ['get', 'secrets', '-n', 'kube-system'])).stderr).toContain('Forbidden');
    expect((await as('bootstrap', ['get', 'nodes'])).stderr).toContain('Forbidden');
  });

  test('gets a client certificate, registers its node and renews its lease', async () => {
    node = `machine-${attempts++}`;
    const first = `node-csr-${node}`;
    const request = await newRequest('client', `/O=system:nodes/CN=system:node:${node}`);
    await submit('bootstrap', first, CLIENT, request, 'client auth');
    const certificate = await issued('bootstrap', first);
    expect(await details(certificate)).toContain(`Subject: O = system:nodes, CN = system:node:${node}\n`);
    expect(await details(certificate)).toContain('TLS Web Client Authentication');
    const approval = ['get', 'csr', first, '-o', 'jsonpath={.status.conditions[0].reason}'];
    expect(await cluster.ok(approval)).toBe('AutoApproved');
    await writeFile(join(dir, 'client.crt'), certificate);
    await writeConfig('node', { 'client-certificate': join(dir, 'client.crt'), 'client-key': join(dir, 'client.key') });

    expect((await as('node', ['get', 'node', node])).stderr).toContain('NotFound');
    const labels = { 'kubernetes.io/hostname': node, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
    const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: node, labels } };
    await ok('node', ['create', '-f', '-'], JSON.stringify(object));
    const status = {
      addresses: [
        { type: 'InternalIP', address: ADDRESS },
        { type: 'Hostname', address: node },
      ],
      conditions: [
        { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: new Date().toISOString() },
      ],
    };
    await eventually('its status is taken', async () => {
      const stored = JSON.parse(await ok('node', ['get', 'node', node, '-o', 'json'])) as object;
      const path = ['replace', '--raw', `/api/v1/nodes/${node}/status`, '-f', '-'];
      return (await as('node', path, JSON.stringify({ ...stored, status }))).code === 0;
    });
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: node, namespace: 'kube-node-lease' },
      spec: {
        holderIdentity: node,
        leaseDurationSeconds: 40,
        renewTime: new Date().toISOString().replace('Z', '000Z'),
      },
    };
    await ok('node', ['create', '-f', '-'], JSON.stringify(lease));
    await eventually('the node takes pods', async () => {
      const taints = await cluster.ok(['get', 'node', node, '-o', 'jsonpath={.spec.taints[*].key}']);
      return taints === '' && (await cluster.ok(['get', 'node', node])).includes(' Ready ');
    });
  });

  test('reads what a kubelet reads, and changes nothing of others', async () => {
    for (const args of [
      ['pods', '-A', `--field-selector=spec.nodeName=${node}`],
      ['nodes', `--field-selector=metadata.name=${node}`],
      ['services', '-A'],
      ['runtimeclasses'],
      ['csidrivers'],
    ])
      await ok('node', ['get', ...args]);
    const token = ['create', 'token', 'default', '--bound-object-kind=Pod', '--bound-object-name=absent'];
    expect((await as('node', token)).code).not.toBe(0);
    expect(
      (await as('node', ['create', '-f', '-'], '{"apiVersion":"v1","kind":"Node","metadata":{"name":"other"}}')).stderr,
    ).toMatch(/is not allowed to modify node "other"/);
    expect((await as('node', ['get', 'secrets', '-A'])).stderr).toContain('Forbidden');
  });

  test('renews its client certificate with that which it has', async () => {
    const [again, other] = [attempts++, attempts++].map((attempt) => `node-csr-again-${attempt}`) as [string, string];
    const request = await newRequest('again', `/O=system:nodes/CN=system:node:${node}`);
    await submit('node', again, CLIENT, request, 'client auth');
    expect(await details(await issued('node', again))).toContain(`system:node:${node}`);
    const ofAnother = await newRequest('other', '/O=system:nodes/CN=system:node:other');
    await submit('node', other, CLIENT, ofAnother, 'client auth');
    const conditions = await cluster.ok(['get', 'csr', other, '-o', 'jsonpath={.status.conditions}']);
    expect(conditions).toBe('');
  });

  test('gets a serving certificate for the addresses that its node has', async () => {
    const name = `csr-serving-${attempts++}`;
    const subject = `/O=system:nodes/CN=system:node:${node}`;
    const request = await newRequest('serving', subject, `DNS:${node},IP:${ADDRESS}`);
    await submit('node', name, SERVING, request, 'server auth');
    expect(await details(await issued('node', name))).toContain(`DNS:${node}, IP Address:${ADDRESS}`);
  });
});
