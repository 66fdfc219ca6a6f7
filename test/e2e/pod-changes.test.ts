import { once } from 'node:events';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { freePort } from '../../pkg/base/testing/free-port.ts';
import { credentialsOf } from './api-call.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

interface State {
  readonly waiting?: { readonly reason: string };
  readonly running?: { readonly startedAt: string };
  readonly terminated?: { readonly exitCode: number; readonly reason: string };
}
interface ContainerStatus {
  readonly name: string;
  readonly restartCount: number;
  readonly ready: boolean;
  readonly state: State;
}
interface Pod {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly spec: { readonly ephemeralContainers?: readonly object[] };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { type: string; status: string; lastTransitionTime: string }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
  };
}

const SLEEP = "trap 'exit 0' TERM; while :; do sleep 0.2; done";
const container = (script: string, more: object = {}): object => ({
  name: 'main',
  image: 'busybox:test',
  command: ['sh', '-c', script],
  ...more,
});
const pod = (name: string, main: object, spec: object = {}, annotations: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { key1: 'value1' }, annotations },
  spec: { terminationGracePeriodSeconds: 2, containers: [main], ...spec },
});
const object = (kind: string, name: string, text: string): object => ({
  apiVersion: 'v1',
  kind,
  metadata: { name },
  ...(kind === 'Secret' ? { stringData: { data: text } } : { data: { data: text } }),
});
/** Fails in its first run, ends well in its second, and stays in its third. */
const RUNS = 'n=$(echo >>/d/f; wc -l </d/f); [ $n -eq 1 ] && exit 1; [ $n -eq 2 ] && exit 0; while :; do sleep 1; done';
const runs = (name: string, restartPolicy: string): object =>
  pod(name, container(RUNS, { volumeMounts: [{ name: 'd', mountPath: '/d' }] }), {
    restartPolicy,
    volumes: [{ name: 'd', emptyDir: { medium: 'Memory' } }],
  });
/** Two mounts of one volume: one of them at a place below it that an annotation names. */
const expanded = (name: string, annotations: object): object =>
  pod(
    name,
    container('tail -f /dev/null', {
      env: [
        { name: 'POD_NAME', value: 'foo' },
        { name: 'ANNOTATION', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['mysubpath']" } } },
      ],
      volumeMounts: [
        { name: 'd', mountPath: '/subpath_mount', subPathExpr: '$(ANNOTATION)/$(POD_NAME)' },
        { name: 'd', mountPath: '/volume_mount' },
      ],
    }),
    { terminationGracePeriodSeconds: 0, restartPolicy: 'Never', volumes: [{ name: 'd', emptyDir: {} }] },
    annotations,
  );
const badSubPath = (name: string, value: string): object =>
  pod(
    name,
    container('true', {
      env: [{ name: 'POD_NAME', value }],
      volumeMounts: [{ name: 'd', mountPath: '/d', subPathExpr: '$(POD_NAME)' }],
    }),
    { volumes: [{ name: 'd', emptyDir: {} }] },
  );
const init = (name: string, restartPolicy: string, first: string): object =>
  pod(name, container(restartPolicy === 'Never' ? 'true' : SLEEP), {
    restartPolicy,
    initContainers: [
      { ...container(first), name: 'one' },
      { ...container('true'), name: 'two' },
    ],
  });
const http = (path: string, port: number): object => ({ httpGet: { path, port } });
const probe = (handler: object, more: object = {}): object => ({
  ...handler,
  periodSeconds: 1,
  timeoutSeconds: 5,
  failureThreshold: 1,
  ...more,
});
/** What has to go on may be slow to begin. */
const PATIENT = { failureThreshold: 30 };
/** Serves `/healthz` for two seconds, and `/` for ever. */
const WEB = 'mkdir /w; echo ok >/w/index.html; echo ok >/w/healthz; (sleep 2; rm /w/healthz)& httpd -f -p 8080 -h /w';
const FILE = 'echo ok >/tmp/health; ';
const CAT = { exec: { command: ['cat', '/tmp/health'] } };
const probed = (name: string, script: string, livenessProbe: object, spec: object = {}): object =>
  pod(name, container(script, { livenessProbe }), { terminationGracePeriodSeconds: 0, ...spec });

const SHARED = { volumeMounts: [{ name: 'd', mountPath: '/d' }] };

/** Tells of every file that it is asked for. */
const SERVER =
  'mkdir /w; cd /w; for f in http exec; do echo ok >hook-$f-start; echo ok >hook-$f-stop; done; exec httpd -f -vv -p 8080 2>&1';

/** A volume of each kind that follows an object, of its own and as a part of a projected one. */
const FOLLOWED = ['created', 'updated', 'deleted'].flatMap((what) => [
  { name: `map-${what}`, configMap: { name: what, optional: true } },
  { name: `secret-${what}`, secret: { secretName: what, optional: true } },
  { name: `p-map-${what}`, projected: { sources: [{ configMap: { name: what, optional: true } }] } },
  { name: `p-secret-${what}`, projected: { sources: [{ secret: { name: what, optional: true } }] } },
]);
const FIELDS = {
  items: [
    { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
    { path: 'annotations', fieldRef: { fieldPath: 'metadata.annotations' } },
  ],
};
const VOLUMES = [
  ...FOLLOWED,
  { name: 'fields', downwardAPI: FIELDS },
  { name: 'p-fields', projected: { sources: [{ downwardAPI: FIELDS }] } },
];

describe.skipIf(missing !== undefined)('changes of pods', () => {
  let cluster: Cluster;
  let health: GrpcServer;
  beforeAll(async () => {
    const [healthPort, closedPort] = [await freePort(), await freePort()];
    health = await grpcHealth(healthPort);
    cluster = await Cluster.start();
    const items = [
      ...['updated', 'deleted'].flatMap((name) => [
        object('ConfigMap', name, 'before'),
        object('Secret', name, 'before'),
      ]),
      pod(
        'following',
        container(SLEEP, { volumeMounts: VOLUMES.map(({ name }) => ({ name, mountPath: `/v/${name}` })) }),
        { volumes: VOLUMES },
      ),
      runs('runs-always', 'Always'),
      runs('runs-on-failure', 'OnFailure'),
      runs('runs-never', 'Never'),
      expanded('expanded', { mysubpath: 'mypath' }),
      expanded('expanded-later', { notmysubpath: 'mypath' }),
      badSubPath('sub-path-dots', '..'),
      badSubPath('sub-path-absolute', '/tmp'),
      init('init-never', 'Never', 'true'),
      init('init-always', 'Always', 'true'),
      init('init-fails-never', 'Never', 'false'),
      init('init-fails-always', 'Always', 'false'),
      pod('target', container(SLEEP)),
      pod('talks', container('echo container is alive; exec sleep 600'), { terminationGracePeriodSeconds: 0 }),
      pod('server', container(SERVER), {
        terminationGracePeriodSeconds: 0,
      }),
      pod('deadline', container(SLEEP)),
      probed('http-fails', WEB, probe(http('/healthz', 8080))),
      probed('http-goes-on', WEB, probe(http('/', 8080), PATIENT)),
      probed('tcp-goes-on', WEB, probe({ tcpSocket: { port: 8080 } }, PATIENT)),
      probed('exec-fails', `${FILE}sleep 2; rm /tmp/health; sleep 600`, probe(CAT, { initialDelaySeconds: 1 })),
      probed('exec-goes-on', `${FILE}sleep 600`, probe(CAT, { initialDelaySeconds: 1, ...PATIENT })),
      probed('grpc-goes-on', 'sleep 600', probe({ grpc: { port: healthPort } }, PATIENT), { hostNetwork: true }),
      probed('grpc-fails', 'sleep 600', probe({ grpc: { port: closedPort } }), { hostNetwork: true }),
      pod('ready-late', container(WEB, { readinessProbe: probe(http('/', 8080), { initialDelaySeconds: 4 }) })),
      pod('never-ready', container(WEB, { readinessProbe: probe({ exec: { command: ['false'] } }) })),
      pod('shared', container('while [ ! -s /d/f ]; do sleep 0.1; done; cat /d/f', SHARED), {
        restartPolicy: 'Never',
        containers: [
          container('while [ ! -s /d/f ]; do sleep 0.1; done; cat /d/f', SHARED),
          { ...container('sleep 1; echo "Hello from the busy-box sub-container" >/d/f', SHARED), name: 'sub' },
        ],
        volumes: [{ name: 'd', emptyDir: {} }],
      }),
    ];
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  });
  afterAll(() =>
    endAll(
      () => health?.forceShutdown(),
      () => cluster?.remove(),
    ),
  );

  const until = (name: string, what: string, check: (pod: Pod) => boolean): Promise<Pod> =>
    eventually(`${name} ${what}`, async () => {
      const found = await cluster.get<Pod>('pod', name);
      return check(found) ? found : undefined;
    });
  const phase = (name: string, wanted: string): Promise<Pod> =>
    until(name, wanted, ({ status }) => status.phase === wanted);
  const main = ({ status }: Pod): ContainerStatus | undefined => status.containerStatuses?.[0];
  const isReady = ({ status }: Pod): boolean =>
    status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;

  test.concurrent('volumes follow their objects: updated, created and deleted', async () => {
    await phase('following', 'Running');
    const files = (): Promise<string> =>
      cluster.ok(['exec', 'following', '--', 'sh', '-c', 'cd /v; for f in */*; do sed "s|^|$f:|" $f; echo; done']);
    const lines = (text: string): string[] => text.split('\n');
    const before = lines(await files());
    for (const kind of ['map', 'secret', 'p-map', 'p-secret']) {
      expect(before).toContain(`${kind}-updated/data:before`);
      expect(before).toContain(`${kind}-deleted/data:before`);
      expect(before).not.toContain(`${kind}-created/data:created`);
    }
    await cluster.apply(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [
          ...['ConfigMap', 'Secret'].flatMap((kind) => [
            object(kind, 'updated', 'after'),
            object(kind, 'created', 'new'),
          ]),
        ],
      }),
    );
    await cluster.ok(['delete', 'configmap/deleted', 'secret/deleted']);
    await cluster.ok(['label', 'pod', 'following', 'key3=value3']);
    await cluster.ok(['annotate', 'pod', 'following', 'builder=foo']);
    await eventually('all of it in the volumes', async () => {
      const after = lines(await files());
      const kinds = ['map', 'secret', 'p-map', 'p-secret'];
      return (
        kinds.every(
          (kind) =>
            after.includes(`${kind}-updated/data:after`) &&
            after.includes(`${kind}-created/data:new`) &&
            !after.includes(`${kind}-deleted/data:before`),
        ) &&
        ['fields', 'p-fields'].every(
          (name) =>
            after.includes(`${name}/labels:key3="value3"`) && after.includes(`${name}/annotations:builder="foo"`),
        )
      );
    });
  });

  test.concurrent('the restart policy decides on restarts and the phase', async () => {
    const never = await phase('runs-never', 'Failed');
    expect([main(never)?.restartCount, isReady(never), main(never)?.state.terminated?.reason]).toEqual([
      0,
      false,
      'Error',
    ]);
    const onFailure = await phase('runs-on-failure', 'Succeeded');
    expect([main(onFailure)?.restartCount, isReady(onFailure), main(onFailure)?.state.terminated?.exitCode]).toEqual([
      1,
      false,
      0,
    ]);
    const always = await until('runs-always', 'runs for the third time', (one) => main(one)?.restartCount === 2);
    expect([always.status.phase, main(always)?.state.running === undefined]).toEqual(['Running', false]);
    await until('runs-always', 'is ready', isReady);
    await cluster.ok(['delete', 'pod', 'runs-never', 'runs-on-failure', 'runs-always', '--grace-period=0', '--force']);
  });

  test.concurrent('init containers run before the others, or instead of them', async () => {
    const never = await phase('init-never', 'Succeeded');
    expect(never.status.initContainerStatuses?.map(({ ready, state }) => [ready, state.terminated?.exitCode])).toEqual([
      [true, 0],
      [true, 0],
    ]);
    const always = await phase('init-always', 'Running');
    expect(always.status.initContainerStatuses?.map(({ ready }) => ready)).toEqual([true, true]);
    const failed = await phase('init-fails-never', 'Failed');
    expect(failed.status.initContainerStatuses?.[0]?.state.terminated?.exitCode).toBe(1);
    expect(failed.status.initContainerStatuses?.[1]?.state.waiting?.reason).toBe('PodInitializing');
    expect(main(failed)?.state.waiting?.reason).toBe('PodInitializing');
    const again = await until(
      'init-fails-always',
      'tries again',
      ({ status }) => (status.initContainerStatuses?.[0]?.restartCount ?? 0) >= 1,
    );
    expect([again.status.phase, main(again)?.state.waiting?.reason]).toEqual(['Pending', 'PodInitializing']);
  });

  test.concurrent('sub paths by expression follow an annotation until the container is made', async () => {
    await phase('expanded', 'Running');
    const shell = (name: string, script: string): Promise<string> =>
      cluster.ok(['exec', name, '--', 'sh', '-c', script]);
    await shell('expanded', 'touch /volume_mount/mypath/foo/test.log && test -f /subpath_mount/test.log');
    await cluster.ok(['annotate', 'pod', 'expanded', 'mysubpath=mynewpath', '--overwrite']);
    await shell('expanded', 'test -f /subpath_mount/test.log');
    const refused = 'CreateContainerConfigError';
    for (const name of ['sub-path-dots', 'sub-path-absolute', 'expanded-later'])
      await until(name, refused, (one) => main(one)?.state.waiting?.reason === refused);
    await cluster.ok(['annotate', 'pod', 'expanded-later', 'mysubpath=mypath']);
    await phase('expanded-later', 'Running');
    await cluster.ok(['delete', 'pod', 'expanded', 'expanded-later', 'sub-path-dots', 'sub-path-absolute']);
  });

  test.concurrent('ephemeral containers are added one after the other', async () => {
    const patch = (...names: string[]): Promise<string> =>
      cluster.ok([
        'patch',
        'pod',
        'target',
        '--subresource=ephemeralcontainers',
        '-p',
        JSON.stringify({
          spec: {
            ephemeralContainers: names.map((name) => ({
              name,
              image: 'busybox:test',
              command: ['sh', '-c', 'while true; do echo polo; sleep 2; done'],
              stdin: true,
              tty: true,
            })),
          },
        }),
      ]);
    await phase('target', 'Running');
    await patch('debugger');
    const running = (name: string): Promise<Pod> =>
      until('target', `runs ${name}`, ({ status }) =>
        (status.ephemeralContainerStatuses ?? []).some((one) => one.name === name && one.state.running !== undefined),
      );
    expect((await running('debugger')).metadata.generation).toBe(2);
    expect(await cluster.ok(['exec', 'target', '-c', 'debugger', '--', '/bin/echo', 'marco'])).toContain('marco');
    await eventually('its output', async () =>
      (await cluster.ok(['logs', 'target', '-c', 'debugger'])).includes('polo'),
    );
    const count = async (): Promise<number | undefined> =>
      (await cluster.get<Pod>('pod', 'target', '--subresource=ephemeralcontainers')).spec.ephemeralContainers?.length;
    expect(await count()).toBe(1);
    await patch('debugger', 'debugger2');
    expect(await count()).toBe(2);
    await running('debugger2');
  });

  test.concurrent('commands and logs over WebSocket', async () => {
    await phase('talks', 'Running');
    const messages = async (path: string, protocol: string, ...input: readonly Buffer[]): Promise<Buffer[]> => {
      const url = `wss://127.0.0.1:${cluster.port}/api/v1/namespaces/default/pods/talks/${path}`;
      const client = new WebSocket(url, [protocol], await credentialsOf(cluster));
      const received: Buffer[] = [];
      client.on('message', (data) => received.push(data as Buffer));
      client.once('open', () => {
        for (const message of input) client.send(message);
      });
      if (path.startsWith('log')) client.on('message', () => received.length > 1 && client.close());
      await once(client, 'close');
      return received.filter(({ length }) => length > 0);
    };
    await eventually('its log', async () => {
      const log = await messages('log?container=main', 'binary.k8s.io');
      return String(Buffer.concat(log)) === 'container is alive\n';
    });
    const output = await messages(
      'exec?container=main&stdout=1&stderr=1&command=echo&command=remote+execution+test',
      'channel.k8s.io',
    );
    const stdout = output.filter((data) => data[0] === 1).map((data) => data.subarray(1));
    expect(String(Buffer.concat(stdout))).toBe('remote execution test\n');
    expect(output.filter((data) => data[0] !== 1 && data.length > 1)).toEqual([]);
    // Only with the fifth version can a client end the input and still read the output.
    const ended = [Buffer.from('\0to be counted'), Buffer.from([255, 0])];
    const path = 'exec?container=main&stdin=1&stdout=1&command=wc&command=-c';
    const counted = await messages(path, 'v5.channel.k8s.io', ...ended);
    expect(counted.map((data) => `${data[0]}:${data.subarray(1)}`)).toEqual([
      '1:',
      expect.stringMatching(/^1:\s*13\n$/),
      '3:{"metadata":{},"status":"Success"}',
    ]);
  });

  test.concurrent('hooks reach a server by HTTP and by command', async () => {
    const { status } = await phase('server', 'Running');
    const address = { host: status.podIP, port: 8080 };
    const get = (path: string): object => ({ httpGet: { path: `/${path}`, ...address } });
    const wget = (path: string): object => ({
      exec: { command: ['wget', '-qO-', `http://${status.podIP}:8080/${path}`] },
    });
    const hooked = (name: string, hook: (path: string) => object): object =>
      pod(name, container(SLEEP, { lifecycle: { postStart: hook(`${name}-start`), preStop: hook(`${name}-stop`) } }));
    const seen = (what: string): Promise<unknown> =>
      eventually(what, async () => (await cluster.ok(['logs', 'server'])).includes(what));
    const items = [hooked('hook-http', get), hooked('hook-exec', wget)];
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    await until('hook-http', 'is ready', isReady);
    await until('hook-exec', 'is ready', isReady);
    await Promise.all([seen('hook-http-start'), seen('hook-exec-start')]);
    await cluster.ok(['delete', 'pod', 'hook-http', 'hook-exec']);
    await Promise.all([seen('hook-http-stop'), seen('hook-exec-stop')]);
  });

  test.concurrent('a deadline that is set later ends the pod', async () => {
    await phase('deadline', 'Running');
    await cluster.ok(['patch', 'pod', 'deadline', '-p', '{"spec":{"activeDeadlineSeconds":1}}']);
    expect((await phase('deadline', 'Failed')).status).toMatchObject({ reason: 'DeadlineExceeded' });
  });

  test.concurrent('liveness probes of each kind restart what fails, and leave alone what does not', async () => {
    for (const name of ['http-fails', 'exec-fails', 'grpc-fails'])
      await until(name, 'is restarted', (one) => (main(one)?.restartCount ?? 0) >= 1);
    const counts: number[] = [];
    await until('http-fails', 'is restarted again', (one) => {
      counts.push(main(one)?.restartCount ?? 0);
      return (counts.at(-1) ?? 0) >= 3;
    });
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    for (const name of ['http-goes-on', 'tcp-goes-on', 'exec-goes-on', 'grpc-goes-on']) {
      const found = await until(name, 'is ready', isReady);
      expect(main(found)?.restartCount, name).toBe(0);
    }
  });

  test.concurrent('readiness probes hold back, and restart nothing', async () => {
    const late = await until('ready-late', 'is ready', isReady);
    const readyAt = late.status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '';
    expect(Date.parse(readyAt) - Date.parse(main(late)?.state.running?.startedAt ?? '')).toBeGreaterThanOrEqual(4_000);
    const never = await phase('never-ready', 'Running');
    for (const found of [late, never]) expect(main(found)?.restartCount).toBe(0);
    expect(isReady(await cluster.get<Pod>('pod', 'never-ready'))).toBe(false);
  });

  test.concurrent('fifty ConfigMaps are mounted into each of five pods', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `racey-${index}`);
    const template = {
      metadata: { labels: { name: 'racey' } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          container('sleep 10000', { volumeMounts: names.map((name) => ({ name, mountPath: `/etc/config/${name}` })) }),
        ],
        volumes: names.map((name) => ({ name, configMap: { name, items: [{ key: 'data', path: 'data-1' }] } })),
      },
    };
    const controller = {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'racey' },
      spec: { replicas: 5, selector: { name: 'racey' }, template },
    };
    const items = [...names.map((name) => object('ConfigMap', name, 'value')), controller];
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    const ready = 'jsonpath={.status.readyReplicas}';
    await eventually('all of them run', async () => (await cluster.ok(['get', 'rc', 'racey', '-o', ready])) === '5');
    await cluster.ok(['delete', 'rc', 'racey']);
  });

  test.concurrent('containers share an emptyDir', async () => {
    await phase('shared', 'Succeeded');
    await cluster.logs(['shared', '-c', 'main'], (text) =>
      expect(text).toBe('Hello from the busy-box sub-container\n'),
    );
  });
});

/** Answers every health check with SERVING, on all addresses. */
async function grpcHealth(port: number): Promise<GrpcServer> {
  const server = new GrpcServer();
  const identity = (bytes: Buffer): Buffer => bytes;
  server.addService(
    {
      check: {
        path: '/grpc.health.v1.Health/Check',
        requestStream: false,
        responseStream: false,
        requestSerialize: identity,
        requestDeserialize: identity,
        responseSerialize: identity,
        responseDeserialize: identity,
      },
    },
    { check: (_call: unknown, done: (error: null, answer: Buffer) => void) => done(null, Buffer.from([8, 1])) },
  );
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`0.0.0.0:${port}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return server;
}
