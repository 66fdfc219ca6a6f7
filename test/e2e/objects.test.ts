import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../recordings/connection.ts';
import { Cluster, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

/** A kind whose objects are only kept. */
interface Case {
  readonly group: string;
  readonly resource: string;
  readonly body: Record<string, unknown>;
  readonly clusterScoped?: boolean;
}

interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

const isEnding = ({ metadata }: Stored): boolean => metadata.deletionTimestamp !== undefined;

const TEMPLATE = { spec: { containers: [{ name: 'nginx', image: 'nginx' }] } };
const LEASE = { spec: { holderIdentity: 'holder', leaseDurationSeconds: 30, leaseTransitions: 0 } };
const CAPACITY = { storageClassName: 'example-class', capacity: '10Gi', nodeTopology: {} };
const INLINE = {
  spec: {
    containers: [{ name: 'main', image: 'nginx', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
    volumes: [{ name: 'v', csi: { driver: 'e2e.example.com', readOnly: true } }],
  },
};

const cases: Readonly<Record<string, Case>> = {
  ConfigMap: { group: '', resource: 'configmaps', body: { data: { valueName: 'value' } } },
  Secret: { group: '', resource: 'secrets', body: { data: { key: 'dmFsdWU=' }, type: 'Opaque' } },
  PodTemplate: { group: '', resource: 'podtemplates', body: { template: TEMPLATE } },
  Lease: { group: 'coordination.k8s.io', resource: 'leases', body: LEASE },
  RuntimeClass: { group: 'node.k8s.io', resource: 'runtimeclasses', body: { handler: 'handler' }, clusterScoped: true },
  CSIDriver: { group: 'storage.k8s.io', resource: 'csidrivers', body: { spec: {} }, clusterScoped: true },
  CSIStorageCapacity: { group: 'storage.k8s.io', resource: 'csistoragecapacities', body: CAPACITY },
  'Pod with a CSI volume': { group: '', resource: 'pods', body: INLINE },
};

describe.skipIf(missing !== undefined)('objects', () => {
  let cluster: Cluster;
  let api: Connection;
  beforeAll(async () => {
    // A scheduler would say of the pods that no node has room for them.
    cluster = await Cluster.start({ node: false, flags: ['--disable', 'kubelet,scheduler'] });
    api = await Connection.fromKubeconfig(cluster.kubeconfig);
  });
  afterAll(() =>
    endAll(
      () => api?.close(),
      () => cluster?.remove(),
    ),
  );

  const send = async <T = Stored>(
    code: number,
    method: string,
    path: string,
    body?: unknown,
    type?: string,
  ): Promise<T> => {
    const reply = await api.send(method, path, body, type);
    expect([method, path, reply.status, reply.status === code ? '' : reply.text]).toEqual([method, path, code, '']);
    return JSON.parse(reply.text) as T;
  };

  test.concurrent.each(Object.entries(cases))(
    '%s: its whole life',
    async (title, { group, resource, body, clusterScoped }) => {
      const root = group === '' ? '/api/v1' : `/apis/${group}/v1`;
      if (group !== '') {
        const groups = await send<{ groups: { name: string; versions: { version: string }[] }[] }>(200, 'GET', '/apis');
        expect(groups.groups.find(({ name }) => name === group)?.versions).toContainEqual(
          expect.objectContaining({ version: 'v1' }),
        );
        const versions = await send<{ versions: { version: string }[] }>(200, 'GET', `/apis/${group}`);
        expect(versions.versions.map(({ version }) => version)).toContain('v1');
      }
      const list = await send<{ resources: { name: string; verbs: string[] }[] }>(200, 'GET', root);
      expect(list.resources.find(({ name }) => name === resource)?.verbs.toSorted()).toEqual([
        'create',
        'delete',
        'deletecollection',
        'get',
        'list',
        'patch',
        'update',
        'watch',
      ]);

      const name = title.toLowerCase().replaceAll(' ', '-');
      const path = `${root}/${clusterScoped === true ? '' : 'namespaces/default/'}${resource}`;
      const selected = `${path}?labelSelector=life%3D${name}`;
      const make = (suffix: string): Promise<Stored> =>
        send(201, 'POST', path, { metadata: { name: `${name}-${suffix}`, labels: { life: name } }, ...body });
      const names = async (): Promise<string[]> =>
        (await send<{ items: Stored[] }>(200, 'GET', selected)).items.map(({ metadata }) => metadata.name);
      const made = await make('a');
      await send(409, 'POST', path, { metadata: { name: `${name}-a` }, ...body });
      await make('b');
      const own = `${path}/${name}-a`;
      expect((await send(200, 'GET', own)).metadata.uid).toBe(made.metadata.uid);

      const watch = { method: 'GET', path: `${selected}&watch=1&resourceVersion=${made.metadata.resourceVersion}` };
      const options = { count: title.startsWith('Pod with') ? 7 : 5, limitMs: 20_000, settleMs: 0 };
      const { events = [] } = await api.watch(watch, options, async () => {
        const merge = 'application/merge-patch+json';
        await send(200, 'PATCH', own, { metadata: { annotations: { patched: 'true' } } }, merge);
        const patched = await send(200, 'GET', own);
        expect(patched.metadata.annotations).toMatchObject({ patched: 'true' });
        const metadata = { ...patched.metadata, annotations: { ...patched.metadata.annotations, updated: 'true' } };
        expect((await send(200, 'PUT', own, { ...patched, metadata })).metadata.annotations).toMatchObject({
          updated: 'true',
        });
        expect(await names()).toEqual([`${name}-a`, `${name}-b`]);
        await send(200, 'DELETE', `${own}?gracePeriodSeconds=0`);
        await send(404, 'GET', own);
        expect(await names()).toEqual([`${name}-b`]);
        await send(200, 'DELETE', `${selected}&gracePeriodSeconds=0`);
      });
      // What is deleted with a grace period, even of none, is changed first.
      const seen = events.filter(({ type, object }) => type !== 'MODIFIED' || !isEnding(object as unknown as Stored));
      expect(seen.map(({ type, object }) => `${type} ${(object as unknown as Stored).metadata.name}`)).toEqual([
        `ADDED ${name}-b`,
        `MODIFIED ${name}-a`,
        `MODIFIED ${name}-a`,
        `DELETED ${name}-a`,
        `DELETED ${name}-b`,
      ]);
      expect(await names()).toEqual([]);
    },
  );

  test.concurrent.each([
    ['configmaps', { data: { a: 'one' } }, { data: { a: 'two' } }, { data: { a: 'three' } }],
    ['secrets', { data: { a: 'b25l' } }, { data: { a: 'dHdv' } }, { data: { a: 'dGhyZWU=' } }],
  ])('%s that are immutable change nothing but their metadata', async (resource, first, second, third) => {
    const path = `/api/v1/namespaces/default/${resource}`;
    const own = `${path}/immutable`;
    const metadata = { name: 'immutable' };
    await send(201, 'POST', path, { metadata, ...first });
    await send(200, 'PUT', own, { metadata, ...second });
    await send(200, 'PUT', own, { metadata, ...second, immutable: true });
    await send(422, 'PUT', own, { metadata, ...third, immutable: true });
    await send(422, 'PUT', own, { metadata, ...second, immutable: false });
    await send(422, 'PUT', own, { metadata, ...second });
    await send(200, 'PUT', own, { metadata: { ...metadata, labels: { a: 'b' } }, ...second, immutable: true });
    await send(200, 'DELETE', own);
  });

  test.concurrent.each(['configmaps', 'secrets'])('%s with an empty key are refused', async (resource) => {
    const path = `/api/v1/namespaces/default/${resource}`;
    await send(422, 'POST', path, { metadata: { name: 'empty-key' }, data: { '': 'dmFsdWU=' } });
  });

  test.concurrent('sysctls that are no names are refused, each by its own', async () => {
    const sysctls = ['foo-', 'kernel.shmmax', 'safe-and-unsafe', 'bar..'].map((name) => ({ name, value: '100000000' }));
    const spec = { containers: [{ name: 'main', image: 'nginx' }], securityContext: { sysctls } };
    const path = '/api/v1/namespaces/default/pods';
    const { message } = await send<{ message: string }>(422, 'POST', path, { metadata: { name: 'sysctls' }, spec });
    expect(message).toContain('Invalid value: "foo-"');
    expect(message).toContain('Invalid value: "bar.."');
    expect(message).not.toContain('safe-and-unsafe');
    expect(message).not.toContain('kernel.shmmax');
  });

  test.concurrent('pods of a runtime class have its overhead, and none without a class', async () => {
    const classes = '/apis/node.k8s.io/v1/runtimeclasses';
    const overhead = { podFixed: { cpu: '10m', memory: '1Mi' } };
    await send(201, 'POST', classes, { metadata: { name: 'heavy' }, handler: 'runc', overhead });
    await send(201, 'POST', classes, { metadata: { name: 'light' }, handler: 'runc' });
    const pod = <T>(code: number, name: string, runtimeClassName: string): Promise<T> =>
      send(code, 'POST', '/api/v1/namespaces/default/pods', {
        metadata: { name },
        spec: { runtimeClassName, containers: [{ name: 'main', image: 'nginx' }] },
      });
    interface Spec {
      readonly spec: { readonly overhead?: object };
    }
    expect((await pod<Spec>(201, 'heavy', 'heavy')).spec.overhead).toEqual(overhead.podFixed);
    expect((await pod<Spec>(201, 'light', 'light')).spec.overhead).toBeUndefined();
    await pod(403, 'none', 'none');
    await send(200, 'DELETE', `${classes}/light`);
    await pod(403, 'gone', 'light');
  });

  test.concurrent('a pod whose requests are its limits is guaranteed them', async () => {
    const amounts = { cpu: '100m', memory: '100Mi' };
    const container = { name: 'main', image: 'nginx', resources: { requests: amounts, limits: amounts } };
    const made = await send<{ status: object }>(201, 'POST', '/api/v1/namespaces/default/pods', {
      metadata: { name: 'guaranteed' },
      spec: { containers: [container] },
    });
    expect(made.status).toMatchObject({ qosClass: 'Guaranteed' });
  });
});
