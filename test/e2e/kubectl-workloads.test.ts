import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E, runCommand } from './cluster.ts';
import { type Obj, Rest } from './rest.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount';

describe.skipIf(missing !== undefined)('kubectl and what runs', () => {
  let cluster: Cluster;
  let rest: Rest;
  beforeAll(async () => {
    cluster = await Cluster.start();
    rest = await Rest.of(cluster);
  });
  afterAll(() => cluster?.remove());

  /** kubectl in a namespace of one test. */
  async function inNamespace(prefix: string) {
    const path = await rest.namespace(prefix);
    const flag = `--namespace=${path.split('/').at(-1)}`;
    // The default account comes by itself; pods need it.
    await eventually(
      'its account',
      async () => (await rest.send('GET', `${path}/serviceaccounts/default`)).code === 200,
    );
    return {
      path,
      ok: (args: readonly string[], input?: string) => cluster.ok([flag, ...args], input),
      apply: (yaml: string) => cluster.ok([flag, 'apply', '-f', '-'], yaml),
      ready: (selector: string) =>
        cluster.ok([flag, 'wait', '--for=condition=Ready', 'pod', selector, '--timeout=120s']),
    };
  }

  test('versions and addresses', async () => {
    expect((await cluster.ok(['api-versions'])).split('\n')).toContain('v1');
    const info = await cluster.ok(['cluster-info']);
    expect(info).toContain('Kubernetes control plane');
    expect(info).toContain(`https://127.0.0.1:${cluster.port}`);
    const { clientVersion, serverVersion } = JSON.parse(await cluster.ok(['version', '-o', 'json'])) as Record<
      string,
      Obj
    >;
    for (const version of [clientVersion, serverVersion])
      for (const field of [
        'major',
        'minor',
        'gitVersion',
        'gitCommit',
        'gitTreeState',
        'buildDate',
        'goVersion',
        'compiler',
        'platform',
      ])
        expect(version?.[field], field).toBeTypeOf('string');
    // kubectl's own tests look for a commit.
    expect(serverVersion).toMatchObject({
      gitCommit: expect.stringMatching(/^[0-9a-f]{40}$/),
      gitTreeState: expect.stringMatching(/^(clean|dirty|archive)$/),
      buildDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });

  test('a proxy on a free port, and one on a socket', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kubectl-proxy-'));
    const socketPath = join(directory, 'socket');
    for (const flag of ['--port=0', `--unix-socket=${socketPath}`]) {
      const proxy = cluster.spawnKubectl(['proxy', '--disable-filter=true', flag]);
      try {
        let said = '';
        proxy.stdout?.on('data', (chunk) => {
          said += chunk;
        });
        const [, port] = await eventually(
          'it serves',
          async () => /Starting to serve on (?:.*:(\d+)|.*)\n/.exec(said) ?? false,
        );
        const versions = await new Promise<string>((resolve, reject) => {
          const to = port === undefined ? { socketPath } : { host: '127.0.0.1', port };
          request({ ...to, path: '/api/' }, (answer) => resolve(text(answer)))
            .on('error', reject)
            .end();
        });
        expect(JSON.parse(versions)).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
      } finally {
        proxy.kill('SIGKILL');
      }
    }
    await rm(directory, { recursive: true });
  });

  test.concurrent('a pod is run, labelled, changed on trial and replaced', async () => {
    const { ok, path } = await inNamespace('kubectl-pod');
    const briefly = '{"spec":{"terminationGracePeriodSeconds":1}}';
    const image = async (): Promise<unknown> => containersOf(await rest.get(`${path}/pods/one`))[0]?.['image'];
    await ok([
      'run',
      'one',
      '--restart=Never',
      '--image=busybox:test',
      '--labels=run=one',
      `--overrides=${briefly}`,
      '--',
      'sleep',
      '3600',
    ]);
    expect((await rest.get(`${path}/pods/one`)).spec).toMatchObject({
      restartPolicy: 'Never',
      containers: [{ image: 'busybox:test' }],
    });
    await ok(['wait', '--for=condition=Ready', 'pod/one', '--timeout=120s']);

    await ok(['label', 'pods', 'one', 'testing-label=testing-value']);
    expect(await ok(['get', 'pod', 'one', '-L', 'testing-label'])).toContain('testing-value');
    expect(await ok(['get', 'pod', '-l', 'testing-label=testing-value', '-o', 'name'])).toBe('pod/one\n');
    await ok(['label', 'pods', 'one', 'testing-label-']);
    expect(await ok(['get', 'pod', 'one', '-L', 'testing-label'])).not.toContain('testing-value');
    expect(await ok(['get', 'pod', '-l', 'testing-label', '-o', 'name'])).toBe('');

    const patch = '{"spec":{"containers":[{"name":"one","image":"busybox:test2"}]}}';
    expect(
      await ok(['patch', 'pod', 'one', '-p', patch, '--dry-run=server', '-o', 'jsonpath={.spec.containers[0].image}']),
    ).toBe('busybox:test2');
    expect(await image()).toBe('busybox:test');

    const changed = (await ok(['get', 'pod', 'one', '-o', 'json'])).replaceAll('"busybox:test"', '"busybox:test2"');
    await ok(['replace', '-f', '-'], changed);
    expect(await image()).toBe('busybox:test2');
    const { uid } = (await rest.get(`${path}/pods/one`)).metadata;
    await ok(
      ['replace', '--force', '--grace-period=1', '-f', '-'],
      changed.replaceAll('"busybox:test2"', '"busybox:test"'),
    );
    expect((await rest.get(`${path}/pods/one`)).metadata.uid).not.toBe(uid);
    expect(await image()).toBe('busybox:test');
  });

  test.concurrent('a replication controller is described, exposed, annotated, scaled and stopped', async () => {
    const { ok, apply, ready, path } = await inNamespace('kubectl-rc');
    await apply(PRIMARY);
    await ready('-lapp=primary');
    const name = (await ok(['get', 'pods', '-l', 'app=primary', '-o', 'jsonpath={.items[0].metadata.name}'])).trim();
    const describes = async (what: readonly string[], texts: readonly (string | RegExp)[]): Promise<void> => {
      const said = await ok(['describe', ...what]);
      for (const each of texts) expect(said).toMatch(typeof each === 'string' ? new RegExp(`^\\s*${each}`, 'm') : each);
    };
    const namespace = path.split('/').at(-1) ?? '';
    await describes(
      ['pod', name],
      [
        `Name: +${name}`,
        `Namespace: +${namespace}`,
        /Labels: +app=primary/,
        'Status: +Running',
        'Controlled By: +ReplicationController/primary',
        'Image: +busybox:test',
        'State: +Running',
        /QoS Class: +BestEffort/,
      ],
    );
    await describes(
      ['rc', 'primary'],
      [
        'Name: +primary',
        `Namespace: +${namespace}`,
        'Selector: +app=primary,role=store',
        'Replicas: +1 current / 1 desired',
        'Pods Status: +1 Running / 0 Waiting / 0 Succeeded / 0 Failed',
        'Pod Template:',
        'Image: +busybox:test',
        /Events:/,
      ],
    );
    await describes(
      ['service', 'primary'],
      [
        'Name: +primary',
        `Namespace: +${namespace}`,
        'Labels: +app=primary',
        'Selector: +app=primary,role=store',
        'Type: +ClusterIP',
        'IP: +10\\.',
        'Port: +<unset> +6379/TCP',
        /Endpoints: +[\d.]+:6379/,
        'Session Affinity: +None',
      ],
    );
    await describes(
      ['node', cluster.nodeName],
      [
        `Name: +${cluster.nodeName}`,
        'Labels:',
        'Annotations:',
        'CreationTimestamp:',
        'Conditions:',
        /MemoryPressure/,
        /Ready/,
        'Addresses:',
        'Capacity:',
        /Kubelet Version:/,
        /Pods:|Non-terminated Pods:/,
      ],
    );
    await describes(
      ['namespace', namespace],
      [
        `Name: +${namespace}`,
        'Labels:',
        'Annotations:',
        'Status: +Active',
        /No resource quota/,
        /No LimitRange resource/,
      ],
    );

    await ok(['expose', 'rc', 'primary', '--name=second', '--port=1234', '--target-port=6379']);
    await ok(['expose', 'service', 'second', '--name=third', '--port=2345', '--target-port=6379']);
    for (const [service, port] of [
      ['second', 1234],
      ['third', 2345],
    ] as const) {
      expect((await rest.get(`${path}/services/${service}`)).spec).toMatchObject({
        ports: [{ port, targetPort: 6379 }],
        selector: { app: 'primary' },
      });
      await eventually(
        'endpoints',
        async () => (await ok(['get', 'endpoints', service, '-o', 'jsonpath={.subsets[*].ports[*].port}'])) === '6379',
      );
    }

    await ok(['patch', 'pod', name, '-p', '{"metadata":{"annotations":{"x":"y"}}}']);
    for (const { metadata } of (await rest.get(`${path}/pods?labelSelector=app%3Dprimary`)).items ?? [])
      expect(metadata.annotations).toMatchObject({ x: 'y' });

    for (const replicas of [2, 1, 2]) {
      await ok(['scale', 'rc', 'primary', `--replicas=${replicas}`, '--timeout=5m']);
      await eventually(
        `${replicas} run`,
        async () =>
          (await ok([
            'get',
            'pods',
            '-l',
            'app=primary',
            '-o',
            'jsonpath={range .items[*]}{.status.containerStatuses[0].ready}{end}',
          ])) === 'true'.repeat(replicas),
      );
    }
    await ok(['delete', 'rc', 'primary']);
    await eventually('no pod', async () => (await rest.count(`${path}/pods`)) === 0);
  });

  test.concurrent('a guestbook: what is written through its front end is read through it', async () => {
    const { ok, apply, ready, path } = await inNamespace('guestbook');
    await apply(GUESTBOOK);
    for (const tier of ['store', 'frontend']) await ready(`-ltier=${tier}`);
    const visit = (what: string) => rest.send('GET', `${path}/services/frontend/proxy/cgi-bin/guestbook?${what}`);
    await eventually('the entry is written', async () => (await visit('set=TestEntry')).body['message'] === 'stored\n');
    await eventually('and read', async () => (await visit('get')).body['message'] === 'TestEntry\n');
    await ok(['delete', 'deployment,service', '-l', 'app=guestbook', '--grace-period=1']);
    await eventually('all is gone', async () => (await rest.count(`${path}/pods`)) === 0);
  });

  test.concurrent('a diff tells what an image becomes', async () => {
    const { ok, path } = await inNamespace('kubectl-diff');
    await ok(['create', 'deployment', 'web', '--image=busybox:test', '--replicas=0']);
    const manifest = await ok([
      'create',
      'deployment',
      'web',
      '--image=busybox:test2',
      '--replicas=0',
      '--dry-run=client',
      '-o',
      'yaml',
    ]);
    const { code, stdout } = await cluster.kubectl(
      ['diff', `--namespace=${path.split('/').at(-1)}`, '-f', '-'],
      manifest,
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/^-\s+- image: busybox:test$/m);
    expect(stdout).toMatch(/^\+\s+- image: busybox:test2$/m);
  });

  test.concurrent('logs since a second, a day, with limits and times', async () => {
    const { ok } = await inNamespace('kubectl-logs');
    await ok([
      'run',
      'logger',
      '--image=busybox:test',
      '--restart=Never',
      '--',
      'sh',
      '-c',
      'i=0; while sleep 0.5; do i=$((i+1)); echo "I entry $i"; done',
    ]);
    const log = (...flags: string[]) => ok(['logs', 'logger', 'logger', ...flags]);
    await eventually('lines', async () => (await log()).split('\n').length > 4);
    expect(await log('--tail=1')).toMatch(/^I entry \d+\n$/);
    expect(await log('--limit-bytes=1')).toBe('I');
    expect(await log('--tail=1', '--timestamps')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z I entry \d+\n$/);
    expect(await log('--since=24h')).toContain('I entry 1\n');
    await eventually('the first is old', async () => !(await log('--since=1s')).includes('I entry 1\n'));
  });

  test.concurrent('tokens are mounted as account and pod want, and verified by what the server publishes', async () => {
    const { ok, apply, path } = await inNamespace('tokens');
    const namespace = path.split('/').at(-1) ?? '';
    const wishes = [undefined, true, false];
    for (const [index, automountServiceAccountToken] of wishes.entries())
      await rest.create(`${path}/serviceaccounts`, {
        metadata: { name: `account-${index}` },
        automountServiceAccountToken,
      });
    for (const [account, ofAccount] of wishes.entries()) {
      for (const [pod, automountServiceAccountToken] of wishes.entries()) {
        const made = await rest.create(`${path}/pods`, {
          metadata: { name: `pod-${account}-${pod}` },
          spec: {
            serviceAccountName: `account-${account}`,
            automountServiceAccountToken,
            restartPolicy: 'Never',
            containers: [{ name: 'main', image: 'busybox:test', command: ['ls', TOKEN] }],
          },
        });
        const mounts = (containersOf(made)[0]?.['volumeMounts'] ?? []) as { mountPath: string }[];
        expect(mounts.some(({ mountPath }) => mountPath === TOKEN)).toBe(
          automountServiceAccountToken ?? ofAccount ?? true,
        );
      }
    }
    const phases = () => ok(['get', 'pods', '-o', 'jsonpath={range .items[*]}{.metadata.name}={.status.phase} {end}']);
    const expected = ['00=S', '01=S', '02=F', '10=S', '11=S', '12=F', '20=F', '21=S', '22=F'];
    await eventually('the pods see it too', async () => {
      const seen = (await phases()).trim().split(' ');
      return seen.map((one) => one.replaceAll(/pod|-|(?<==.).*/g, '')).join(' ') === expected.join(' ');
    });

    const kubectl = dirname(await realpath((await runCommand('sh', ['-c', 'command -v kubectl'])).stdout.trim()));
    await apply(READERS(kubectl));
    await ok(['wait', '--for=condition=Ready', 'pod/readers', '--timeout=120s']);
    const read = (container: string, path: string) => ok(['exec', 'readers', '-c', container, '--', 'cat', path]);
    expect(await read('one', `${TOKEN}/namespace`)).toBe(namespace);
    expect(await read('two', `${TOKEN}/ca.crt`)).toContain('BEGIN CERTIFICATE');
    const raw = (path: string) => ok(['exec', 'readers', '-c', 'one', '--', '/kubectl/kubectl', 'get', '--raw', path]);
    const { issuer, jwks_uri: keys } = JSON.parse(await raw('/.well-known/openid-configuration')) as Record<
      string,
      string
    >;
    const set = createLocalJWKSet(JSON.parse(await raw(new URL(keys ?? '').pathname)) as JSONWebKeySet);
    const subject = `system:serviceaccount:${namespace}:default`;
    expect((await jwtVerify(await read('three', `${TOKEN}/token`), set, { issuer: issuer ?? '' })).payload.sub).toBe(
      subject,
    );
    const projected = await jwtVerify(await read('one', '/projected/token'), set, {
      issuer: issuer ?? '',
      audience: 'oidc-discovery-test',
    });
    expect(projected.payload).toMatchObject({ sub: subject, 'kubernetes.io': { pod: { name: 'readers' } } });
  });
});

const containersOf = ({ spec }: Obj): readonly Obj[] => (spec?.['containers'] ?? []) as Obj[];

const PRIMARY = `
apiVersion: v1
kind: ReplicationController
metadata: {name: primary, labels: {app: primary}}
spec:
  replicas: 1
  selector: {app: primary, role: store}
  template:
    metadata: {labels: {app: primary, role: store}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox:test
        command: [httpd, -f, -p, "6379"]
        ports: [{name: store, containerPort: 6379}]
---
apiVersion: v1
kind: Service
metadata: {name: primary, labels: {app: primary}}
spec:
  ports: [{port: 6379, targetPort: store}]
  selector: {app: primary, role: store}
`;

/** Two tiers of HTTP servers whose scripts are made at their start. */
const tier = (name: string, script: string): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, labels: {app: guestbook}}
spec:
  ports: [{port: 80, targetPort: 8080}]
  selector: {app: guestbook, tier: ${name}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, labels: {app: guestbook}}
spec:
  replicas: ${name === 'frontend' ? 2 : 1}
  selector: {matchLabels: {app: guestbook, tier: ${name}}}
  template:
    metadata: {labels: {app: guestbook, tier: ${name}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox:test
        command:
        - sh
        - -c
        - |
          mkdir -p /www/cgi-bin
          cat >/www/cgi-bin/guestbook <<'EOF'
          #!/bin/sh
          printf 'Content-Type: text/plain\\r\\n\\r\\n'
          ${script}
          EOF
          chmod +x /www/cgi-bin/guestbook
          exec httpd -f -p 8080 -h /www
        readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
`;
const GUESTBOOK = `${tier('store', 'case $QUERY_STRING in set=*) echo $QUERY_STRING | sed s/set=// >/tmp/entry; echo stored;; *) cat /tmp/entry;; esac')}
---
${tier('frontend', 'wget -q -O- "http://store/cgi-bin/guestbook?$QUERY_STRING"')}`;

const READERS = (kubectl: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: readers}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: one
    image: busybox:test
    command: [sleep, "3600"]
    volumeMounts: [{name: kubectl, mountPath: /kubectl, readOnly: true}, {name: projected, mountPath: /projected}]
  - {name: two, image: "busybox:test", command: [sleep, "3600"]}
  - {name: three, image: "busybox:test", command: [sleep, "3600"]}
  volumes:
  - name: kubectl
    hostPath: {path: ${kubectl}, type: Directory}
  - name: projected
    projected:
      sources: [{serviceAccountToken: {path: token, audience: oidc-discovery-test, expirationSeconds: 3600}}]
`;
