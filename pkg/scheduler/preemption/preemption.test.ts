import { afterAll, describe, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { podInfo } from '../framework/pod-info.ts';
import { nodeFixture as node, podFixture as pod, TestProfile } from '../testing/fixtures.ts';
import { pickCandidate } from './pick-candidate.ts';
import type { Candidate } from './victims.ts';

const controller = new AbortController();
afterAll(() => controller.abort());

const at = (
  priority: number,
  cpu: string,
  more: { name?: string; labels?: Record<string, string>; startTime?: string; spec?: object } = {},
): Pod => {
  const { startTime = '2026-01-01T00:00:00Z', spec, ...fixture } = more;
  return pod({ ...fixture, requests: { cpu }, spec: { priority, ...spec }, status: { startTime } });
};

/** Places pods on nodes (in the API server too, so that they can be evicted) and asks for room for one more. */
async function preempt(
  wanted: Pod,
  placed: Record<string, readonly Pod[]>,
  objects: (api: FakeCluster) => void = () => {},
) {
  const profile = await TestProfile.create(controller.signal, {}, (api) => {
    objects(api);
    for (const other of [wanted, ...Object.values(placed).flat()]) api.add(resources.pods, other as never);
  });
  for (const [name, pods] of Object.entries(placed)) profile.nodes(node(name)).place(name, ...pods);
  const result = await profile.preempt(wanted);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  const victims = profile.api.actions.filter(({ verb }) => verb === 'delete').map(({ name }) => name);
  return { ...result, victims: victims.sort() };
}

const budget = (api: FakeCluster, disruptionsAllowed: number): void => {
  api.add(resources.poddisruptionbudgets, {
    metadata: { name: 'b', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'guarded' } } },
    status: { disruptionsAllowed },
  });
};
const guarded = { labels: { app: 'guarded' } };

describe('preemption', () => {
  test('as few and as unimportant pods as possible', async () => {
    const placed = {
      a: [at(1, '1', { name: 'one' }), at(2, '1', { name: 'two' }), at(3, '2', { name: 'three' })],
    };
    expect(await preempt(at(10, '2'), placed)).toMatchObject({ node: 'a', victims: ['one', 'two'] });
  });

  test('the younger of equals goes first', async () => {
    const placed = {
      a: [at(1, '2', { name: 'old' }), at(1, '2', { name: 'young', startTime: '2026-02-01T00:00:00Z' })],
    };
    expect(await preempt(at(10, '2'), placed)).toMatchObject({ victims: ['young'] });
  });

  test.each([
    [
      'a budget is kept',
      0,
      { a: [at(1, '4', { name: 'g', ...guarded })], b: [at(5, '4', { name: 'free' })] },
      ['free'],
    ],
    [
      'a budget that allows it',
      1,
      { a: [at(1, '4', { name: 'g', ...guarded })], b: [at(5, '4', { name: 'x' })] },
      ['g'],
    ],
    ['a budget is broken when nothing else helps', 0, { a: [at(1, '4', { name: 'g', ...guarded })] }, ['g']],
    [
      'guarded pods of one node are put back first',
      0,
      { a: [at(1, '2', { name: 'g', ...guarded }), at(1, '2', { name: 'free' })] },
      ['free'],
    ],
  ])('%s', async (_name, allowed, placed, expected) => {
    const wanted = at(10, Object.values(placed).flat().length === 2 && !('b' in placed) ? '2' : '4');
    expect(await preempt(wanted, placed, (api) => budget(api, allowed))).toMatchObject({ victims: expected });
  });

  test.each<[string, Pod, Record<string, Pod[]>, string]>([
    [
      'nobody is less important',
      at(1, '2'),
      { a: [at(1, '4')] },
      'no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    ],
    [
      'larger than the node',
      at(9, '5'),
      { a: [at(1, '4')] },
      'no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    ],
    [
      'not even without the less important ones',
      at(9, '3'),
      { a: [at(1, '2'), at(9, '2')] },
      'no new claims to deallocate, preemption: 0/1 nodes are available: 1 Insufficient cpu.',
    ],
    [
      'never preempts',
      at(9, '2', { spec: { preemptionPolicy: 'Never' } }),
      { a: [at(1, '4')] },
      'no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.',
    ],
    [
      'waits for those that go already',
      { ...at(9, '2'), status: { phase: 'Pending', nominatedNodeName: 'a' } } as Pod,
      {
        a: [
          {
            ...at(1, '4'),
            metadata: { ...at(1, '4', { name: 'going' }).metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
            status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }] },
          } as Pod,
        ],
      },
      'no new claims to deallocate, preemption: not eligible due to a terminating pod on the nominated node.',
    ],
  ])('message: %s', async (_name, wanted, placed, message) => {
    expect(await preempt(wanted, placed)).toMatchObject({ message, victims: [] });
  });

  test('anti-affinity is helped by evicting who it is against; affinity is not', async () => {
    const rule = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'guarded' } } };
    const rules = (kind: string): object => ({
      affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [rule] } },
    });
    const other = at(1, '1', { name: 'g', ...guarded });
    const victims = await preempt(at(9, '1', { spec: rules('podAntiAffinity') }), { a: [other] });
    expect(victims).toMatchObject({ node: 'a', victims: ['g'] });
    const wish = await preempt(at(9, '1', { spec: rules('podAffinity') }), { a: [at(1, '1')] });
    expect(wish).toMatchObject({ victims: [] });
  });

  test('topology spread is helped by evicting from the fuller domain', async () => {
    const constraint = {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'guarded' } },
      nodeAffinityPolicy: 'Ignore',
    };
    const spec = { topologySpreadConstraints: [constraint], nodeSelector: { 'kubernetes.io/hostname': 'a' } };
    const placed = { a: [at(1, '1', { name: 'g1', ...guarded }), at(2, '1', { name: 'g2', ...guarded })], b: [] };
    const wanted = at(9, '1', { ...guarded, spec });
    expect(await preempt(wanted, placed)).toMatchObject({ node: 'a', victims: ['g1', 'g2'] });
  });

  test('tells victims, and names the preemptor', async () => {
    const wanted = at(9, '4');
    const profile = await TestProfile.create(controller.signal, {}, (api) => {
      for (const one of [wanted, at(1, '4', { name: 'victim' })]) api.add(resources.pods, one as never);
    });
    profile
      .nodes(node('a'))
      .place('a', profile.api.get<Pod>(resources.pods, { namespace: 'default', name: 'victim' }) as Pod);
    await profile.preempt(wanted);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    const [told] = profile.api.actions;
    expect(told).toMatchObject({
      verb: 'patch',
      subresource: 'status',
      name: 'victim',
      body: {
        status: {
          conditions: [
            {
              type: 'DisruptionTarget',
              status: 'True',
              reason: 'PreemptionByScheduler',
              message: 'default-scheduler: preempting to accommodate a higher priority pod',
            },
          ],
        },
      },
    });
  });

  test('room that is nominated belongs to pods of at least the same priority', async () => {
    const profile = (await TestProfile.create(controller.signal)).nodes(node('a'));
    profile.nominator.add(podInfo(at(5, '4')), 'a');
    expect(profile.outcome(at(5, '1'))).toBe('0/1 nodes are available: 1 Insufficient cpu.');
    expect(profile.outcome(at(6, '1'))).toBe('a');
  });
});

describe('which node', () => {
  const candidate = (name: string, violations: number, ...victims: Pod[]): Candidate => ({
    node: name,
    violations,
    victims: victims.map((one) => podInfo(one)),
  });
  test.each([
    ['no budget broken', [candidate('a', 1, at(1, '1')), candidate('b', 0, at(9, '1'))], 'b'],
    [
      'the least important highest victim',
      [candidate('a', 0, at(5, '1')), candidate('b', 0, at(4, '1'), at(4, '1'))],
      'b',
    ],
    ['the smallest sum', [candidate('a', 0, at(5, '1'), at(4, '1')), candidate('b', 0, at(5, '1'), at(3, '1'))], 'b'],
    ['fewer negative ones', [candidate('a', 0, at(-1, '1'), at(-5, '1')), candidate('b', 0, at(-1, '1'))], 'b'],
    [
      'the youngest of the highest',
      [candidate('a', 0, at(1, '1')), candidate('b', 0, at(1, '1', { startTime: '2026-02-01T00:00:00Z' }))],
      'b',
    ],
    ['the first of equals', [candidate('a', 0, at(1, '1')), candidate('b', 0, at(1, '1'))], 'a'],
  ])('%s', (_name, candidates, expected) => {
    expect(pickCandidate(candidates)?.node).toBe(expected);
  });
});
