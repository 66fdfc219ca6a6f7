import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { type Obj, Rest } from './rest.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const template = (app: string): object => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image: 'none' }] },
});
const controllerOf = (name: string, replicas: number, labels: object = { app: name }): object => ({
  metadata: { name },
  spec: { replicas, selector: labels, template: { ...template(name), metadata: { labels } } },
});
const ownerOf = (kind: string, { metadata: { name, uid } }: Obj): object => ({ apiVersion: 'v1', kind, name, uid });

describe.skipIf(missing !== undefined)('the API server and its controllers', () => {
  let cluster: Cluster;
  let rest: Rest;
  beforeAll(async () => {
    cluster = await Cluster.start({ node: false });
    rest = await Rest.of(cluster);
  });
  afterAll(() => cluster?.remove());

  const apps = (at: string): string => `/apis/apps/v1${at.slice('/api/v1'.length)}`;
  const counted = (path: string, count: number): Promise<unknown> =>
    eventually(`${count} at ${path}`, async () => (await rest.count(path)) === count);
  const gone = (path: string): Promise<unknown> =>
    eventually(`${path} is gone`, async () => (await rest.send('GET', path)).code === 404);

  describe('discovery', () => {
    interface Group {
      readonly name: string;
      readonly versions: readonly { readonly groupVersion: string; readonly version: string }[];
      readonly preferredVersion: { readonly groupVersion: string; readonly version: string };
    }

    test('every group has a preferred version, and resources in all of its versions', async () => {
      const { kind, groups } = await rest.get('/apis');
      expect(kind).toBe('APIGroupList');
      for (const { name, versions, preferredVersion } of groups as readonly Group[]) {
        expect(versions).toContainEqual(preferredVersion);
        expect(await rest.get(`/apis/${name}`)).toMatchObject({ kind: 'APIGroup', name, versions, preferredVersion });
        for (const { groupVersion, version } of versions) {
          expect(groupVersion).toBe(`${name}/${version}`);
          const list = await rest.get(`/apis/${groupVersion}`);
          expect(list).toMatchObject({ kind: 'APIResourceList', groupVersion });
          expect((list['resources'] as readonly Obj[])[0]).toMatchObject({ name: expect.stringMatching(/^[a-z]/) });
        }
      }
    });

    test.each([
      ['apiextensions.k8s.io', ['customresourcedefinitions', 'customresourcedefinitions/status']],
      ['events.k8s.io', ['events']],
      [
        'certificates.k8s.io',
        ['certificatesigningrequests', 'certificatesigningrequests/approval', 'certificatesigningrequests/status'],
      ],
    ])('%s has its resources', async (group, resources) => {
      const { groups } = await rest.get('/apis');
      expect((groups as readonly Group[]).find(({ name }) => name === group)?.versions).toContainEqual({
        groupVersion: `${group}/v1`,
        version: 'v1',
      });
      const names = ((await rest.get(`/apis/${group}/v1`))['resources'] as readonly { name: string }[]).map(
        ({ name }) => name,
      );
      expect(names).toEqual(expect.arrayContaining(resources));
    });

    test('the version has numbers', async () => {
      expect(await rest.get('/version')).toMatchObject({
        major: expect.stringMatching(/^\d+$/),
        minor: expect.stringMatching(/^\d+$/),
        gitVersion: expect.stringMatching(/^v1\.36\./),
      });
    });

    test('what is no object of a list is shown in no table', async () => {
      const review = { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } };
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      const answer = await rest.send('POST', path, review, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
      expect(answer).toMatchObject({ code: 406, body: { reason: 'NotAcceptable' } });
    });
  });

  test('addresses of Services have objects that are written once', async () => {
    const path = '/apis/networking.k8s.io/v1/ipaddresses';
    await eventually('those of kubernetes and kube-dns', async () => (await rest.count(path)) >= 2);
    const watching = await rest.watch(`${path}?watch=1`);
    const own = await rest.create('/api/v1/namespaces/default/services', {
      metadata: { generateName: 'own-' },
      spec: { ports: [{ port: 80 }] },
    });
    const ip = String(own.spec?.['clusterIP']);
    const events = () => watching.events.filter(({ object }) => object.metadata.name === ip).map(({ type }) => type);
    await eventually('the new one', async () => events().length > 0);
    await rest.remove(`/api/v1/namespaces/default/services/${own.metadata.name}`);
    await eventually('and its end', async () => events().length > 1);
    expect(events()).toEqual(['ADDED', 'DELETED']);
    expect(watching.events.filter(({ type, object }) => type === 'DELETED' && object.metadata.name !== ip)).toEqual([]);
    watching.close();
  });

  describe('watches', () => {
    const labelled = (name: string, value: string): object => ({ metadata: { name, labels: { watched: value } } });

    test.concurrent('see what is added, changed and deleted, by label', async () => {
      const at = await rest.namespace('watch-labels');
      const path = `${at}/configmaps`;
      const of = (selector: string) =>
        rest.watch(`${path}?watch=1&labelSelector=${encodeURIComponent(`watched ${selector}`)}`);
      const watches = await Promise.all([of('in (a)'), of('in (b)'), of('in (a,b)')]);
      for (const name of ['a', 'b']) {
        await rest.create(path, labelled(name, name));
        for (const step of ['1', '2']) await rest.patch(`${path}/${name}`, { data: { step } });
        await rest.remove(`${path}/${name}`);
      }
      const life = (name: string) => ['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED'].map((type) => `${type} ${name}`);
      const [a, b, both] = watches;
      expect(await both.seen(8)).toEqual([...life('a'), ...life('b')]);
      expect(await a.seen(4)).toEqual(life('a'));
      expect(await b.seen(4)).toEqual(life('b'));
      for (const watch of watches) watch.close();
    });

    test.concurrent('begin after a resource version, and go on after the last one seen', async () => {
      const path = `${await rest.namespace('watch-from')}/configmaps`;
      await rest.create(path, labelled('a', 'a'));
      const { metadata } = await rest.patch(`${path}/a`, { data: { step: '1' } });
      await rest.patch(`${path}/a`, { data: { step: '2' } });
      await rest.remove(`${path}/a`);
      const from = (version: string) => rest.watch(`${path}?watch=1&labelSelector=watched&resourceVersion=${version}`);
      const first = await from(metadata.resourceVersion);
      expect(await first.seen(2)).toEqual(['MODIFIED a', 'DELETED a']);
      first.close();
      await rest.create(path, labelled('b', 'b'));
      await rest.patch(`${path}/b`, { data: { step: '1' } });
      const second = await from(first.events[1]?.object.metadata.resourceVersion ?? '');
      expect(await second.seen(2)).toEqual(['ADDED b', 'MODIFIED b']);
      second.close();
    });

    test.concurrent('see an object go that is selected no more, and come again', async () => {
      const path = `${await rest.namespace('watch-leaves')}/configmaps`;
      const watch = await rest.watch(`${path}?watch=1&labelSelector=${encodeURIComponent('watched=yes')}`);
      await rest.create(path, labelled('a', 'yes'));
      await rest.patch(`${path}/a`, { data: { step: '1' } });
      await rest.patch(`${path}/a`, { metadata: { labels: { watched: 'no' } } });
      await rest.patch(`${path}/a`, { data: { step: '2' } });
      await rest.patch(`${path}/a`, { metadata: { labels: { watched: 'yes' } } });
      await rest.patch(`${path}/a`, { data: { step: '3' } });
      await rest.remove(`${path}/a`);
      const types = ['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'MODIFIED', 'DELETED'];
      expect(await watch.seen(6)).toEqual(types.map((type) => `${type} a`));
      watch.close();
    });

    test.concurrent('that begin at each event of another see the same events in the same order', async () => {
      const path = `${await rest.namespace('watch-order')}/secrets`;
      const before = await rest.create(path, { metadata: { name: 'before' } });
      const from = (version: string) => rest.watch(`${path}?watch=1&resourceVersion=${version}`);
      const first = await from(before.metadata.resourceVersion);
      const writes = Array.from({ length: 12 }, async (_, index) => {
        const name = `object-${index % 4}`;
        if (index < 4) await rest.create(path, { metadata: { name } });
        else
          await rest.send(
            'PATCH',
            `${path}/${name}`,
            { data: { index: `${index}` } },
            {
              'content-type': 'application/merge-patch+json',
            },
          );
      });
      await Promise.all(writes);
      for (const name of ['object-0', 'object-1']) await rest.remove(`${path}/${name}`);
      const deleted = () => first.events.filter(({ type }) => type === 'DELETED').length;
      await eventually('the last event', async () => deleted() === 2);
      const versions = first.events.map(({ object }) => object.metadata.resourceVersion);
      for (const [index, version] of versions.slice(0, -1).entries()) {
        const later = await from(version);
        await later.seen(versions.length - index - 1);
        expect(later.events.map(({ object }) => object.metadata.resourceVersion)).toEqual(versions.slice(index + 1));
        later.close();
      }
      first.close();
    });
  });

  describe('garbage collection', () => {
    test.concurrent('in the background takes pods of a controller, in the foreground before it', async () => {
      const at = await rest.namespace('gc-controllers');
      for (const [name, propagationPolicy] of [
        ['background', 'Background'],
        ['foreground', 'Foreground'],
      ] as const) {
        await rest.create(`${at}/replicationcontrollers`, controllerOf(name, 10));
        await counted(`${at}/pods`, 10);
        const { metadata } = await rest.get(`${at}/replicationcontrollers/${name}`);
        const events = await rest.watch(`${at}/pods?watch=1`);
        const owners = await rest.watch(`${at}/replicationcontrollers?watch=1&fieldSelector=metadata.name%3D${name}`);
        await rest.remove(`${at}/replicationcontrollers/${name}`, {
          propagationPolicy,
          preconditions: { uid: metadata.uid },
        });
        await gone(`${at}/replicationcontrollers/${name}`);
        await counted(`${at}/pods`, 0);
        if (propagationPolicy === 'Foreground') {
          const last = (watch: typeof events) =>
            Math.max(...watch.events.filter(({ type }) => type === 'DELETED').map(versionOf));
          await eventually('its end', async () => owners.events.some(({ type }) => type === 'DELETED'));
          await eventually(
            'all ends',
            async () => events.events.filter(({ type }) => type === 'DELETED').length === 10,
          );
          expect(last(owners)).toBeGreaterThan(last(events));
        }
        for (const watch of [events, owners]) watch.close();
      }
    });

    test.concurrent.for([
      ['if it is told so', { propagationPolicy: 'Orphan' }],
      ['of a ReplicationController that is deleted without a word about them', undefined],
    ] as const)('orphans pods %s', async ([, options]) => {
      const at = await rest.namespace('gc-orphans');
      await rest.create(`${at}/replicationcontrollers`, controllerOf('owner', 10));
      await counted(`${at}/pods`, 10);
      await rest.remove(`${at}/replicationcontrollers/owner`, options);
      await gone(`${at}/replicationcontrollers/owner`);
      const { items = [] } = await rest.get(`${at}/pods`);
      expect(items).toHaveLength(10);
      expect(items.filter(({ metadata }) => metadata.ownerReferences !== undefined)).toEqual([]);
    });

    test.concurrent('of a Deployment takes its ReplicaSet and pods, or orphans them', async () => {
      const at = await rest.namespace('gc-deployments');
      const spec = { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: template('web') };
      const deployments = `${apps(at)}/deployments`;
      for (const [propagationPolicy, left] of [
        ['Background', 0],
        ['Orphan', 1],
      ] as const) {
        await rest.create(deployments, { metadata: { name: 'web' }, spec });
        await counted(`${at}/pods`, 2);
        await rest.remove(`${deployments}/web`, { propagationPolicy });
        await gone(`${deployments}/web`);
        await counted(`${at}/pods`, 2 * left);
        await counted(`${apps(at)}/replicasets`, left);
        for (const { metadata } of (await rest.get(`${apps(at)}/replicasets`)).items ?? [])
          expect(metadata.ownerReferences).toBeUndefined();
        for (const { metadata } of (await rest.get(`${at}/pods`)).items ?? [])
          expect(metadata).toMatchObject({ ownerReferences: [{ kind: 'ReplicaSet' }] });
      }
    });

    test.concurrent('keeps what has another owner than the one that waits for its dependents', async () => {
      const at = await rest.namespace('gc-two-owners');
      const controllers = `${at}/replicationcontrollers`;
      await rest.create(controllers, controllerOf('first', 10));
      const second = await rest.create(controllers, controllerOf('second', 0));
      await counted(`${at}/pods`, 10);
      const kept = ((await rest.get(`${at}/pods`)).items ?? []).slice(0, 5);
      const add = [{ op: 'add', path: '/metadata/ownerReferences/-', value: ownerOf('ReplicationController', second) }];
      for (const { metadata } of kept) await rest.patch(`${at}/pods/${metadata.name}`, add, 'json');
      await rest.remove(`${controllers}/first`, { propagationPolicy: 'Foreground' });
      await gone(`${controllers}/first`);
      const { items = [] } = await rest.get(`${at}/pods`);
      expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(
        kept.map(({ metadata }) => metadata.name).sort(),
      );
      for (const { metadata } of items) {
        expect(metadata.deletionTimestamp).toBeUndefined();
        expect(metadata.ownerReferences).toMatchObject([{ name: 'second' }]);
      }
    });

    test.concurrent('is not held up by a circle', async () => {
      const at = await rest.namespace('gc-circle');
      const spec = { containers: [{ name: 'main', image: 'none' }] };
      const names = ['pod1', 'pod2', 'pod3'];
      const pods = await Promise.all(names.map((name) => rest.create(`${at}/pods`, { metadata: { name }, spec })));
      for (const [index, name] of names.entries()) {
        const owner = pods[(index + 2) % 3];
        const ownerReferences = owner === undefined ? [] : [{ ...ownerOf('Pod', owner), blockOwnerDeletion: true }];
        await rest.patch(`${at}/pods/${name}`, { metadata: { ownerReferences } }, 'strategic-merge');
      }
      await rest.remove(`${at}/pods/pod1`, { propagationPolicy: 'Foreground' });
      await counted(`${at}/pods`, 0);
    });
  });

  describe('namespaces', () => {
    test.concurrent('are patched and updated, and have a status that is too', async () => {
      const path = await rest.namespace('ns-objects');
      expect(await rest.patch(path, { metadata: { labels: { patched: 'yes' } } }, 'strategic-merge')).toMatchObject({
        metadata: { labels: { patched: 'yes' } },
      });
      const labels = (object: Obj, label: string): object => ({ ...object.metadata.labels, [label]: 'yes' });
      await rest.update(path, (it) => ({ ...it, metadata: { ...it.metadata, labels: labels(it, 'updated') } }));
      expect((await rest.get(path)).metadata.labels).toMatchObject({ patched: 'yes', updated: 'yes' });

      expect(await rest.get(`${path}/status`)).toMatchObject({ status: { phase: 'Active' } });
      const condition = (type: string) => ({ type, status: 'True', reason: 'E2E', message: `by ${type}` });
      const patch = {
        metadata: { annotations: { patched: 'yes' } },
        status: { conditions: [condition('StatusPatch')] },
      };
      expect(await rest.patch(`${path}/status`, patch)).toMatchObject({
        metadata: { annotations: { patched: 'yes' } },
        status: { phase: 'Active', conditions: [condition('StatusPatch')] },
      });
      const updated = await rest.update(
        path,
        (it) => ({ ...it, status: { ...(it.status as object), conditions: [condition('StatusUpdate')] } }),
        `${path}/status`,
      );
      expect(updated).toMatchObject({ status: { phase: 'Active', conditions: [condition('StatusUpdate')] } });
    });

    test.concurrent('take finalizers by their subresource', async () => {
      const path = await rest.namespace('ns-finalizers');
      const mine = 'e2e.example.com/finalizer';
      const change = (names: (before: readonly string[]) => readonly string[]) =>
        rest.update(
          path,
          (it) => ({ ...it, spec: { ...it.spec, finalizers: names((it.spec?.['finalizers'] ?? []) as string[]) } }),
          `${path}/finalize`,
        );
      expect(await change((before) => [...before, mine])).toMatchObject({ spec: { finalizers: ['kubernetes', mine] } });
      expect(await change((before) => before.filter((name) => name !== mine))).toMatchObject({
        spec: { finalizers: ['kubernetes'] },
      });
      await rest.remove(path);
      await gone(path);
    });

    test.concurrent('go with their pods and services, and come again empty', async () => {
      const path = await rest.namespace('ns-contents');
      await rest.create(`${path}/pods`, { ...template('a'), metadata: { name: 'a' } });
      await rest.create(`${path}/services`, { metadata: { name: 'a' }, spec: { ports: [{ port: 80 }] } });
      await rest.remove(path);
      await gone(path);
      await rest.create('/api/v1/namespaces', { metadata: { name: path.split('/').at(-1) } });
      for (const kind of ['pods', 'services']) expect(await rest.count(`${path}/${kind}`)).toBe(0);
    });
  });
});

const versionOf = ({ object }: { readonly object: Obj }): number => Number(object.metadata.resourceVersion);
