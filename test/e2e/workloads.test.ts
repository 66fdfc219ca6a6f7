import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E, runCommand } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

interface PodList {
  items: {
    metadata: { name: string; uid: string };
    status: { podIP: string; phase: string; containerStatuses?: { restartCount: number; ready: boolean }[] };
  }[];
}

describe.skipIf(missing !== undefined)('workloads', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster?.remove());

  /** The proxy follows the rollout by a few milliseconds. */
  const answers = (version: string): Promise<boolean> =>
    eventually(version, async () =>
      (await (await fetch(DEMO_URL, { headers: { connection: 'close' } })).text()).startsWith(version),
    );
  const pods = (selector: string): Promise<PodList> =>
    cluster.get<PodList>('pods', '-n', 'spring-test', '-l', selector);

  test('the demo application is reached through its NodePort and its DNS name', async () => {
    await cluster.ok(['create', 'namespace', 'spring-test']);
    await cluster.apply(DEMO);
    await cluster.ok(['rollout', 'status', 'deployment/k8s-demo', '-n', 'spring-test', '--timeout=120s']);
    const names = new Set((await pods('app=k8s-demo')).items.map((pod) => pod.metadata.name));
    expect(names.size).toBe(3);

    const seen = new Set<string>();
    await eventually('all replicas answer on the NodePort', async () => {
      const answer = await fetch(DEMO_URL, { headers: { connection: 'close' } });
      seen.add((await answer.text()).trim().replace('0.0.1-SNAPSHOT ', ''));
      return seen.size === 3;
    });
    expect(seen).toEqual(names);

    await cluster.apply(CLIENT);
    await cluster.ok(['wait', '-n', 'spring-test', '--for=condition=Ready', 'pod/client', '--timeout=120s']);
    for (const host of ['k8s-demo', 'k8s-demo.spring-test', 'k8s-demo.spring-test.svc.cluster.local']) {
      const asking = ['exec', '-n', 'spring-test', 'client', '--', 'wget', '-q', '-O-'];
      await eventually(host, async () => {
        const answer = await cluster.ok([...asking, `http://${host}:8888/cgi-bin/host`]);
        return names.has(answer.trim().replace('0.0.1-SNAPSHOT ', ''));
      });
    }
  });

  test('a container whose process is killed is started again', async () => {
    const [pod] = (await pods('app=k8s-demo')).items;
    const name = pod?.metadata.name ?? '';
    const [uid = ''] = [pod?.metadata.uid];
    await cluster.ok(['exec', '-n', 'spring-test', 'client', '--', 'true']);
    const pids = await runCommand('sh', ['-c', `grep -ls "pod${uid}" /proc/[0-9]*/cgroup | cut -d/ -f3`]);
    const victims: number[] = [];
    for (const pid of pids.stdout.trim().split('\n')) {
      const command = await runCommand('cat', [`/proc/${pid}/cmdline`]);
      if (command.stdout.includes('httpd')) victims.push(Number(pid));
    }
    expect(victims.length).toBeGreaterThan(0);
    for (const pid of victims) process.kill(pid, 'SIGKILL');
    await eventually('restarted', async () => {
      const { items } = await pods('app=k8s-demo');
      const [status] = items.find((item) => item.metadata.name === name)?.status.containerStatuses ?? [];
      return status?.restartCount === 1 && status.ready;
    });
    const events = await cluster.ok([
      'get',
      'events',
      '-n',
      'spring-test',
      '--field-selector',
      `involvedObject.name=${name},reason=Started`,
      '-o',
      'jsonpath={.items[*].count}',
    ]);
    expect(events.trim()).not.toBe('');
  });

  test('a deleted pod is replaced; the Deployment scales up and down', async () => {
    const before = (await pods('app=k8s-demo')).items.map((pod) => pod.metadata.uid);
    const [first] = (await pods('app=k8s-demo')).items;
    await cluster.ok(['delete', 'pod', '-n', 'spring-test', first?.metadata.name ?? '', '--wait=false']);
    await eventually('replaced', async () => {
      const ready = (await pods('app=k8s-demo')).items.filter(
        (pod) => pod.status.containerStatuses?.[0]?.ready === true,
      );
      return ready.length === 3 && ready.some((pod) => !before.includes(pod.metadata.uid));
    });
    await cluster.ok(['scale', 'deployment/k8s-demo', '-n', 'spring-test', '--replicas=5']);
    await cluster.ok([
      'wait',
      'deployment/k8s-demo',
      '-n',
      'spring-test',
      '--for=jsonpath={.status.readyReplicas}=5',
      '--timeout=120s',
    ]);
    await cluster.ok(['scale', 'deployment/k8s-demo', '-n', 'spring-test', '--replicas=2']);
    await eventually('scaled down', async () => (await pods('app=k8s-demo')).items.length === 2);
  });

  test('a rolling update loses no request, and is undone', async () => {
    let stop = false;
    const failures: string[] = [];
    let answered = 0;
    const load = (async () => {
      while (!stop) {
        try {
          const answer = await fetch(DEMO_URL, {
            headers: { connection: 'close' },
            signal: AbortSignal.timeout(30_000),
          });
          await answer.text();
          if (answer.status === 200) answered++;
          else failures.push(`status ${answer.status}`);
        } catch (error) {
          failures.push(String(error instanceof Error ? (error.cause ?? error) : error));
        }
      }
    })();
    await cluster.ok(['set', 'image', 'deployment/k8s-demo', '-n', 'spring-test', 'k8s-demo=k8s-demo:0.0.2-SNAPSHOT']);
    await cluster.ok(['rollout', 'status', 'deployment/k8s-demo', '-n', 'spring-test', '--timeout=120s']);
    await answers('0.0.2-SNAPSHOT');
    await cluster.ok(['rollout', 'undo', 'deployment/k8s-demo', '-n', 'spring-test']);
    await cluster.ok(['rollout', 'status', 'deployment/k8s-demo', '-n', 'spring-test', '--timeout=120s']);
    stop = true;
    await load;
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(20);
    await answers('0.0.1-SNAPSHOT');
    const history = await cluster.ok(['rollout', 'history', 'deployment/k8s-demo', '-n', 'spring-test']);
    // The first revision became the third; those of a second try have higher numbers.
    const revisions = [...history.matchAll(/^(\d+) /gm)].map(([, number]) => Number(number));
    expect(revisions).toHaveLength(2);
    expect(revisions[0]).toBeGreaterThan(1);
  });

  test('a namespace goes with all that is in it', async () => {
    await cluster.ok(['delete', 'namespace', 'spring-test', '--timeout=120s']);
    const result = await cluster.kubectl(['get', 'all', '-n', 'spring-test']);
    expect(result.stderr).toContain('No resources found in spring-test namespace.');
  });
});

const CLIENT = `
apiVersion: v1
kind: Pod
metadata:
  name: client
  namespace: spring-test
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:test
    command: [sleep, "3600"]
`;

const DEMO_URL = 'http://127.0.0.1:30003/cgi-bin/host';

const DEMO = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: k8s-demo
  namespace: spring-test
spec:
  replicas: 3
  selector:
    matchLabels:
      app: k8s-demo
  template:
    metadata:
      labels:
        app: k8s-demo
    spec:
      terminationGracePeriodSeconds: 10
      containers:
      - name: k8s-demo
        image: k8s-demo:0.0.1-SNAPSHOT
        ports:
        - containerPort: 8080
        lifecycle:
          preStop:
            sleep: {seconds: 5}
        readinessProbe:
          httpGet:
            path: /
            port: 8080
          periodSeconds: 1
---
apiVersion: v1
kind: Service
metadata:
  name: k8s-demo
  namespace: spring-test
spec:
  type: NodePort
  selector:
    app: k8s-demo
  ports:
  - protocol: TCP
    port: 8888
    targetPort: 8080
    nodePort: 30003
`;
