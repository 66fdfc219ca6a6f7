import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRequest, newKeyPEM, subjectName } from '../../pkg/pki/issue.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { Rest } from './rest.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const selecting = (label: string): string => `labelSelector=${encodeURIComponent(label)}`;

describe.skipIf(missing !== undefined)('objects from creation to deletion', () => {
  let cluster: Cluster;
  let rest: Rest;
  beforeAll(async () => {
    cluster = await Cluster.start({ node: false });
    rest = await Rest.of(cluster);
  });
  afterAll(() => cluster?.remove());

  const code = async (path: string): Promise<number> => (await rest.send('GET', path)).code;

  describe('events', () => {
    const regarding = (at: string): object => ({ kind: 'Pod', name: 'a', namespace: at.split('/').at(-1) });
    const event = (at: string, name: string, labels: object): object => ({
      metadata: { name, labels },
      type: 'Normal',
      reason: 'Test',
      message: 'first',
      involvedObject: regarding(at),
    });
    const newEvent = (at: string, name: string, labels: object): object => ({
      metadata: { name, labels },
      type: 'Normal',
      reason: 'Test',
      action: 'Do',
      note: 'first',
      regarding: regarding(at),
      eventTime: '2026-01-02T03:04:05.000006Z',
      reportingController: 'test-controller',
      reportingInstance: 'test-node',
    });
    const series = (count: number): object => ({ count, lastObservedTime: '2026-01-02T03:05:05.000006Z' });
    const rows = [
      ['core', '/api/v1', event, { message: 'patched' }],
      // All of it is what was seen; only that it was seen again is new.
      ['events.k8s.io', '/apis/events.k8s.io/v1', newEvent, { series: series(2) }],
    ] as const;

    test.for(rows)('of %s are patched, given a series, listed and deleted', async ([, root, made, patch]) => {
      const at = await rest.namespace('events');
      const path = `${root}${at.slice('/api/v1'.length)}/events`;
      const label = { case: at.split('/').at(-1) };
      const everywhere = `${root}/events?${selecting(`case=${label.case}`)}`;
      await rest.create(path, made(at, 'one', label));
      expect((await rest.get(everywhere)).items?.map(({ metadata }) => metadata.name)).toEqual(['one']);
      expect(await rest.patch(`${path}/one`, patch, 'strategic-merge')).toMatchObject(patch);
      const updated = await rest.update(`${path}/one`, (before) => ({ ...before, series: series(100) }));
      expect(updated).toMatchObject({ ...patch, series: series(100) });
      expect(await rest.get(`${path}/one`)).toEqual(updated);
      await rest.remove(`${path}/one`);
      expect(await rest.count(everywhere)).toBe(0);
    });

    test('are selected in both versions by who reports them and what they are about', async () => {
      const at = await rest.namespace('event-fields');
      const namespace = at.slice('/api/v1'.length);
      const newPath = `/apis/events.k8s.io/v1${namespace}/events`;
      await rest.create(newPath, newEvent(at, 'one', {}));
      const about = namespace.split('/').at(-1);
      for (const [path, fields] of [
        [`/api/v1${namespace}/events`, ['source', 'reportingComponent', 'involvedObject.namespace']],
        [newPath, ['reportingController', 'regarding.namespace']],
      ] as const) {
        for (const field of fields) {
          const value = field.endsWith('namespace') ? about : 'test-controller';
          const select = (value: string | undefined): string => `${path}?fieldSelector=${field}%3D${value}`;
          expect(await rest.count(select(value)), `${path} by ${field}`).toBe(1);
          expect(await rest.count(select('another')), `${path} by ${field}`).toBe(0);
        }
      }
    });

    test.for(rows)('of %s are deleted together', async ([, root, made]) => {
      const at = await rest.namespace('event-set');
      const path = `${root}${at.slice('/api/v1'.length)}/events`;
      for (const name of ['one', 'two', 'three']) await rest.create(path, made(at, name, { set: 'yes' }));
      await rest.create(path, made(at, 'other', {}));
      expect(await rest.count(`${path}?${selecting('set=yes')}`)).toBe(3);
      await rest.remove(`${path}?${selecting('set=yes')}`);
      expect(await rest.count(`${path}?${selecting('set=yes')}`)).toBe(0);
      expect(await rest.count(path)).toBe(1);
    });
  });

  describe('service accounts', () => {
    test('are watched, patched, updated, found by label and deleted', async () => {
      const at = await rest.namespace('accounts');
      const path = `${at}/serviceaccounts`;
      const label = `case=${at.split('/').at(-1)}`;
      const watching = await rest.watch(`/api/v1/serviceaccounts?watch=1&${selecting(label)}`);
      const labels = { case: at.split('/').at(-1), static: 'true' };
      await rest.create(path, { metadata: { name: 'one', labels } });
      await rest.patch(`${path}/one`, { automountServiceAccountToken: false }, 'strategic-merge');
      const found = await rest.get(`/api/v1/serviceaccounts?${selecting(label)}`);
      expect(found.items).toMatchObject([{ metadata: { name: 'one', labels }, automountServiceAccountToken: false }]);
      const updated = await rest.update(`${path}/one`, (it) => ({ ...it, automountServiceAccountToken: true }));
      expect(updated).toMatchObject({ automountServiceAccountToken: true });
      await rest.remove(`${path}?${selecting(label)}`);
      expect(await watching.seen(4)).toEqual(['ADDED one', 'MODIFIED one', 'MODIFIED one', 'DELETED one']);
      watching.close();
    });

    test('find the root certificate in every namespace, whatever is done to it', async () => {
      const path = `${await rest.namespace('root-certificate')}/configmaps/kube-root-ca.crt`;
      const whole = (what: string) =>
        eventually(what, async () => {
          const answer = await rest.send('GET', path);
          const { 'ca.crt': certificate } = (answer.body['data'] ?? {}) as Record<string, string>;
          return certificate?.startsWith('-----BEGIN CERTIFICATE-----') && answer.body;
        });
      const first = await whole('it is created');
      await rest.remove(path);
      expect((await whole('it is created again'))?.metadata.uid).not.toBe(first?.metadata.uid);
      await rest.update(path, (map) => ({ ...map, data: { 'ca.crt': '' } }));
      expect(await whole('it is set right')).toMatchObject({ data: first['data'] });
    });

    test('may do what reviews say of them', async () => {
      const at = await rest.namespace('reviews');
      const namespace = at.split('/').at(-1) ?? '';
      await rest.create(`${at}/serviceaccounts`, { metadata: { name: 'reader' } });
      const user = `system:serviceaccount:${namespace}:reader`;
      const groups = ['system:authenticated', 'system:serviceaccounts', `system:serviceaccounts:${namespace}`];
      const spec = {
        user,
        groups,
        resourceAttributes: { verb: 'list', resource: 'configmaps', version: 'v1', namespace },
      };
      const reviews = '/apis/authorization.k8s.io/v1';
      const allowed = async (): Promise<boolean[]> => {
        const answers = [
          await rest.create(`${reviews}/subjectaccessreviews`, { spec }),
          await rest.create(`${reviews}/namespaces/${namespace}/localsubjectaccessreviews`, {
            metadata: { namespace },
            spec,
          }),
        ].map(({ status }) => (status as { allowed: boolean }).allowed);
        const self = await rest.send('GET', `${at}/configmaps`, undefined, { 'impersonate-user': user });
        return [...answers, self.code === 200];
      };
      expect(await allowed()).toEqual([false, false, false]);
      await rest.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
        metadata: { name: 'reader' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }],
      });
      await eventually('all say yes', async () => (await allowed()).every((answer) => answer));
    });
  });

  test('certificate signing requests, with approval and status', async () => {
    const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
    const request = await createRequest({
      keyPEM: newKeyPEM(),
      subject: subjectName('e2e-user', []),
      alternativeNames: [],
    });
    const labels = { case: 'csr' };
    const made = await rest.create(path, {
      metadata: { generateName: 'e2e-', labels },
      spec: {
        request: Buffer.from(request).toString('base64'),
        signerName: 'example.com/e2e',
        usages: ['digital signature', 'key encipherment', 'server auth'],
      },
    });
    const { name } = made.metadata;
    const one = `${path}/${name}`;
    const from = `watch=1&resourceVersion=${made.metadata.resourceVersion}`;
    const watching = await rest.watch(`${path}?${from}&${selecting('case=csr')}`);
    const field = encodeURIComponent('spec.signerName=example.com/e2e');
    expect(await rest.count(`${path}?fieldSelector=${field}&${selecting('case=csr')}`)).toBe(1);
    expect(await rest.patch(one, { metadata: { annotations: { patched: 'true' } } })).toMatchObject({
      metadata: { annotations: { patched: 'true' } },
    });
    await rest.update(one, ({ metadata, ...more }) => ({
      ...more,
      metadata: { ...metadata, annotations: { ...metadata.annotations, updated: 'true' } },
    }));

    const condition = (type: string): object => ({ type, status: 'True', reason: 'E2E', message: 'set by a test' });
    expect(await rest.get(`${one}/approval`)).toMatchObject({ metadata: { uid: made.metadata.uid } });
    const approval = { metadata: { annotations: { 'patched-approval': 'true' } } };
    expect(
      await rest.patch(`${one}/approval`, { ...approval, status: { conditions: [condition('ApprovalPatch')] } }),
    ).toMatchObject({ ...approval, status: { conditions: [condition('ApprovalPatch')] } });
    const approved = { conditions: [condition('ApprovalPatch'), condition('Approved')] };
    expect(await rest.update(one, (it) => ({ ...it, status: approved }), `${one}/approval`)).toMatchObject({
      status: approved,
    });

    const certificate = Buffer.from(await certificateOf(rest)).toString('base64');
    expect(await rest.get(`${one}/status`)).toMatchObject({ metadata: { uid: made.metadata.uid } });
    const status = { metadata: { annotations: { 'patched-status': 'true' } }, status: { certificate } };
    expect(await rest.patch(`${one}/status`, status)).toMatchObject(status);
    const conditions = [...approved.conditions, condition('StatusUpdate')];
    const updated = await rest.update(one, (it) => ({ ...it, status: { certificate, conditions } }), `${one}/status`);
    expect(updated).toMatchObject({ status: { certificate, conditions } });

    await rest.remove(one);
    expect(await code(one)).toBe(404);
    await rest.remove(`${path}?${selecting('case=csr')}`);
    expect(await rest.count(`${path}?${selecting('case=csr')}`)).toBe(0);
    const seen = await watching.seen(7);
    expect(seen).toEqual([...Array.from({ length: 6 }, () => `MODIFIED ${name}`), `DELETED ${name}`]);
    watching.close();
  });
});

/** Any certificate in PEM: the root's. */
async function certificateOf(rest: Rest): Promise<string> {
  const { data } = await rest.get('/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt');
  return (data as Record<string, string>)['ca.crt'] ?? '';
}
