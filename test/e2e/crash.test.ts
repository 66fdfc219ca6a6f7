/** The server is killed at random points while controllers are at work: the end is reached, with no pod too many. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';
import { HollowNodes } from './hollow-nodes.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`the tests of crashes do not run: ${missing}`);

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status: { readonly phase: string };
}

const SEED = 20_261_126;
/** The longest time between a change and the death of the server: most of what it causes happens within. */
const MAX_DELAY_MS = 700;
const INDEX = 'batch.kubernetes.io/job-completion-index';

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const template = (app: string, image: string): string => `
    metadata: { labels: { app: ${app} } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: main, image: "${image}" }]`;

const start = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 8
  selector: { matchLabels: { app: web } }
  template:${template('web', 'web:1')}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  replicas: 3
  serviceName: db
  selector: { matchLabels: { app: db } }
  template:${template('db', 'db:1')}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:
  selector: { matchLabels: { app: agent } }
  template:${template('agent', 'agent:1')}
`;

const job = `
apiVersion: batch/v1
kind: Job
metadata: { name: work }
spec:
  completions: 12
  parallelism: 4
  completionMode: Indexed
  template:
    metadata: { labels: { app: work }, annotations: { kube-lite/hollow-run-time: 400ms } }
    spec: { restartPolicy: Never, containers: [{ name: main, image: "work:1" }] }
`;

describe.skipIf(missing !== undefined)('a server that is killed again and again', () => {
  let cluster: Cluster;
  let nodes: HollowNodes | undefined;
  const random = seeded(SEED);

  beforeAll(async () => {
    cluster = await Cluster.start({ node: false });
    nodes = await HollowNodes.start(cluster, { count: 3 });
    await cluster.apply(start);
  });

  afterAll(() =>
    endAll(
      () => nodes?.remove(),
      () => cluster?.remove(),
    ),
  );

  const podsOf = async (app: string): Promise<readonly Pod[]> =>
    (await cluster.get<{ items: readonly Pod[] }>('pods', '-l', `app=${app}`)).items;

  test.each([
    ['while everything begins', []],
    ['during a rollout', ['set', 'image', 'deployment/web', 'main=web:2']],
    ['during a scale-up', ['scale', 'deployment/web', '--replicas=30']],
    ['during a job', job],
    ['during a rollout of a StatefulSet', ['set', 'image', 'statefulset/db', 'main=db:2']],
    ['during a rollout of a DaemonSet', ['set', 'image', 'daemonset/agent', 'main=agent:2']],
    ['during a rollout that follows another', ['set', 'image', 'deployment/web', 'main=web:3']],
    ['during a scale-down', ['scale', 'deployment/web', '--replicas=10']],
  ])('comes up again %s', async (_, change) => {
    if (typeof change === 'string') await cluster.apply(change);
    else if (change.length > 0) await cluster.ok(change);
    await new Promise((resolve) => setTimeout(resolve, random() * MAX_DELAY_MS));
    await cluster.signal('SIGKILL');
    cluster.launch();
    await cluster.apiReady();
  });

  test('a Deployment ends with the pods of its last revision, and no others', async () => {
    await cluster.ok(['rollout', 'status', 'deployment/web', '--timeout=120s']);
    const pods = await eventually('old pods are gone', async () => {
      const all = await podsOf('web');
      return all.length === 10 && all;
    });
    expect(pods.map(({ spec }) => spec.containers[0]?.image)).toEqual(pods.map(() => 'web:3'));
    expect(new Set(pods.map(({ metadata }) => metadata.ownerReferences?.[0]?.name)).size).toBe(1);
    const sets = await cluster.get<{ items: { spec: { replicas: number } }[] }>('replicasets', '-l', 'app=web');
    expect(sets.items.map(({ spec }) => spec.replicas).sort()).toEqual([0, 0, 10]);
  });

  test('a StatefulSet and a DaemonSet have each of their pods once', async () => {
    await cluster.ok(['rollout', 'status', 'statefulset/db', '--timeout=120s']);
    await cluster.ok(['rollout', 'status', 'daemonset/agent', '--timeout=120s']);
    expect((await podsOf('db')).map(({ metadata }) => metadata.name).sort()).toEqual(['db-0', 'db-1', 'db-2']);
    const agents = await podsOf('agent');
    expect(agents.map(({ spec }) => spec.containers[0]?.image)).toEqual(['agent:2', 'agent:2', 'agent:2']);
  });

  test('a Job has run each of its indexes, and counts each pod once', async () => {
    await cluster.ok(['wait', 'job/work', '--for=condition=Complete', '--timeout=120s']);
    const { status } = await cluster.get<{ status: Record<string, unknown> }>('job', 'work');
    expect(status).toMatchObject({ succeeded: 12, completedIndexes: '0-11' });
    expect(status['failed'] ?? 0).toBe(0);
    const pods = await podsOf('work');
    const indexes = pods.map(({ metadata }) => Number(metadata.annotations?.[INDEX]));
    expect(indexes.sort((a, b) => a - b)).toEqual([...Array(12).keys()]);
  });
});
