import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { Rest } from './rest.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const HARD = {
  pods: '5',
  services: '10',
  'services.nodeports': '1',
  'services.loadbalancers': '1',
  replicationcontrollers: '10',
  resourcequotas: '1',
  cpu: '1',
  memory: '500Mi',
  configmaps: '10',
  secrets: '10',
  'ephemeral-storage': '50Gi',
  persistentvolumeclaims: '10',
  'requests.storage': '10Gi',
  'gold.storageclass.storage.k8s.io/requests.storage': '10Gi',
  'count/replicasets.apps': '5',
  'requests.example.com/dongle': '3',
};

interface Amounts {
  readonly requests?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
}

const pod = (name: string, resources: Amounts, more: object = {}): object => ({
  metadata: { name },
  spec: { ...more, containers: [{ name: 'main', image: 'none', resources }] },
});

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'main', image: 'none' }] } };

describe.skipIf(missing !== undefined)('quotas', () => {
  let cluster: Cluster;
  let rest: Rest;
  beforeAll(async () => {
    cluster = await Cluster.start({ node: false });
    rest = await Rest.of(cluster);
  });
  afterAll(() => cluster?.remove());

  const used = (at: string, name: string, amounts: Readonly<Record<string, string>>): Promise<unknown> =>
    eventually(`${name} uses ${JSON.stringify(amounts)}`, async () => {
      const { spec, status } = await rest.get(`${at}/resourcequotas/${name}`);
      const is = status as { hard?: object; used?: Record<string, string> } | undefined;
      expect(is?.hard).toEqual(spec?.['hard']);
      expect(is?.used).toMatchObject(amounts);
      return true;
    });

  /** A namespace with a quota that has counted what is there. */
  async function withQuota(name: string): Promise<string> {
    const at = await rest.namespace(name);
    // A root certificate comes by itself.
    await eventually('its ConfigMap', async () => (await rest.count(`${at}/configmaps`)) === 1);
    await rest.create(`${at}/resourcequotas`, { metadata: { name: 'test' }, spec: { hard: HARD } });
    const zero = Object.fromEntries(Object.keys(HARD).map((key) => [key, '0']));
    await used(at, 'test', { ...zero, resourcequotas: '1', configmaps: '1' });
    return at;
  }

  test.concurrent.for([
    ['configmaps', 'configmaps', '/api/v1', {}, '1', '2'],
    ['secrets', 'secrets', '/api/v1', {}, '0', '1'],
    [
      'replicationcontrollers',
      'replicationcontrollers',
      '/api/v1',
      { spec: { replicas: 0, selector: { app: 'a' }, template } },
      '0',
      '1',
    ],
    [
      'replicasets',
      'count/replicasets.apps',
      '/apis/apps/v1',
      { spec: { replicas: 0, selector: { matchLabels: { app: 'a' } }, template } },
      '0',
      '1',
    ],
    [
      'persistentvolumeclaims',
      'persistentvolumeclaims',
      '/api/v1',
      { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
      '0',
      '1',
    ],
  ] as const)('count %s from creation to deletion', async ([resource, counted, root, more, before, after]) => {
    const at = await withQuota(`quota-${resource}`);
    const path = `${root}${at.slice('/api/v1'.length)}/${resource}`;
    await used(at, 'test', { [counted]: before });
    await rest.create(path, { metadata: { name: 'counted' }, ...more });
    await used(at, 'test', { [counted]: after });
    await rest.remove(`${path}/counted`);
    await used(at, 'test', { [counted]: before });
  });

  test.concurrent('count services by their type, and refuse one node port too many', async () => {
    const at = await withQuota('quota-services');
    const service = (name: string, spec: object) =>
      rest.send('POST', `${at}/services`, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });
    expect((await service('cluster-ip', {})).code).toBe(201);
    expect((await service('node-port', { type: 'NodePort' })).code).toBe(201);
    const refused = await service('balancer', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: true });
    expect(refused).toMatchObject({ code: 403, body: { reason: 'Forbidden' } });
    expect(refused.body['message']).toContain('exceeded quota: test');
    await used(at, 'test', { services: '2', 'services.nodeports': '1', 'services.loadbalancers': '0' });
    for (const name of ['cluster-ip', 'node-port']) await rest.remove(`${at}/services/${name}`);
    await used(at, 'test', { services: '0', 'services.nodeports': '0' });
  });

  test.concurrent('count what pods ask for, refuse what is too much, and give it back', async () => {
    const at = await withQuota('quota-pods');
    const dongles = { 'example.com/dongle': '2' };
    const fits: Amounts = {
      requests: { cpu: '500m', memory: '252Mi', 'ephemeral-storage': '30Gi', ...dongles },
      limits: dongles,
    };
    const created = await rest.create(`${at}/pods`, pod('fits', fits));
    const usage = {
      pods: '1',
      cpu: '500m',
      memory: '252Mi',
      'ephemeral-storage': '30Gi',
      'requests.example.com/dongle': '2',
    };
    await used(at, 'test', usage);
    for (const amounts of [
      { requests: { cpu: '600m', memory: '100Mi' } },
      { requests: { cpu: '500m', memory: '100Mi', 'ephemeral-storage': '30Gi', ...dongles }, limits: dongles },
    ])
      expect((await rest.send('POST', `${at}/pods`, pod('too-much', amounts))).code).toBe(403);
    const less = { requests: { cpu: '100m', memory: '100Mi', 'ephemeral-storage': '10Gi' } };
    const containers = (created.spec?.['containers'] ?? []) as object[];
    const spec = { ...created.spec, containers: containers.map((container) => ({ ...container, resources: less })) };
    const metadata = { name: 'fits' };
    expect((await rest.send('PUT', `${at}/pods/fits`, { metadata, spec })).code).toBe(422);
    await used(at, 'test', usage);
    await rest.remove(`${at}/pods/fits`, { gracePeriodSeconds: 0 });
    await used(at, 'test', Object.fromEntries(Object.keys(usage).map((key) => [key, '0'])));
  });

  const LIMITED = { requests: { cpu: '500m', memory: '200Mi' }, limits: { cpu: '1', memory: '400Mi' } };
  test.concurrent.for([
    ['BestEffort', 'NotBestEffort', { pods: '5' }, pod('a', {}), pod('b', LIMITED), { pods: '1' }],
    [
      'Terminating',
      'NotTerminating',
      { pods: '5', 'requests.cpu': '1', 'requests.memory': '500Mi', 'limits.cpu': '2', 'limits.memory': '1Gi' },
      pod('a', LIMITED, { activeDeadlineSeconds: 3600 }),
      pod('b', LIMITED),
      { pods: '1', 'requests.cpu': '500m', 'requests.memory': '200Mi', 'limits.cpu': '1', 'limits.memory': '400Mi' },
    ],
  ] as const)(
    'of scope %s count its pods only, as those of %s do',
    async ([scope, other, hard, own, others, usage]) => {
      const at = await rest.namespace(`scope-${scope.toLowerCase()}`);
      const none = Object.fromEntries(Object.keys(usage).map((key) => [key, '0']));
      for (const each of [scope, other]) {
        const name = each.toLowerCase();
        await rest.create(`${at}/resourcequotas`, { metadata: { name }, spec: { hard, scopes: [each] } });
        await used(at, name, none);
      }
      for (const [counting, idle, counted] of [
        [scope, other, own],
        [other, scope, others],
      ] as const) {
        const { metadata } = await rest.create(`${at}/pods`, counted);
        await used(at, counting.toLowerCase(), usage);
        await used(at, idle.toLowerCase(), none);
        await rest.remove(`${at}/pods/${metadata.name}`, { gracePeriodSeconds: 0 });
        await used(at, counting.toLowerCase(), none);
      }
    },
  );

  test.concurrent('are updated, patched, found by label, deleted one by one and together', async () => {
    const at = await rest.namespace('quota-objects');
    const path = `${at}/resourcequotas`;
    await rest.create(path, { metadata: { name: 'one' }, spec: { hard: { cpu: '500m', memory: '500Mi' } } });
    const updated = await rest.update(`${path}/one`, (quota) => ({
      ...quota,
      spec: { hard: { cpu: '1', memory: '1Gi' } },
    }));
    expect(updated.spec).toEqual({ hard: { cpu: '1', memory: '1Gi' } });
    expect((await rest.get(`${path}/one`)).spec).toEqual(updated.spec);
    await rest.remove(`${path}/one`);
    expect((await rest.send('GET', `${path}/one`)).code).toBe(404);

    const labels = { case: 'quota-objects' };
    const spec = { hard: { cpu: '1', memory: '500Mi' } };
    await rest.create(path, { metadata: { name: 'two', labels }, spec });
    expect(await rest.count('/api/v1/resourcequotas?labelSelector=case%3Dquota-objects')).toBe(1);
    const patch = { metadata: { labels: { more: 'patched' } }, spec: { hard: { memory: '750Mi' } } };
    expect(await rest.patch(`${path}/two`, patch, 'strategic-merge')).toMatchObject({
      metadata: { labels: { ...labels, more: 'patched' } },
      spec: { hard: { cpu: '1', memory: '750Mi' } },
    });
    await rest.remove(`${path}?labelSelector=case%3Dquota-objects`);
    expect((await rest.send('GET', `${path}/two`)).code).toBe(404);
  });

  test.concurrent('have a status that is written on its own, and set right', async () => {
    const path = `${await rest.namespace('quota-status')}/resourcequotas`;
    await rest.create(path, { metadata: { name: 'one' }, spec: { hard: { cpu: '500m', memory: '500Mi' } } });
    const status = { hard: { cpu: '500m', memory: '500Mi' } };
    const updated = await rest.update(`${path}/one`, (quota) => ({ ...quota, status }), `${path}/one/status`);
    expect(updated.status).toEqual(status);
    const hard = { cpu: '1', memory: '1Gi' };
    const watching = await rest.watch(`${path}?watch=1&resourceVersion=${updated.metadata.resourceVersion}`);
    await rest.patch(`${path}/one`, { spec: { hard } }, 'strategic-merge');
    expect(await rest.patch(`${path}/one/status`, { status: { hard } }, 'strategic-merge')).toMatchObject({
      status: { hard },
    });
    expect(await rest.get(`${path}/one/status`)).toMatchObject({ spec: { hard }, status: { hard } });
    const wrong = { hard: { cpu: '2', memory: '2Gi' } };
    const repatched = await rest.patch(`${path}/one/status`, { spec: wrong, status: wrong }, 'strategic-merge');
    expect(repatched).toMatchObject({ spec: { hard }, status: wrong });
    await eventually('the status is set right', async () => {
      expect((await rest.get(`${path}/one`)).status).toMatchObject({ hard });
      return true;
    });
    await eventually('all that was written is seen', async () => {
      const seen = watching.events.map(({ object }) => (object.status as { hard: object }).hard);
      expect(seen).toContainEqual(wrong.hard);
      return true;
    });
    watching.close();
  });
});
