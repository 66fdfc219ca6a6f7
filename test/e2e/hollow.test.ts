import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';
import { HollowNodes } from './hollow-nodes.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`the tests of hollow nodes do not run: ${missing}`);

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
    readonly spec: { readonly nodeName: string };
    readonly status: { readonly podIP: string; readonly phase: string };
  }[];
}

const web = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { a: b }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 12
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1
          ports: [{ containerPort: 80 }]
          readinessProbe: { httpGet: { path: /, port: 80 } }
          lifecycle: { preStop: { httpGet: { path: /, port: 80 } } }
          volumeMounts: [{ name: settings, mountPath: /settings, subPath: a }, { name: memory, mountPath: /memory }]
      volumes:
        - { name: settings, configMap: { name: settings } }
        - { name: memory, emptyDir: { medium: Memory } }
`;

describe.skipIf(missing !== undefined)('hollow nodes', () => {
  let cluster: Cluster;
  let nodes: HollowNodes | undefined;

  beforeAll(async () => {
    cluster = await Cluster.start({ node: false });
    nodes = await HollowNodes.start(cluster, { count: 3, flags: ['--node-label', 'pool=hollow'] });
  });

  afterAll(() =>
    endAll(
      () => nodes?.remove(),
      () => cluster?.remove(),
    ),
  );

  test('have their labels and leases', async () => {
    const labelled = await cluster.ok(['get', 'nodes', '-l', 'pool=hollow', '-o', 'name']);
    expect(labelled.trim().split('\n')).toEqual(['node/hollow-1', 'node/hollow-2', 'node/hollow-3']);
    const leases = await cluster.ok(['get', 'leases', '-n', 'kube-node-lease', '-o', 'name']);
    expect(leases.trim().split('\n')).toHaveLength(3);
  });

  test('run pods with probes, hooks and volumes, and addresses of the nodes', async () => {
    await cluster.apply(web);
    await cluster.ok(['rollout', 'status', 'deployment/web', '--timeout=120s']);
    const { items } = await cluster.get<PodList>('pods');
    expect(items.map(({ status }) => status.phase)).toEqual(items.map(() => 'Running'));
    expect(new Set(items.map(({ status }) => status.podIP)).size).toBe(12);
    for (const { spec, status } of items) {
      const node = await cluster.get<{ spec: { podCIDR: string } }>('node', spec.nodeName);
      expect(status.podIP.split('.').slice(0, 3)).toEqual(node.spec.podCIDR.split('.').slice(0, 3));
    }
    expect((await nodes?.log())?.split('\n').filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });

  test.each([
    ['exec', ['exec', 'deploy/web', '--', 'ls']],
    ['logs', ['logs', 'deploy/web']],
    ['port-forward', ['port-forward', 'deploy/web', ':80']],
  ])('%s is refused by name', async (_, args) => {
    const { code, stderr } = await cluster.kubectl(args, undefined, 20_000);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/node hollow-\d is hollow: it only pretends to run its pods/);
  });

  test('a Job ends when its pods say after what time they do', async () => {
    await cluster.apply(`
apiVersion: batch/v1
kind: Job
metadata: { name: work }
spec:
  completions: 4
  parallelism: 2
  template:
    metadata: { annotations: { kube-lite/hollow-run-time: 200ms } }
    spec: { restartPolicy: Never, containers: [{ name: work, image: work:1 }] }
`);
    await cluster.ok(['wait', 'job/work', '--for=condition=Complete', '--timeout=120s']);
  });

  test('a node can be drained', async () => {
    await cluster.ok(['drain', 'hollow-1', '--delete-emptydir-data', '--force', '--timeout=120s']);
    await cluster.ok(['rollout', 'status', 'deployment/web', '--timeout=120s']);
    const { items } = await cluster.get<PodList>('pods', '-l', 'app=web');
    expect(items.filter(({ spec }) => spec.nodeName === 'hollow-1')).toEqual([]);
  });

  test('a wrong kubeconfig is refused in a line', async () => {
    const other = await HollowNodes.launched(['--hollow', '1', '--kubeconfig', '/absent/kubeconfig']);
    expect(await other.ended()).toBe(1);
    expect((await other.log()).trim()).toMatch(/--kubeconfig: kubeconfig \/absent\/kubeconfig: cannot be read/);
    await other.remove();
  });
});
