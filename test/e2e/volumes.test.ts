import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E, runCommand } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

describe.skipIf(missing !== undefined)('volumes of the node', () => {
  let cluster: Cluster;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kube-lite-volumes-'));
    cluster = await Cluster.start();
  });
  afterAll(() =>
    endAll(
      () => cluster?.remove(),
      () => rm(dir, { recursive: true, force: true }),
    ),
  );

  const apply = (...items: object[]): Promise<string> =>
    cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const pod = (name: string, script: string, volumes: object[], container: object = {}, spec: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 0,
      restartPolicy: 'Never',
      containers: [{ name: 'main', image: 'busybox:test', command: ['sh', '-c', script], ...container }],
      volumes,
      ...spec,
    },
  });
  const phase = (name: string, wanted: string): Promise<unknown> =>
    eventually(`${name} ${wanted}`, async () => {
      const text = await cluster.ok(['get', 'pod', name, '-o', 'jsonpath={.status.phase}']);
      return text === wanted;
    });
  const unmounted = (uid: string): Promise<unknown> =>
    eventually('unmounted', async () => !(await readFile('/proc/self/mountinfo', 'utf8')).includes(uid));
  const claim = (name: string, source: object, more: object = {}): object[] => [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `${name}-volume` },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: name,
        ...source,
        ...more,
      },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        storageClassName: name,
        volumeName: `${name}-volume`,
      },
    },
  ];
  const onThisNode = {
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['e2e-node'] }] },
        ],
      },
    },
  };

  test('a claim keeps its files from one pod to the next; a local one is given to the fsGroup', async () => {
    const path = join(dir, 'kept');
    await mkdir(path);
    await apply(
      ...claim('kept', { local: { path } }, onThisNode),
      pod(
        'writer',
        'umask 007; id -G; echo hello >/data/sub/file',
        [{ name: 'data', persistentVolumeClaim: { claimName: 'kept' } }],
        { volumeMounts: [{ name: 'data', mountPath: '/data/sub', subPath: 'a/b' }] },
        { securityContext: { runAsUser: 1234, fsGroup: 4321 } },
      ),
    );
    await phase('writer', 'Succeeded');
    expect(await readFile(join(path, 'a/b/file'), 'utf8')).toBe('hello\n');
    await cluster.ok(['delete', 'pod', 'writer']);
    await apply(
      pod(
        'reader',
        'cat /data/a/b/file; touch /data/x 2>/dev/null || echo read-only',
        [{ name: 'data', persistentVolumeClaim: { claimName: 'kept', readOnly: true } }],
        { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
      ),
    );
    await phase('reader', 'Succeeded');
    await cluster.logs(['reader'], (text) => expect(text).toBe('hello\nread-only\n'));
  });

  test('kinds that the node has not are refused by name', async () => {
    await apply(
      ...claim('far', { iscsi: { targetPortal: '192.0.2.1', iqn: 'iqn.2001-04.com.example:x', lun: 0 } }),
      pod('far', 'true', [{ name: 'data', persistentVolumeClaim: { claimName: 'far' } }]),
    );
    const text = await eventually('an event', async () => {
      const events = await cluster.ok([
        'get',
        'events',
        '--field-selector=involvedObject.name=far,reason=FailedMount',
        '-o',
        'jsonpath={.items[*].message}',
      ]);
      return events.includes('iscsi') && events;
    });
    expect(text).toContain('err=no volume plugin matched: this node has none for volumes iscsi');
    await cluster.ok(['delete', 'pod', 'far', '--force']);
  });

  test('sub paths: of every kind of volume, by expression, and never out of the volume', async () => {
    await cluster.ok(['create', 'configmap', 'files', '--from-literal=key=of a map']);
    await apply(
      pod(
        'subs',
        'cat /one/file; cat /map; ls -d /expr/subs; sleep 3600',
        [
          { name: 'scratch', emptyDir: {} },
          { name: 'map', configMap: { name: 'files' } },
        ],
        {
          env: [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          volumeMounts: [
            { name: 'scratch', mountPath: '/one', subPath: 'in' },
            { name: 'scratch', mountPath: '/expr/subs', subPathExpr: 'by/$(NAME)' },
            { name: 'map', mountPath: '/map', subPath: 'key' },
          ],
        },
        {
          initContainers: [
            {
              name: 'init',
              image: 'busybox:test',
              command: ['sh', '-c', 'mkdir /all/in; echo made >/all/in/file; ln -s /etc /all/out'],
              volumeMounts: [{ name: 'scratch', mountPath: '/all' }],
            },
          ],
        },
      ),
    );
    await phase('subs', 'Running');
    await eventually('its output', async () => (await cluster.ok(['logs', 'subs'])) === 'made\nof a map/expr/subs\n');
    const uid = await cluster.ok(['get', 'pod', 'subs', '-o', 'jsonpath={.metadata.uid}']);
    await cluster.ok(['delete', 'pod', 'subs']);
    await unmounted(uid);

    await apply(
      pod(
        'escape',
        'ls /out',
        [{ name: 'scratch', emptyDir: {} }],
        { volumeMounts: [{ name: 'scratch', mountPath: '/out', subPath: 'out' }] },
        {
          initContainers: [
            {
              name: 'init',
              image: 'busybox:test',
              command: ['ln', '-s', '/etc', '/all/out'],
              volumeMounts: [{ name: 'scratch', mountPath: '/all' }],
            },
          ],
        },
      ),
    );
    await eventually('refused', async () => {
      const path = 'jsonpath={.status.containerStatuses[0].state.waiting.reason}';
      return (await cluster.ok(['get', 'pod', 'escape', '-o', path])) === 'CreateContainerConfigError';
    });
    await cluster.ok(['delete', 'pod', 'escape', '--force']);
  });

  test('what a container mounts into its volume is unmounted, not emptied, when the pod goes', async () => {
    const precious = join(dir, 'precious');
    await mkdir(precious);
    await writeFile(join(precious, 'file'), 'kept');
    await apply(
      pod('holder', 'sleep 3600', [{ name: 'scratch', emptyDir: {} }], {
        volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
      }),
    );
    await phase('holder', 'Running');
    const uid = await cluster.ok(['get', 'pod', 'holder', '-o', 'jsonpath={.metadata.uid}']);
    const inside = join(cluster.dataDir, 'agent/kubelet/pods', uid, 'volumes/kubernetes.io~empty-dir/scratch/in');
    await mkdir(inside);
    expect(await runCommand('mount', ['--bind', precious, inside])).toMatchObject({ code: 0 });
    await cluster.ok(['delete', 'pod', 'holder']);
    await unmounted(uid);
    await eventually('removed', async () => (await runCommand('ls', [inside])).code !== 0);
    expect(await readFile(join(precious, 'file'), 'utf8')).toBe('kept');
  });
});
