import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
let cluster: Cluster;

beforeAll(async () => {
  if (missing !== undefined) throw new Error(`end-to-end tests cannot run: ${missing}`);
  cluster = await Cluster.start();
});

afterAll(() => cluster?.remove());

const CLAIM = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
`;

function pod(name: string, command: string): string {
  return `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: busybox:test
    command: [sh, -c, "${command}"]
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
`;
}

test('a claim of the default class gets a directory of the node, keeps its data, and takes it along', async () => {
  const storage = join(cluster.dataDir, 'storage');
  await cluster.apply(CLAIM);
  await eventually('the reason to wait', async () =>
    /WaitForFirstConsumer.*waiting for first consumer/.test(await cluster.ok(['describe', 'pvc', 'data'])),
  );
  await cluster.apply(pod('writer', 'echo kept > /data/file'));
  await cluster.ok(['wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/writer', '--timeout=120s']);
  expect(await cluster.ok(['get', 'pvc', 'data'])).toMatch(/data +Bound +pvc-\S+ +1Gi +RWO +local-path/);
  expect(await readdir(storage)).toHaveLength(1);
  await cluster.ok(['delete', 'pod', 'writer']);
  await cluster.apply(pod('reader', 'cat /data/file'));
  await cluster.ok(['wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/reader', '--timeout=120s']);
  await cluster.logs(['reader'], (text) => expect(text).toBe('kept\n'));
  await cluster.ok(['delete', 'pod/reader', 'pvc/data']);
  await eventually('the volume is gone', async () => (await cluster.ok(['get', 'pv', '-o', 'name'])) === '');
  await eventually('its directory is gone', async () => (await readdir(storage)).length === 0);
});
