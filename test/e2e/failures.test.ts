import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, executable, missingForE2E, runCommand } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

interface Status {
  kind: string;
  code: number;
  reason: string;
  message: string;
  details?: { causes?: { field?: string; reason?: string }[] };
}

describe.skipIf(missing !== undefined)('what goes wrong says why', () => {
  let cluster: Cluster;
  let token = '';
  beforeAll(async () => {
    cluster = await Cluster.start();
    await cluster.ok(['create', 'serviceaccount', 'admin', '-n', 'kube-system']);
    await cluster.ok([
      'create',
      'clusterrolebinding',
      'admin',
      '--clusterrole=cluster-admin',
      '--serviceaccount=kube-system:admin',
    ]);
    token = (await cluster.ok(['create', 'token', 'admin', '-n', 'kube-system'])).trim();
  });
  afterAll(() => cluster?.remove());

  /** A raw request with the admin's token. */
  function send(
    method: string,
    path: string,
    body: string | Buffer = '',
    headers: Record<string, string> = {},
  ): Promise<{ code: number; status: Status }> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          host: '127.0.0.1',
          port: cluster.port,
          method,
          path,
          rejectUnauthorized: false,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            try {
              resolve({ code: answer.statusCode ?? 0, status: JSON.parse(text) as Status });
            } catch (error) {
              reject(new Error(`answer is not JSON: ${text.slice(0, 200)}`, { cause: error }));
            }
          });
        },
      );
      call.on('error', reject);
      call.end(body);
    });
  }

  const events = (name: string, reason: string): Promise<string> =>
    cluster.ok([
      'get',
      'events',
      '-A',
      '--field-selector',
      `involvedObject.name=${name},reason=${reason}`,
      '-o',
      'jsonpath={range .items[*]}{.message}{"\\n"}{end}',
    ]);

  test('a static pod runs, and leaves with its manifest', async () => {
    const dir = join(cluster.dataDir, 'agent/pod-manifests');
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'static.yaml'), pod('static', 'busybox:test'));
    await cluster.ok(['wait', '--for=condition=Ready', 'pod/static-e2e-node', '--timeout=120s']).catch(() => '');
    await eventually(
      'static pod ready',
      async () => (await cluster.ok(['get', 'pod', 'static-e2e-node', '-o', 'jsonpath={.status.phase}'])) === 'Running',
    );
    await runCommand('rm', [join(dir, 'static.yaml')]);
    await eventually('gone', async () => (await cluster.kubectl(['get', 'pod', 'static-e2e-node'])).code === 1);
  });

  test('a pod that does not fit says why', async () => {
    await cluster.apply(`${pod('huge', 'busybox:test')}    resources: {requests: {cpu: "1000"}}\n`);
    await eventually('event', async () =>
      (await events('huge', 'FailedScheduling')).includes('0/1 nodes are available: 1 Insufficient cpu.'),
    );
    const condition = await cluster.ok([
      'get',
      'pod',
      'huge',
      '-o',
      'jsonpath={.status.conditions[?(@.type=="PodScheduled")].reason}',
    ]);
    expect(condition).toBe('Unschedulable');
    await cluster.apply(`${pod('elsewhere', 'busybox:test')}  nodeSelector: {disk: ssd}\n`);
    await eventually('event', async () =>
      (await events('elsewhere', 'FailedScheduling')).includes(
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
      ),
    );
  });

  test('an image that does not exist says why, with back-off', async () => {
    await cluster.apply(pod('imageless', '127.0.0.1:1/nothing:1'));
    await eventually(
      'back-off',
      async () =>
        (await cluster.ok([
          'get',
          'pod',
          'imageless',
          '-o',
          'jsonpath={.status.containerStatuses[0].state.waiting.reason}',
        ])) === 'ImagePullBackOff',
    );
    for (const [reason, text] of [
      ['Failed', 'Failed to pull image "127.0.0.1:1/nothing:1"'],
      ['BackOff', 'Back-off pulling image "127.0.0.1:1/nothing:1"'],
    ] as const)
      await eventually(text, async () => (await events('imageless', reason)).includes(text));
  });

  test('a crashing container backs off', async () => {
    await cluster.apply(
      pod('crashing', 'busybox:test').replace('command: [sleep, "3600"]', 'command: [sh, -c, "exit 3"]'),
    );
    await eventually(
      'back-off',
      async () =>
        (await cluster.ok([
          'get',
          'pod',
          'crashing',
          '-o',
          'jsonpath={.status.containerStatuses[0].state.waiting.reason}',
        ])) === 'CrashLoopBackOff',
    );
    expect(
      await cluster.ok([
        'get',
        'pod',
        'crashing',
        '-o',
        'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}',
      ]),
    ).toBe('3');
  });

  test('an image that lost its content, and a sandbox that lost its state: each says so, and the node recovers alone', async () => {
    const containerd = await ownContainerd(cluster.dataDir);
    const images = await containerd.ctr('images', 'ls');
    const digest = images.split('\n').find((line) => line.startsWith('docker.io/library/busybox:test2 '));
    const manifest = await containerd.ctr('content', 'get', digest?.match(/sha256:\w+/)?.[0] ?? '');
    const { config } = JSON.parse(manifest) as { config: { digest: string } };
    await containerd.ctr('content', 'rm', config.digest);
    // A test that is tried again wants pods of its own.
    const names = ['damaged-image', 'damaged-sandbox', 'whole'].map((name) => `${name}-${Date.now()}`);
    const [withImage = '', withSandbox = '', whole = ''] = names;
    for (const name of names) await cluster.apply(pod(name, name === withImage ? 'busybox:test2' : 'busybox:test'));
    const running = async (name: string, restarts: string): Promise<unknown> =>
      eventually(`${name} runs after ${restarts} restarts`, async () => {
        const path = 'jsonpath={.status.containerStatuses[0].ready} {.status.containerStatuses[0].restartCount}';
        return (await cluster.ok(['get', 'pod', name, '-o', path])) === `true ${restarts}`;
      });
    await Promise.all([running(withSandbox, '0'), running(whole, '0')]);
    await eventually('the image is told of', async () =>
      (await events(withImage, 'Failed')).includes(`content digest ${config.digest}: not found`),
    );

    const uid = await cluster.ok(['get', 'pod', withSandbox, '-o', 'jsonpath={.metadata.uid}']);
    await containerd.damageSandbox(uid);
    await running(withSandbox, '1');
    await eventually('it is told of', async () =>
      (await events(withSandbox, 'SandboxChanged')).includes('Pod sandbox changed'),
    );
    await Promise.all([cluster.nodeReady(), running(withImage, '0'), running(whole, '0')]);
  });

  test.each<[string, string, string, string, number, string, Record<string, string>?]>([
    ['malformed JSON', 'POST', '/api/v1/namespaces/default/configmaps', '{"kind":', 400, 'BadRequest'],
    [
      'malformed YAML',
      'POST',
      '/api/v1/namespaces/default/configmaps',
      'a: [',
      400,
      'BadRequest',
      { 'content-type': 'application/yaml' },
    ],
    [
      'wrong kind',
      'POST',
      '/api/v1/namespaces/default/configmaps',
      '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}',
      400,
      'BadRequest',
    ],
    [
      'a name against the rules',
      'POST',
      '/api/v1/namespaces/default/configmaps',
      '{"metadata":{"name":"A_b"}}',
      422,
      'Invalid',
    ],
    [
      'an unknown field',
      'POST',
      '/api/v1/namespaces/default/configmaps?fieldValidation=Strict',
      '{"metadata":{"name":"a"},"dta":{}}',
      400,
      'BadRequest',
    ],
    [
      'a wrong type',
      'POST',
      '/api/v1/namespaces/default/configmaps',
      '{"metadata":{"name":"a"},"data":[]}',
      400,
      'BadRequest',
    ],
    [
      'an unknown media type',
      'POST',
      '/api/v1/namespaces/default/configmaps',
      '{}',
      415,
      'UnsupportedMediaType',
      { 'content-type': 'text/plain' },
    ],
    [
      'an absent namespace',
      'POST',
      '/api/v1/namespaces/nowhere/configmaps',
      '{"metadata":{"name":"a"}}',
      404,
      'NotFound',
    ],
    ['a bad token', 'GET', '/api/v1/pods', '', 401, 'Unauthorized', { authorization: 'Bearer nonsense' }],
    ['a bad selector', 'GET', '/api/v1/pods?labelSelector=a%3D%3D%3Db', '', 400, 'BadRequest'],
    [
      'prototype pollution is plain data',
      'POST',
      '/api/v1/namespaces/default/configmaps?fieldValidation=Strict',
      '{"metadata":{"name":"a"},"__proto__":{"x":1}}',
      400,
      'BadRequest',
    ],
  ])('%s', async (_name, method, path, body, code, reason, headers) => {
    const answer = await send(method, path, body, headers);
    expect(answer).toMatchObject({ code, status: { kind: 'Status', code, reason } });
    expect(answer.status.message).not.toBe('');
  });

  test('an invalid pod names every field', async () => {
    const answer = await send(
      'POST',
      '/api/v1/namespaces/default/pods',
      '{"metadata":{"name":"bad"},"spec":{"restartPolicy":"Sometimes","containers":[{"name":"Bad","image":""}]}}',
    );
    expect(answer.code).toBe(422);
    const fields = answer.status.details?.causes?.map((cause) => cause.field);
    expect(fields).toEqual(
      expect.arrayContaining(['spec.containers[0].name', 'spec.containers[0].image', 'spec.restartPolicy']),
    );
  });

  test('a body over 3 MiB', async () => {
    const body = JSON.stringify({ metadata: { name: 'big' }, data: { a: 'x'.repeat(3 * 2 ** 20) } });
    expect(await send('POST', '/api/v1/namespaces/default/configmaps', body)).toMatchObject({
      code: 413,
      status: { reason: 'RequestEntityTooLarge' },
    });
  });

  test('plain HTTP and broken TLS leave the server unharmed', async () => {
    await fetch(`http://127.0.0.1:${cluster.port}/version`).catch(() => undefined);
    await runCommand('sh', [
      '-c',
      `printf '\\026\\003\\001\\002\\000garbage' | timeout 2 nc 127.0.0.1 ${cluster.port} || true`,
    ]);
    expect(await cluster.ok(['get', '--raw', '/livez'])).toBe('ok');
  });

  test.each([
    [
      'a port in use',
      (c: Cluster) => ['server', '--data-dir', `${c.dataDir}-2`, '--https-listen-port', String(c.port)],
      /port \d+ is in use/,
    ],
    [
      'a data directory in use',
      (c: Cluster) => ['server', '--data-dir', c.dataDir, '--https-listen-port', '0'],
      /is used by another/,
    ],
    ['an unknown flag', () => ['server', '--no-such'], /unknown option '--no-such'/],
    ['an unknown command', () => ['serve'], /unknown command 'serve'/],
    [
      'a configuration file that is not there',
      () => ['server', '--config', '/nonexistent.yaml'],
      /cannot read the configuration file/,
    ],
  ])('%s is one line on the command line', async (_name, args, message) => {
    const result = await runCommand(executable, args(cluster));
    await runCommand('rm', ['-rf', `${cluster.dataDir}-2`]);
    expect(result.code).not.toBe(0);
    expect(
      result.stderr
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('kube-lite: ')),
    ).toHaveLength(1);
    expect(result.stderr).toMatch(message);
  });
});

/** The containerd that the cluster runs. */
async function ownContainerd(dataDir: string): Promise<{
  readonly ctr: (...args: string[]) => Promise<string>;
  /** Overwrites what is kept of a pod's sandbox, and ends its shim and containerd, which then has to do with what it finds. */
  readonly damageSandbox: (podUID: string) => Promise<void>;
}> {
  const config = await readFile(join(dataDir, 'agent/containerd/config.toml'), 'utf8');
  const socket = /address = "(.*)"/.exec(config)?.[1] ?? '';
  const { pid } = JSON.parse(await readFile(join(dataDir, 'agent/containerd/containerd.pid.json'), 'utf8')) as {
    pid: number;
  };
  const binDir = dirname(await readlink(`/proc/${pid}/exe`));
  const env = { LD_LIBRARY_PATH: join(binDir, '../lib') };
  const tasks = join(dirname(socket), 'io.containerd.runtime.v2.task/k8s.io');
  return {
    async ctr(...args) {
      const result = await runCommand(join(binDir, 'ctr'), ['-a', socket, '-n', 'k8s.io', ...args], { env });
      expect(result, `ctr ${args.join(' ')}`).toMatchObject({ code: 0 });
      return result.stdout;
    },
    async damageSandbox(podUID) {
      for (const id of await readdir(tasks)) {
        const spec = await readFile(join(tasks, id, 'config.json'), 'utf8');
        if (!spec.includes(podUID) || !spec.includes('"io.kubernetes.cri.container-type":"sandbox"')) continue;
        for (const name of ['config.json', 'address']) await writeFile(join(tasks, id, name), 'damaged');
        const shim = await runCommand('pgrep', ['-f', `containerd-shim-runc-v2 .*-id ${id}`]);
        for (const found of [Number(shim.stdout.trim()), pid]) process.kill(found, 'SIGKILL');
        return;
      }
      throw new Error('the pod has no sandbox');
    },
  };
}

const pod = (name: string, image: string): string => `
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: ${image}
    command: [sleep, "3600"]
`;
