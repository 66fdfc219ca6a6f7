import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatTime } from '../../pkg/api/time.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { type Obj, Rest } from './rest.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

interface Kind {
  readonly group: string;
  readonly resource: string;
  readonly spec: object;
}

const labels = { app: 'w' };
const selector = { matchLabels: labels };
const WAITS = { name: 'main', image: 'busybox:test', command: ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'] };
const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [WAITS] } };
const jobTemplate = { ...template, spec: { ...template.spec, restartPolicy: 'OnFailure' } };
const never = { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: jobTemplate } } };

const DEPLOYMENT: Kind = { group: '/apis/apps/v1', resource: 'deployments', spec: { replicas: 1, selector, template } };
const REPLICA_SET: Kind = { ...DEPLOYMENT, resource: 'replicasets' };
const STATEFUL_SET: Kind = {
  ...DEPLOYMENT,
  resource: 'statefulsets',
  spec: { replicas: 1, serviceName: 'w', selector, template },
};
const DAEMON_SET: Kind = { ...DEPLOYMENT, resource: 'daemonsets', spec: { selector, template } };
const CONTROLLER: Kind = {
  group: '/api/v1',
  resource: 'replicationcontrollers',
  spec: { replicas: 1, selector: labels, template },
};
const JOB: Kind = { group: '/apis/batch/v1', resource: 'jobs', spec: { parallelism: 1, template: jobTemplate } };
const CRON_JOB: Kind = { group: '/apis/batch/v1', resource: 'cronjobs', spec: never };
const BUDGET: Kind = {
  group: '/apis/policy/v1',
  resource: 'poddisruptionbudgets',
  spec: { minAvailable: '1%', selector },
};

const statusOf = (object: Obj): Readonly<Record<string, unknown>> => (object.status ?? {}) as Record<string, unknown>;
const conditionsOf = (object: Obj): readonly Readonly<Record<string, string>>[] =>
  (statusOf(object)['conditions'] ?? []) as Record<string, string>[];
const hasCondition = (object: Obj, wanted: string, status = 'True'): boolean =>
  conditionsOf(object).some((condition) => condition['type'] === wanted && condition['status'] === status);
const readyPod = (pod: Obj): boolean => hasCondition(pod, 'Ready') && pod.metadata.deletionTimestamp === undefined;

describe.skipIf(missing !== undefined)('objects of workloads', () => {
  let cluster: Cluster;
  let api: Rest;
  beforeAll(async () => {
    cluster = await Cluster.start();
    api = await Rest.of(cluster);
  });
  afterAll(() => cluster?.remove());

  /** In the namespace whose path is given. */
  const at = (namespace: string, { group, resource }: Kind): string =>
    `${group}${namespace.slice(namespace.indexOf('/namespaces'))}/${resource}`;
  const make = (namespace: string, kind: Kind, name = 'w', spec: object = {}): Promise<Obj> =>
    api.create(at(namespace, kind), { metadata: { name, labels }, spec: { ...kind.spec, ...spec } });
  const pods = async (namespace: string, query = ''): Promise<readonly Obj[]> =>
    (await api.get(`${namespace}/pods${query}`)).items ?? [];
  const untilReady = (namespace: string, count: number, query = ''): Promise<readonly Obj[]> =>
    eventually(`${count} ready pods`, async () => {
      const found = await pods(namespace, query);
      return found.length === count && found.every(readyPod) && found;
    });
  const remove = (namespace: string): Promise<unknown> => api.remove(namespace);

  test.concurrent.each([DEPLOYMENT, REPLICA_SET, STATEFUL_SET, CONTROLLER])(
    'the scale of $resource is read, updated and patched',
    async (kind) => {
      const namespace = await api.namespace('scale');
      const { metadata } = await make(namespace, kind);
      await untilReady(namespace, 1);
      const path = `${at(namespace, kind)}/${metadata.name}`;
      const scale = await api.get(`${path}/scale`);
      expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 1 }, status: { replicas: 1 } });
      const updated = await api.update(`${path}/scale`, (object) => ({ ...object, spec: { replicas: 2 } }));
      expect(updated.spec).toEqual({ replicas: 2 });
      expect((await api.get(path)).spec?.['replicas']).toBe(2);
      await untilReady(namespace, 2);
      expect((await api.patch(`${path}/scale`, { spec: { replicas: 4 } })).spec).toEqual({ replicas: 4 });
      expect((await api.get(path)).spec?.['replicas']).toBe(4);
      await remove(namespace);
    },
  );

  test.concurrent.each([DEPLOYMENT, REPLICA_SET, STATEFUL_SET, DAEMON_SET])(
    'the status of $resource is read, updated and patched, and stays beside its controller',
    async (kind) => {
      const namespace = await api.namespace('status');
      await make(namespace, kind);
      await untilReady(namespace, 1);
      const path = `${at(namespace, kind)}/w`;
      await eventually('observed', async () => statusOf(await api.get(`${path}/status`))['observedGeneration'] === 1);
      const set = { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from e2e test' };
      const updated = await api.update(
        `${path}/status`,
        (object) => ({ ...object, status: { ...statusOf(object), conditions: [...conditionsOf(object), set] } }),
        `${path}/status`,
      );
      expect(conditionsOf(updated)).toContainEqual(expect.objectContaining(set));
      expect(hasCondition(await api.get(path), 'StatusUpdate')).toBe(true);
      const patch = { status: { conditions: [{ type: 'StatusPatched', status: 'True' }] } };
      await api.patch(`${path}/status`, patch);
      const after = await api.get(path);
      expect(hasCondition(after, 'StatusPatched')).toBe(true);
      expect(hasCondition(after, 'StatusUpdate')).toBe(false);
      await remove(namespace);
    },
  );

  test.concurrent.each([DEPLOYMENT, REPLICA_SET, STATEFUL_SET, DAEMON_SET, CRON_JOB, BUDGET])(
    '$resource are listed by label in all namespaces, patched, and deleted as a collection',
    async (kind) => {
      const namespace = await api.namespace('collection');
      const own = namespace.slice(namespace.lastIndexOf('/') + 1);
      for (const name of ['a', 'b']) {
        const metadata = { name, labels: { e2e: own } };
        await api.create(at(namespace, kind), { metadata, spec: kind.spec });
      }
      const all = `${kind.group}/${kind.resource}?labelSelector=e2e%3D${own}`;
      expect((await api.get(all)).items?.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
      const patched = await api.patch(`${at(namespace, kind)}/a`, { metadata: { labels: { e2e: 'kept' } } });
      expect(patched.metadata.labels).toEqual({ e2e: 'kept' });
      await api.remove(`${at(namespace, kind)}?labelSelector=e2e%3D${own}`);
      await eventually('one is left', async () => (await api.count(at(namespace, kind))) === 1);
      expect((await api.get(at(namespace, kind))).items?.[0]?.metadata.name).toBe('a');
      await remove(namespace);
    },
  );

  test.concurrent.each([REPLICA_SET, CONTROLLER])('$resource adopt pods, and release them', async (kind) => {
    const namespace = await api.namespace('adopt');
    await api.create(`${namespace}/pods`, { metadata: { name: 'orphan', labels }, spec: template.spec });
    const { metadata } = await make(namespace, kind);
    const owned = async (): Promise<boolean> => {
      const { ownerReferences = [] } = (await api.get(`${namespace}/pods/orphan`)).metadata;
      return ownerReferences.some((owner) => (owner as { uid: string }).uid === metadata.uid);
    };
    await eventually('adopted', owned);
    expect(await pods(namespace)).toHaveLength(1);
    await api.patch(`${namespace}/pods/orphan`, { metadata: { labels: { app: 'other' } } });
    await eventually('released', async () => !(await owned()));
    await untilReady(namespace, 1, '?labelSelector=app%3Dw');
    await remove(namespace);
  });

  test.concurrent('a Job adopts its orphans, and releases pods that match no more', async () => {
    const namespace = await api.namespace('job');
    const { metadata } = await make(namespace, JOB, 'w', { parallelism: 2, completions: 2 });
    const [first, second] = await untilReady(namespace, 2);
    const path = (pod: Obj | undefined): string => `${namespace}/pods/${pod?.metadata.name}`;
    const owners = async (pod: Obj | undefined): Promise<number> =>
      (await api.get(path(pod))).metadata.ownerReferences?.length ?? 0;
    await api.update(path(first), (pod) => ({ ...pod, metadata: { ...pod.metadata, ownerReferences: [] } }));
    await eventually('adopted again', async () => (await owners(first)) === 1);
    expect(await pods(namespace, '?labelSelector=app%3Dw')).toHaveLength(2);
    await api.update(path(second), (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: {} } }));
    await eventually('released', async () => (await owners(second)) === 0);
    expect((await api.get(`${at(namespace, JOB)}/w`)).metadata.uid).toBe(metadata.uid);
    await api.remove(`${at(namespace, JOB)}/w`, { propagationPolicy: 'Foreground' });
    await eventually('the job is gone', async () => (await api.count(at(namespace, JOB))) === 0);
    expect((await pods(namespace)).filter((pod) => pod.metadata.deletionTimestamp === undefined)).toHaveLength(1);
    await remove(namespace);
  });

  test.concurrent('a Job whose containers fail once completes where they are', async () => {
    const namespace = await api.namespace('job');
    const once = ['sh', '-c', 'test -e /v/tried || { touch /v/tried; exit 1; }'];
    const main = { ...WAITS, command: once, volumeMounts: [{ name: 'v', mountPath: '/v' }] };
    const spec = { restartPolicy: 'OnFailure', containers: [main], volumes: [{ name: 'v', emptyDir: {} }] };
    await make(namespace, JOB, 'w', { parallelism: 2, completions: 2, template: { metadata: { labels }, spec } });
    await eventually('complete', async () => hasCondition(await api.get(`${at(namespace, JOB)}/w`), 'Complete'));
    const restarts = (await pods(namespace)).map((pod) =>
      (statusOf(pod)['containerStatuses'] as { restartCount: number }[]).map(({ restartCount }) => restartCount),
    );
    expect(restarts).toEqual([[1], [1]]);
    await remove(namespace);
  });

  test.concurrent('a Job: suspended, patched, replaced, its status, deleted as a collection', async () => {
    const namespace = await api.namespace('job');
    await make(namespace, JOB, 'w', { suspend: true });
    const path = `${at(namespace, JOB)}/w`;
    await eventually('suspended', async () => hasCondition(await api.get(path), 'Suspended'));
    expect((await api.patch(path, { metadata: { labels: { e2e: 'patched' } } })).metadata.labels).toMatchObject({
      e2e: 'patched',
    });
    const annotated = await api.update(path, (job) => ({
      ...job,
      spec: { ...job.spec, suspend: false },
      metadata: { ...job.metadata, annotations: { updated: 'true' } },
    }));
    expect(annotated.metadata.annotations).toMatchObject({ updated: 'true' });
    await untilReady(namespace, 1);
    const earlier = (ms: number): string => new Date(Date.now() - ms).toISOString().replace(/\.\d+Z/, 'Z');
    const started = { metadata: { annotations: { patched: 'status' } }, status: { startTime: earlier(60_000) } };
    expect(await api.patch(`${path}/status`, started)).toMatchObject(started);
    const startTime = earlier(30_000);
    const moved = await api.update(
      `${path}/status`,
      (job) => ({ ...job, status: { ...statusOf(job), startTime } }),
      `${path}/status`,
    );
    expect(statusOf(moved)).toMatchObject({ startTime });
    expect(statusOf(await api.get(`${path}/status`))).toMatchObject({ active: 1 });
    await api.remove(`${at(namespace, JOB)}?labelSelector=e2e%3Dpatched`, { propagationPolicy: 'Background' });
    await eventually('gone', async () => (await api.count(at(namespace, JOB))) === 0);
    await eventually('with its pod', async () => (await pods(namespace)).length === 0);
    await remove(namespace);
  });

  test.concurrent('a CronJob: watched, patched, updated, its status, deleted', async () => {
    const namespace = await api.namespace('cronjob');
    const path = at(namespace, CRON_JOB);
    const { metadata } = await make(namespace, CRON_JOB);
    const watching = await api.watch(`${path}?watch=true&resourceVersion=${metadata.resourceVersion}`);
    expect(
      (await api.patch(`${path}/w`, { metadata: { annotations: { patched: 'true' } } })).metadata.annotations,
    ).toEqual({ patched: 'true' });
    await api.update(`${path}/w`, (job) => ({
      ...job,
      metadata: { ...job.metadata, annotations: { updated: 'true' } },
    }));
    // Not in the past: the controller would make up for what has been missed since.
    const secondsFromNow = (seconds: number): string => formatTime(Date.now() + seconds * 1000);
    const lastScheduleTime = secondsFromNow(0);
    const laterTime = secondsFromNow(1);
    await api.patch(`${path}/w/status`, {
      metadata: { annotations: { status: 'patched' } },
      status: { lastScheduleTime },
    });
    expect(await api.get(`${path}/w/status`)).toMatchObject({
      metadata: { annotations: { status: 'patched', updated: 'true' } },
      status: { lastScheduleTime },
    });
    await api.update(`${path}/w/status`, (job) => ({ ...job, status: { lastScheduleTime: laterTime } }));
    expect(statusOf(await api.get(`${path}/w`))['lastScheduleTime']).toBe(laterTime);
    await api.remove(`${path}/w`);
    expect(await watching.seen(5)).toEqual([...Array(4).fill('MODIFIED w'), 'DELETED w']);
    watching.close();
    await remove(namespace);
  });

  test.concurrent('a ReplicationController: its life, and why it has too few pods', async () => {
    const namespace = await api.namespace('rc');
    const path = at(namespace, CONTROLLER);
    const quota = { metadata: { name: 'two' }, spec: { hard: { pods: '2' } } };
    await api.create(`${namespace}/resourcequotas`, quota);
    await eventually('a quota', async () => {
      const { status } = await api.get(`${namespace}/resourcequotas/two`);
      return (status as { hard?: object } | undefined)?.hard !== undefined;
    });
    await make(namespace, CONTROLLER, 'w', { replicas: 3 });
    await eventually('refused', async () => hasCondition(await api.get(`${path}/w`), 'ReplicaFailure'));
    const scaled = await api.update(`${path}/w`, (rc) => ({ ...rc, spec: { ...rc.spec, replicas: 2 } }));
    expect(scaled.spec?.['replicas']).toBe(2);
    await eventually('no failure', async () => !hasCondition(await api.get(`${path}/w`), 'ReplicaFailure'));
    await untilReady(namespace, 2);
    expect((await api.patch(`${path}/w`, { metadata: { labels: { e2e: 'yes' } } })).metadata.labels).toMatchObject({
      e2e: 'yes',
    });
    const status = await api.patch(`${path}/w/status`, { status: { readyReplicas: 0, availableReplicas: 0 } });
    expect(statusOf(status)['readyReplicas']).toBeUndefined();
    await eventually('the controller knows better', async () => {
      const { readyReplicas } = statusOf(await api.get(`${path}/w/status`));
      return readyReplicas === 2;
    });
    expect((await api.get('/api/v1/replicationcontrollers?labelSelector=e2e%3Dyes')).items).toHaveLength(1);
    await api.remove(`${path}?labelSelector=e2e%3Dyes`);
    await eventually('gone', async () => (await api.count(path)) === 0);
    await remove(namespace);
  });

  test.concurrent.each([REPLICA_SET, CONTROLLER])('pods of $resource answer', async (kind) => {
    const namespace = await api.namespace('serves');
    const demo = { name: 'main', image: 'k8s-demo:0.0.1-SNAPSHOT' };
    const spec = { terminationGracePeriodSeconds: 1, containers: [demo] };
    await make(namespace, kind, 'w', { replicas: 2, template: { metadata: { labels }, spec } });
    for (const { metadata } of await untilReady(namespace, 2)) {
      await eventually('its name', async () => {
        const path = `${namespace}/pods/http:${metadata.name}:8080/proxy/cgi-bin/host`;
        return (await cluster.kubectl(['get', '--raw', path])).stdout.includes(metadata.name);
      });
    }
    await remove(namespace);
  });

  test.concurrent('a ReplicaSet is scaled by an update, and patched', async () => {
    const namespace = await api.namespace('rs');
    const path = `${at(namespace, REPLICA_SET)}/w`;
    await make(namespace, REPLICA_SET);
    await untilReady(namespace, 1);
    await api.update(path, (set) => ({ ...set, spec: { ...set.spec, replicas: 2 } }));
    await untilReady(namespace, 2);
    const image = { spec: { template: { spec: { containers: [{ name: 'main', image: 'busybox:test2' }] } } } };
    const patch = { metadata: { labels: { e2e: 'patched' } }, spec: { replicas: 3, ...image.spec } };
    expect(await api.patch(path, patch, 'strategic-merge')).toMatchObject({
      metadata: { labels: { e2e: 'patched' } },
      spec: { replicas: 3, template: { spec: { containers: [{ image: 'busybox:test2' }] } } },
    });
    const imageOf = ({ spec }: Obj): unknown => (spec as { containers: { image: string }[] }).containers[0]?.image;
    const images = (await untilReady(namespace, 3)).map(imageOf);
    expect(images.filter((name) => name === 'busybox:test2')).toHaveLength(1);
    await remove(namespace);
  });

  test.concurrent('a Deployment: changed before it is done, and few old ReplicaSets are kept', async () => {
    const namespace = await api.namespace('rollover');
    const path = `${at(namespace, DEPLOYMENT)}/w`;
    await make(namespace, DEPLOYMENT, 'w', { replicas: 2, revisionHistoryLimit: 0 });
    await untilReady(namespace, 2);
    const to = (image: string): object => ({
      spec: { template: { spec: { containers: [{ name: 'main', image, imagePullPolicy: 'Never' }] } } },
    });
    await api.patch(path, to('nowhere:none'), 'strategic-merge');
    await eventually('a second set', async () => (await api.count(at(namespace, REPLICA_SET))) === 2);
    await api.patch(path, to('busybox:test2'), 'strategic-merge');
    await eventually('only the last set', async () => (await api.count(at(namespace, REPLICA_SET))) === 1);
    const { spec } = (await api.get(at(namespace, REPLICA_SET))).items?.[0] ?? {};
    expect(spec).toMatchObject({ replicas: 2, template: { spec: { containers: [{ image: 'busybox:test2' }] } } });
    await untilReady(namespace, 2);
    expect((await api.get(path)).metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '3' });
    await api.remove(path);
    await eventually('nothing is left', async () => (await api.count(at(namespace, REPLICA_SET))) === 0);
    await remove(namespace);
  });

  test.concurrent('ControllerRevisions of a DaemonSet: made and changed by hand beside its own', async () => {
    const namespace = await api.namespace('revisions');
    const path = at(namespace, { ...DAEMON_SET, resource: 'controllerrevisions' });
    const listed = async (): Promise<readonly Obj[]> => (await api.get(`${path}?labelSelector=app%3Dw`)).items ?? [];
    const set = await make(namespace, DAEMON_SET);
    await untilReady(namespace, 1);
    const [first] = await listed();
    expect(await listed()).toHaveLength(1);
    if (first === undefined) return;
    const patched = await api.patch(`${path}/${first.metadata.name}`, { metadata: { labels: { e2e: 'patched' } } });
    expect(patched.metadata.labels).toMatchObject({ e2e: 'patched' });
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'w', uid: set.metadata.uid, controller: true };
    const metadata = { name: 'w-second', labels, ownerReferences: [{ ...owner, blockOwnerDeletion: true }] };
    await api.create(path, { metadata, data: first['data'], revision: 2 });
    await eventually('two revisions', async () => (await listed()).length === 2);
    await api.remove(`${path}/${first.metadata.name}`);
    await eventually(
      'the other is left',
      async () => (await listed()).map((one) => one.metadata.name).join() === 'w-second',
    );
    const updated = await api.update(`${path}/w-second`, (one) => ({
      ...one,
      metadata: { ...one.metadata, labels: { ...one.metadata.labels, e2e: 'updated' } },
    }));
    expect(updated.metadata.labels).toMatchObject({ e2e: 'updated' });
    const change = { spec: { template: { spec: { terminationGracePeriodSeconds: 2 } } } };
    await api.patch(`${at(namespace, DAEMON_SET)}/w`, change, 'strategic-merge');
    await eventually('two revisions again', async () => (await listed()).length === 2);
    await api.remove(`${path}?labelSelector=e2e%3Dupdated`);
    await eventually('one revision', async () => (await listed()).length === 1);
    expect((await listed())[0]?.['revision']).toBe(3);
    await untilReady(namespace, 1);
    await remove(namespace);
  });

  test.concurrent('a DaemonSet: deleted and failed pods come back, and good pods outlive a rollback', async () => {
    const namespace = await api.namespace('daemon');
    await make(namespace, DAEMON_SET);
    const [first] = await untilReady(namespace, 1);
    await api.remove(`${namespace}/pods/${first?.metadata.name}`);
    const [second] = await eventually('another pod', async () => {
      const found = await pods(namespace);
      return found.length === 1 && found[0]?.metadata.uid !== first?.metadata.uid && found.every(readyPod) && found;
    });
    // Nothing is taken away before the new pod is there: none of the good ones goes.
    const update = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } };
    await api.patch(`${at(namespace, DAEMON_SET)}/w`, { spec: update });
    const to = (image: string): object => ({
      spec: { template: { spec: { containers: [{ name: 'main', image, imagePullPolicy: 'Never' }] } } },
    });
    const before = (await api.get(`${at(namespace, DAEMON_SET)}/w`)).spec?.['template'];
    await api.patch(`${at(namespace, DAEMON_SET)}/w`, to('nowhere:none'), 'strategic-merge');
    await eventually('a bad pod', async () => (await pods(namespace)).length === 2);
    await api.update(`${at(namespace, DAEMON_SET)}/w`, (set) => ({ ...set, spec: { ...set.spec, template: before } }));
    const [kept] = await untilReady(namespace, 1);
    expect(kept?.metadata.uid).toBe(second?.metadata.uid);
    await remove(namespace);
  });

  test.concurrent('a StatefulSet whose pod the node refuses makes it anew until it fits', async () => {
    const namespace = await api.namespace('evicted');
    const ports = [{ containerPort: 80, hostPort: 45_998 }];
    const spec = { nodeName: cluster.nodeName, terminationGracePeriodSeconds: 1, containers: [{ ...WAITS, ports }] };
    await api.create(`${namespace}/pods`, { metadata: { name: 'blocker' }, spec });
    await untilReady(namespace, 1);
    const watching = await api.watch(`${namespace}/pods?watch=true&fieldSelector=metadata.name%3Dw-0`);
    await make(namespace, STATEFUL_SET, 'w', { template: { metadata: { labels }, spec } });
    await eventually(
      'made twice',
      async () => new Set(watching.events.map(({ object }) => object.metadata.uid)).size > 1,
    );
    expect(watching.events.some(({ object }) => statusOf(object)['reason'] === 'NodePorts')).toBe(true);
    watching.close();
    await api.remove(`${namespace}/pods/blocker`, { gracePeriodSeconds: 0 });
    await untilReady(namespace, 1);
    expect((await pods(namespace))[0]?.metadata.name).toBe('w-0');
    await remove(namespace);
  });

  test.concurrent('a PodDisruptionBudget: changed, its status, and what it lets go', async () => {
    const namespace = await api.namespace('budget');
    const path = `${at(namespace, BUDGET)}/w`;
    await make(namespace, BUDGET, 'w', { minAvailable: 1 });
    await make(namespace, REPLICA_SET);
    const [pod] = await untilReady(namespace, 1);
    await eventually('counted', async () => {
      const { currentHealthy, disruptionsAllowed } = statusOf(await api.get(path));
      return currentHealthy === 1 && disruptionsAllowed === 0;
    });
    const name = pod?.metadata.name ?? '';
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } };
    const evict = (): Promise<{ readonly code: number; readonly body: Obj }> =>
      api.send('POST', `${namespace}/pods/${name}/eviction`, eviction);
    expect(await evict()).toMatchObject({ code: 429, body: { reason: 'TooManyRequests' } });
    const disrupted = { disruptedPods: { [name]: new Date().toISOString().replace(/\.\d+Z/, 'Z') } };
    const patched = await api.patch(`${path}/status`, { status: disrupted });
    expect(statusOf(patched)).toMatchObject(disrupted);
    await api.update(`${path}/status`, (budget) => ({ ...budget, status: { ...statusOf(budget), disruptedPods: {} } }));
    await eventually('none is disrupted', async () => statusOf(await api.get(path))['disruptedPods'] === undefined);
    await api.update(path, (budget) => ({ ...budget, spec: { ...budget.spec, minAvailable: '50%' } }));
    expect((await api.patch(path, { spec: { minAvailable: 0 } })).spec).toMatchObject({ minAvailable: 0 });
    await eventually('one may go', async () => statusOf(await api.get(path))['disruptionsAllowed'] === 1);
    expect((await evict()).code).toBe(201);
    await api.remove(path);
    expect((await api.send('GET', path)).code).toBe(404);
    await remove(namespace);
  });
});
