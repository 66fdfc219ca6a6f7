import { afterAll, describe, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { nodeFixture as node, podFixture as pod, TestProfile } from '../testing/fixtures.ts';

const controller = new AbortController();
afterAll(() => controller.abort());

const HOST = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';
const zoned = (name: string, zone: string) => node(name, { labels: { [ZONE]: zone } });
const term = (app: string, topologyKey = HOST, more: object = {}): object => ({
  topologyKey,
  labelSelector: { matchLabels: { app } },
  ...more,
});
const affinity = (...terms: object[]): object => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const antiAffinity = (...terms: object[]): object => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const app = (name: string, spec: object = {}, labels: Record<string, string> = {}): Pod =>
  pod({ labels: { app: name, ...labels }, spec });

const AFFINITY = "node(s) didn't match pod affinity rules";
const ANTI = "node(s) didn't match pod anti-affinity rules";
const EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules";
const SPREAD = "node(s) didn't match pod topology spread constraints";
const none = (...reasons: string[]): string => `0/2 nodes are available: ${reasons.join(', ')}.`;

type Placed = Record<string, readonly Pod[]>;

async function outcome(wanted: Pod, placed: Placed, objects?: (api: FakeCluster) => void): Promise<string> {
  const profile = await TestProfile.create(controller.signal, {}, objects);
  profile.nodes(zoned('a', 'z1'), zoned('b', 'z2'));
  for (const [name, pods] of Object.entries(placed)) profile.place(name, ...pods);
  return profile.outcome(wanted);
}

describe('inter-pod affinity', () => {
  const namespaces = (api: FakeCluster): void => {
    api.add(resources.namespaces, { metadata: { name: 'default', labels: { team: 'x' } } });
    api.add(resources.namespaces, { metadata: { name: 'other', labels: { team: 'y' } } });
  };
  const inOther = (name: string, spec: object = {}): Pod => pod({ namespace: 'other', labels: { app: name }, spec });

  test.each<[string, Pod, Placed, string]>([
    ['nobody to be with', app('me', affinity(term('db'))), {}, none(`2 ${AFFINITY}`)],
    ['with another', app('me', affinity(term('db'))), { b: [app('db')] }, 'b'],
    ['in its zone', app('me', affinity(term('db', ZONE))), { b: [app('db')] }, 'b'],
    ['the first of its kind', app('me', affinity(term('me'))), {}, 'a'],
    ['not the first', app('me', affinity(term('me'))), { b: [app('me')] }, 'b'],
    ['nodes without the key', app('me', affinity(term('me', 'rack'))), {}, none(`2 ${AFFINITY}`)],
    [
      'all terms need one pod that matches all',
      app('me', affinity(term('db'), term('web'))),
      { a: [app('db'), app('web')] },
      none(`2 ${AFFINITY}`),
    ],
    ['away from another', app('me', antiAffinity(term('db'))), { a: [app('db')] }, 'b'],
    [
      'away from its own kind',
      app('me', antiAffinity(term('me'))),
      { a: [app('me')], b: [app('me')] },
      none(`2 ${ANTI}`),
    ],
    [
      'others want to be away from it',
      app('me'),
      { a: [app('db', antiAffinity(term('me')))], b: [app('db', antiAffinity(term('me', ZONE)))] },
      none(`2 ${EXISTING}`),
    ],
    ['another namespace is no company', app('me', affinity(term('db'))), { b: [inOther('db')] }, none(`2 ${AFFINITY}`)],
    [
      'a namespace by name',
      app('me', affinity(term('db', HOST, { namespaces: ['other'] }))),
      { b: [inOther('db')] },
      'b',
    ],
    [
      'a namespace by its labels',
      app('me', affinity(term('db', HOST, { namespaceSelector: { matchLabels: { team: 'y' } } }))),
      { a: [app('db')], b: [inOther('db')] },
      'b',
    ],
    [
      'every namespace',
      app('me', antiAffinity(term('db', HOST, { namespaceSelector: {} }))),
      { a: [app('db')], b: [inOther('db')] },
      none(`2 ${ANTI}`),
    ],
    [
      'anti-affinity of a pod in another namespace',
      app('me'),
      { a: [inOther('db', antiAffinity(term('me', HOST, { namespaceSelector: { matchLabels: { team: 'x' } } })))] },
      'b',
    ],
    [
      'the same version only',
      app('me', antiAffinity(term('me', HOST, { matchLabelKeys: ['version'] })), { version: '2' }),
      { a: [app('me', {}, { version: '1' })], b: [app('me', {}, { version: '2' })] },
      'a',
    ],
    [
      'other versions only',
      app('me', antiAffinity(term('me', HOST, { mismatchLabelKeys: ['version'] })), { version: '2' }),
      { a: [app('me', {}, { version: '1' })], b: [app('me', {}, { version: '2' })] },
      'b',
    ],
  ])('%s', async (_name, wanted, placed, expected) => {
    expect(await outcome(wanted, placed, namespaces)).toBe(expected);
  });

  const preferred = (kind: 'podAffinity' | 'podAntiAffinity', weight: number, other: object): object => ({
    affinity: {
      [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: other }] },
    },
  });

  test.each<[string, Pod, Placed, Record<string, number>]>([
    ['nothing to say', app('me'), { a: [app('db')] }, {}],
    ['likes', app('me', preferred('podAffinity', 10, term('db'))), { a: [app('db')] }, { a: 100, b: 0 }],
    ['dislikes', app('me', preferred('podAntiAffinity', 10, term('db'))), { a: [app('db')] }, { a: 0, b: 100 }],
    ['is liked', app('me'), { b: [app('db', preferred('podAffinity', 10, term('me')))] }, { a: 0, b: 100 }],
    ['is disliked', app('me'), { b: [app('db', preferred('podAntiAffinity', 10, term('me')))] }, { a: 100, b: 0 }],
    ['is needed', app('me'), { b: [app('db', affinity(term('me')))] }, { a: 0, b: 100 }],
    [
      'more pods weigh more',
      app('me', preferred('podAffinity', 10, term('db'))),
      { a: [app('db')], b: [app('db'), app('db')] },
      { a: 0, b: 100 },
    ],
  ])('score: %s', async (_name, wanted, placed, expected) => {
    const profile = await TestProfile.create(controller.signal, {}, namespaces);
    profile.nodes(zoned('a', 'z1'), zoned('b', 'z2'));
    for (const [name, pods] of Object.entries(placed)) profile.place(name, ...pods);
    expect(profile.scores('InterPodAffinity', wanted)).toEqual(expected);
  });

  test('counts follow pods that leave, nodes that change their labels and namespaces that change theirs', async () => {
    const profile = await TestProfile.create(controller.signal, {}, namespaces);
    profile.nodes(zoned('a', 'z1'), zoned('b', 'z2'));
    const company = app('db');
    profile.place('b', company);
    expect(profile.outcome(app('me', affinity(term('db', ZONE))))).toBe('b');
    profile.nodes(zoned('a', 'z2'), zoned('b', 'z1'));
    expect(profile.outcome(app('me', affinity(term('db', ZONE))))).toBe('b');
    profile.nodes(zoned('a', 'z1'), node('b'));
    expect(profile.outcome(app('me', affinity(term('db', ZONE))))).toBe(none(`2 ${AFFINITY}`));
    profile.nodes(zoned('b', 'z2'));
    profile.cluster.removePod(company.metadata.uid);
    expect(profile.outcome(app('me', affinity(term('db', ZONE))))).toBe(none(`2 ${AFFINITY}`));
  });
});

describe('topology spread', () => {
  const spread = (topologyKey: string, more: object = {}): object => ({
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 's' } },
        ...more,
      },
    ],
  });
  const pods = (count: number): Pod[] => Array.from({ length: count }, () => app('s'));

  test.each<[string, Pod, Placed, string]>([
    ['the emptier zone', app('s', spread(ZONE)), { a: pods(1) }, 'b'],
    ['a skew that is allowed', app('s', spread(ZONE, { maxSkew: 2 })), { b: pods(1) }, 'a'],
    [
      'only one node is left, and it is too full',
      app('s', { ...spread(HOST, { nodeAffinityPolicy: 'Ignore' }), nodeSelector: { [HOST]: 'a' } }),
      { a: pods(2) },
      none("1 node(s) didn't match Pod's node affinity/selector", `1 ${SPREAD}`),
    ],
    [
      'nodes that the selector leaves out do not count',
      app('s', { ...spread(HOST), nodeSelector: { [HOST]: 'a' } }),
      { a: pods(2) },
      'a',
    ],
    ['nodes without the key', app('s', spread('rack')), {}, none(`2 ${SPREAD} (missing required label)`)],
    [
      'a pod that does not count itself',
      app('x', { ...spread(ZONE, { nodeAffinityPolicy: 'Ignore' }), nodeSelector: { [HOST]: 'a' } }),
      { a: pods(1) },
      'a',
    ],
    ['too few domains', app('s', spread(ZONE, { minDomains: 3 })), { a: pods(1), b: pods(1) }, none(`2 ${SPREAD}`)],
    [
      'pods on their way out do not count',
      app('s', spread(ZONE)),
      { a: [], b: [{ ...app('s'), metadata: { ...app('s').metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }] },
      'a',
    ],
    [
      'the same version only',
      app('s', spread(HOST, { matchLabelKeys: ['version'] }), { version: '2' }),
      { a: pods(5), b: [app('s', {}, { version: '2' })] },
      'a',
    ],
  ])('%s', async (_name, wanted, placed, expected) => {
    expect(await outcome(wanted, placed)).toBe(expected);
  });

  test.each([
    ['Ignore', none(`1 ${SPREAD}`, '1 node(s) had untolerated taint(s)')],
    ['Honor', 'a'],
  ])('tainted nodes: %s', async (nodeTaintsPolicy, expected) => {
    const profile = await TestProfile.create(controller.signal);
    profile.nodes(node('a'), node('b', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }));
    profile.place('a', ...pods(1));
    expect(profile.outcome(app('s', spread(HOST, { nodeTaintsPolicy })))).toBe(expected);
  });

  test('score: the emptier place is better, nodes without the key are worst', async () => {
    const profile = await TestProfile.create(controller.signal);
    profile.nodes(zoned('a', 'z1'), zoned('b', 'z2'), node('c'));
    profile.place('a', ...pods(3));
    profile.place('b', ...pods(1));
    const soft = app('s', spread(ZONE, { whenUnsatisfiable: 'ScheduleAnyway' }));
    expect(profile.scores('PodTopologySpread', soft)).toEqual({ a: 25, b: 100, c: 0 });
  });

  test.each(['Service', 'ReplicaSet'])('pods of a %s are spread without constraints of their own', async (kind) => {
    const profile = await TestProfile.create(controller.signal, {}, (api) => {
      const metadata = { name: 'owner', namespace: 'default' };
      if (kind === 'Service') api.add(resources.services, { metadata, spec: { selector: { app: 's' } } });
      else api.add(resources.replicasets, { metadata, spec: { selector: { matchLabels: { app: 's' } } } });
    });
    profile.nodes(zoned('a', 'z1'), zoned('b', 'z2'));
    profile.place('a', ...pods(3));
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'owner', uid: 'u', controller: true };
    const wanted = pod({ labels: { app: 's' }, ...(kind === 'Service' ? {} : { ownerReferences: [owner] }) });
    const scores = profile.scores('PodTopologySpread', wanted);
    expect(scores['b']).toBeGreaterThan(scores['a'] as number);
    expect(profile.scores('PodTopologySpread', app('other'))).toEqual({});
  });

  test('default constraints of the configuration', async () => {
    const profile = await TestProfile.create(
      controller.signal,
      {
        PodTopologySpread: {
          defaultingType: 'List',
          defaultConstraints: [{ maxSkew: 1, topologyKey: HOST, whenUnsatisfiable: 'DoNotSchedule' }],
        },
      },
      (api) =>
        api.add(resources.services, {
          metadata: { name: 's', namespace: 'default' },
          spec: { selector: { app: 's' } },
        }),
    );
    profile.nodes(node('a'), node('b', { spec: { unschedulable: true } })).place('a', ...pods(1));
    expect(profile.outcome(app('s'))).toBe(none(`1 ${SPREAD}`, '1 node(s) were unschedulable'));
  });
});
