import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
let cluster: Cluster;

beforeAll(async () => {
  if (missing !== undefined) throw new Error(`end-to-end tests cannot run: ${missing}`);
  cluster = await Cluster.start();
});

afterAll(() => cluster?.remove());

const LOAD = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: load}
spec:
  replicas: 1
  selector: {matchLabels: {app: load}}
  template:
    metadata: {labels: {app: load}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: busybox:test
        command: [sh, -c, "while :; do :; done"]
        resources: {requests: {cpu: 10m}, limits: {cpu: 100m}}
`;

test('kubectl top works without anything installed', async () => {
  await cluster.apply(LOAD);
  await cluster.ok(['rollout', 'status', 'deployment/load', '--timeout=120s']);
  expect(await cluster.ok(['get', 'apiservice', 'v1beta1.metrics.k8s.io'])).toMatch(/Local +True/);
  expect(await cluster.ok(['top', 'node'])).toMatch(/^NAME.*\ne2e-node +\d+m +\d+% +\d+Mi +\d+%/);
  const pods = await eventually('measurements of the pod', async () => {
    const { code, stdout } = await cluster.kubectl(['top', 'pod', '-l', 'app=load', '--containers']);
    return code === 0 && stdout;
  });
  expect(pods).toMatch(/load-\S+ +main +[1-9]\d*m +\d+Mi/);
  expect(await cluster.ok(['get', 'nodes.metrics.k8s.io'])).toMatch(/^NAME +CPU +MEMORY +WINDOW\ne2e-node +\d+n?/);
  const none = await cluster.kubectl(['get', 'pods.metrics.k8s.io', 'nobody']);
  expect(none.stderr).toContain('podmetrics.metrics.k8s.io "default/nobody" not found');
});

test('an autoscaler makes of one pod as many as its load needs', async () => {
  await cluster.ok(['autoscale', 'deployment', 'load', '--min=1', '--max=3', '--cpu-percent=50']);
  await eventually('three pods', async () => {
    const { spec } = await cluster.get<{ spec: { replicas: number } }>('deployment', 'load');
    return spec.replicas === 3;
  });
  await eventually('it is told of', async () =>
    /SuccessfulRescale.*New size: 3; reason: cpu resource/.test(await cluster.ok(['describe', 'hpa', 'load'])),
  );
});
