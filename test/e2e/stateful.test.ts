import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

interface PodList {
  items: { metadata: { name: string; uid: string; creationTimestamp: string; labels: Record<string, string> } }[];
}

describe.skipIf(missing !== undefined)('stateful sets, daemon sets, budgets and quotas', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster?.remove());

  const pods = async (selector: string) => (await cluster.get<PodList>('pods', '-l', selector)).items;

  test('a stateful set has named pods that reach each other by name', async () => {
    await cluster.apply(DATABASE);
    await cluster.ok(['rollout', 'status', 'statefulset/db', '--timeout=120s']);
    expect((await pods('app=db')).map(({ metadata }) => metadata.name)).toEqual(['db-0', 'db-1']);
    expect(await cluster.ok(['exec', 'db-0', '--', 'hostname', '-f'])).toContain('db-0.db.default.svc.cluster.local');
    await eventually('the other one is reached by name', async () => {
      const result = await cluster.kubectl(['exec', 'db-0', '--', 'ping', '-c1', '-W1', 'db-1.db']);
      return result.code === 0;
    });
    const before = await pods('app=db');
    await cluster.ok(['delete', 'pod', 'db-1', '--wait=false']);
    await eventually('same name, new pod', async () => {
      const [, second] = await pods('app=db');
      return second?.metadata.name === 'db-1' && second.metadata.uid !== before[1]?.metadata.uid;
    });
    await cluster.ok(['rollout', 'status', 'statefulset/db', '--timeout=120s']);
  });

  test('it rolls out from the highest ordinal, is undone, and scales in order', async () => {
    await cluster.ok(['set', 'env', 'statefulset/db', 'VERSION=2']);
    await cluster.ok(['rollout', 'status', 'statefulset/db', '--timeout=120s']);
    expect(await cluster.ok(['exec', 'db-0', '--', 'sh', '-c', 'echo $VERSION'])).toContain('2');
    await cluster.ok(['rollout', 'undo', 'statefulset/db']);
    await cluster.ok(['rollout', 'status', 'statefulset/db', '--timeout=120s']);
    const history = await cluster.ok(['rollout', 'history', 'statefulset/db']);
    expect(history).toMatch(/^2 /m);
    expect(history).toMatch(/^3 /m);
    await cluster.ok(['scale', 'statefulset/db', '--replicas=1']);
    await eventually('scaled down', async () => (await pods('app=db')).length === 1);
    expect((await pods('app=db'))[0]?.metadata.name).toBe('db-0');
  });

  test('a daemon set runs on the node, is updated, and leaves with its selector', async () => {
    await cluster.apply(AGENT);
    await cluster.ok(['rollout', 'status', 'daemonset/agent', '--timeout=120s']);
    expect(await pods('app=agent')).toHaveLength(1);
    await cluster.ok(['set', 'env', 'daemonset/agent', 'VERSION=2']);
    await cluster.ok(['rollout', 'status', 'daemonset/agent', '--timeout=120s']);
    await cluster.ok(['rollout', 'undo', 'daemonset/agent']);
    await cluster.ok(['rollout', 'status', 'daemonset/agent', '--timeout=120s']);
    expect(await cluster.ok(['rollout', 'history', 'daemonset/agent'])).toMatch(/^3 /m);
    const patch = '{"spec":{"template":{"spec":{"nodeSelector":{"no":"where"}}}}}';
    await cluster.ok(['patch', 'daemonset', 'agent', '-p', patch]);
    await eventually('no pod', async () => (await pods('app=agent')).length === 0);
  });

  test('a disruption budget refuses evictions, a quota pods beyond it', async () => {
    await cluster.apply(BUDGET);
    await cluster.ok(['wait', 'poddisruptionbudget/db', '--for=jsonpath={.status.currentHealthy}=1', '--timeout=120s']);
    const path = '/api/v1/namespaces/default/pods/db-0/eviction';
    const eviction = '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"db-0"}}';
    const refused = await cluster.kubectl(['create', '--raw', path, '-f', '-'], eviction);
    expect(refused.stderr).toContain("would violate the pod's disruption budget");
    await cluster.apply(QUOTA);
    await cluster.ok(['wait', 'resourcequota/small', '--for=jsonpath={.status.used.pods}=1', '--timeout=120s']);
    const second = await cluster.kubectl(['run', 'second', '--image=busybox:test']);
    expect(second.stderr).toContain('exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1');
    await cluster.ok(['delete', 'statefulset', 'db']);
    await cluster.ok(['wait', 'resourcequota/small', '--for=jsonpath={.status.used.pods}=0', '--timeout=120s']);
  });
});

const DATABASE = `
apiVersion: v1
kind: Service
metadata: {name: db}
spec:
  clusterIP: None
  selector: {app: db}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox:test
        command: [sleep, "3600"]
`;

const AGENT = `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox:test
        command: [sleep, "3600"]
`;

const BUDGET = `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: db}
spec:
  minAvailable: 1
  selector: {matchLabels: {app: db}}
`;

const QUOTA = `
apiVersion: v1
kind: ResourceQuota
metadata: {name: small}
spec:
  hard: {pods: "1"}
`;
