import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E, runCommand } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

describe.skipIf(missing !== undefined)('configuration and volumes', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster?.remove());

  const ready = (pod: string): Promise<string> =>
    cluster.ok(['wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=120s']);
  const sh = (pod: string, script: string, container = ''): Promise<string> =>
    cluster.ok(['exec', pod, ...(container === '' ? [] : ['-c', container]), '--', 'sh', '-c', script]);

  test('ConfigMap and Secret as environment and as volumes; updates reach the volumes', async () => {
    await cluster.ok(['create', 'configmap', 'settings', '--from-literal=color=blue', '--from-literal=shape=round']);
    await cluster.ok(['create', 'secret', 'generic', 'login', '--from-literal=password=s3cret']);
    await cluster.apply(CONFIGURED_POD);
    await ready('configured');
    expect(await sh('configured', 'echo "$COLOR $shape $PASSWORD $POD_NAME $NODE $COMBINED"')).toBe(
      'blue round s3cret configured e2e-node blue/configured\n',
    );
    expect(
      await sh('configured', 'cat /settings/color /login/password /info/labels; stat -Lc %a /login/password'),
    ).toBe('blues3cretapp="configured"400\n');

    await cluster.ok(['patch', 'configmap', 'settings', '-p', '{"data":{"color":"green","size":"big"}}']);
    await cluster.ok(['patch', 'secret', 'login', '-p', '{"stringData":{"password":"changed"}}']);
    await eventually(
      'updated',
      async () => (await sh('configured', 'cat /settings/color /settings/size /login/password')) === 'greenbigchanged',
    );
  });

  test('a pod whose readiness probe fails leaves the Service', async () => {
    await cluster.apply(PROBED);
    await ready('probed');
    const addresses = async (): Promise<string> =>
      cluster.ok([
        'get',
        'endpointslices',
        '-l',
        'kubernetes.io/service-name=probed',
        '-o',
        'jsonpath={.items[*].endpoints[*].conditions.ready}',
      ]);
    await eventually('in the Service', async () => (await addresses()) === 'true');
    await sh('probed', 'rm /tmp/ready');
    await eventually('out of the Service', async () => (await addresses()) === 'false');
    const endpoints = ['get', 'endpoints', 'probed', '-o', 'jsonpath={.subsets[*].addresses}'];
    await eventually('out of the Endpoints', async () => (await cluster.ok(endpoints)) === '');
    const unhealthy = ['get', 'events', '--field-selector', 'involvedObject.name=probed,reason=Unhealthy'];
    await eventually('it is told of', async () =>
      (await cluster.ok([...unhealthy, '-o', 'jsonpath={.items[*].message}'])).includes('Readiness probe failed'),
    );
    await sh('probed', 'touch /tmp/ready');
    await eventually('in the Service again', async () => (await addresses()) === 'true');
  });

  test('containers of a pod share emptyDir and localhost', async () => {
    await cluster.apply(SHARED_POD);
    await ready('shared');
    await eventually(
      'answer',
      async () => (await sh('shared', 'wget -q -O- http://127.0.0.1:8080/', 'reader')) === 'written by init\n',
    );
    await sh('shared', 'echo more >/data/index.html', 'reader');
    expect(await sh('shared', 'cat /www/index.html', 'server')).toBe('more\n');
  });

  test('a pod calls the API with its own token', async () => {
    await cluster.ok(['create', 'rolebinding', 'view-own', '--clusterrole=view', '--serviceaccount=default:default']);
    await cluster.apply(apiClient(dirname(await realpath(await findKubectl()))));
    await ready('api-client');
    const answer = await sh('api-client', '/kubectl/kubectl get pod api-client -o json');
    expect(JSON.parse(answer)).toMatchObject({ kind: 'Pod', metadata: { name: 'api-client' } });
    const refused = await cluster.kubectl(['exec', 'api-client', '--', '/kubectl/kubectl', 'get', 'secret', 'login']);
    expect(refused.stderr).toContain('User "system:serviceaccount:default:default" cannot get resource "secrets"');
  });

  test('hostPath, hostNetwork and memory limits', async () => {
    await cluster.apply(HOST_POD(cluster.dataDir));
    await ready('host');
    expect(await sh('host', 'cat /host/server/token')).not.toBe('');
    expect(await sh('host', 'ip route | grep -c default || true')).not.toBe('');
    const pod = await cluster.get<{ status: { podIP: string; hostIP: string; qosClass: string } }>('pod', 'host');
    expect(pod.status.podIP).toBe(pod.status.hostIP);
    expect(pod.status.qosClass).toBe('Guaranteed');
    expect(
      await sh('host', 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max'),
    ).toBe('33554432\n');
  });
});

async function findKubectl(): Promise<string> {
  return (await runCommand('sh', ['-c', 'command -v kubectl'])).stdout.trim();
}

/** A pod with the machine's own (static) kubectl, which finds the API by its environment and its token. */
const apiClient = (directory: string): string => `
apiVersion: v1
kind: Pod
metadata:
  name: api-client
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:test
    command: [sleep, "3600"]
    volumeMounts: [{name: kubectl, mountPath: /kubectl, readOnly: true}]
  volumes:
  - name: kubectl
    hostPath: {path: ${directory}, type: Directory}
`;

const CONFIGURED_POD = `
apiVersion: v1
kind: Pod
metadata:
  name: configured
  labels: {app: configured}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:test
    command: [sleep, "3600"]
    envFrom:
    - configMapRef: {name: settings}
    env:
    - name: COLOR
      valueFrom: {configMapKeyRef: {name: settings, key: color}}
    - name: PASSWORD
      valueFrom: {secretKeyRef: {name: login, key: password}}
    - name: POD_NAME
      valueFrom: {fieldRef: {fieldPath: metadata.name}}
    - name: NODE
      valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
    - name: COMBINED
      value: $(COLOR)/$(POD_NAME)
    volumeMounts:
    - {name: settings, mountPath: /settings}
    - {name: login, mountPath: /login}
    - {name: info, mountPath: /info}
  volumes:
  - name: settings
    configMap: {name: settings}
  - name: login
    secret: {secretName: login, defaultMode: 0400}
  - name: info
    downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}
`;

const PROBED = `
apiVersion: v1
kind: Pod
metadata:
  name: probed
  labels: {app: probed}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:test
    command: [sh, -c, "touch /tmp/ready; exec sleep 3600"]
    ports: [{containerPort: 8080}]
    readinessProbe:
      exec: {command: [cat, /tmp/ready]}
      periodSeconds: 1
      failureThreshold: 1
---
apiVersion: v1
kind: Service
metadata:
  name: probed
spec:
  selector: {app: probed}
  ports: [{port: 80, targetPort: 8080}]
`;

const SHARED_POD = `
apiVersion: v1
kind: Pod
metadata:
  name: shared
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - name: init
    image: busybox:test
    command: [sh, -c, "echo written by init >/data/index.html"]
    volumeMounts: [{name: data, mountPath: /data}]
  containers:
  - name: server
    image: busybox:test
    command: [httpd, -f, -p, "8080", -h, /www]
    volumeMounts: [{name: data, mountPath: /www}]
  - name: reader
    image: busybox:test
    command: [sleep, "3600"]
    volumeMounts: [{name: data, mountPath: /data}]
  volumes:
  - name: data
    emptyDir: {}
`;

const HOST_POD = (dataDir: string): string => `
apiVersion: v1
kind: Pod
metadata:
  name: host
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:test
    command: [sleep, "3600"]
    resources:
      limits: {cpu: 100m, memory: 32Mi}
    volumeMounts: [{name: host, mountPath: /host, readOnly: true}]
  volumes:
  - name: host
    hostPath: {path: ${dataDir}, type: Directory}
`;
