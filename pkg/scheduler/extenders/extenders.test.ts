import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { Pod } from '../../api/generated/types.ts';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createMetrics } from '../../base/metrics.ts';
import { createEventSeriesRecorder, createInformers } from '../../client/index.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { readConfiguration } from '../config/read-configuration.ts';
import { Scheduler } from '../scheduler.ts';
import { nodeFixture, podFixture } from '../testing/fixtures.ts';
import type { ExtenderTransport } from './extender.ts';
import { createExtenderTransport } from './http-transport.ts';

let stop: () => Promise<void> = async () => {};
afterEach(() => stop());

interface Call {
  readonly url: string;
  readonly body: unknown;
}

/** A cluster of nodes a, b and c with one pod p, and an extender that answers as told. */
async function run(
  extender: object,
  answer: (verb: string, body: never) => unknown,
  pods: readonly Pod[] = [podFixture({ name: 'p', requests: { 'example.com/x': '1' } })],
): Promise<{ cluster: FakeCluster; calls: Call[]; clock: FakeClock }> {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const calls: Call[] = [];
  const transport: ExtenderTransport = async (url, body) => {
    calls.push({ url, body });
    return answer(url.split('/').at(-1) ?? '', body as never);
  };
  const configuration = readConfiguration({
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    extenders: [
      {
        urlPrefix: 'http://extender/x/',
        managedResources: [{ name: 'example.com/x', ignoredByScheduler: true }],
        nodeCacheCapable: true,
        ...extender,
      },
    ],
  });
  for (const name of ['a', 'b', 'c']) cluster.add(resources.nodes, nodeFixture(name) as never);
  for (const pod of pods) cluster.add(resources.pods, pod as never);
  const deps = { client: cluster.client, clock, logger: silentLogger };
  const informers = createInformers(cluster.client, { clock, logger: silentLogger, random: () => 0 });
  const scheduler = new Scheduler(configuration, {
    ...deps,
    informers,
    recorderFor: (name) => createEventSeriesRecorder({ reportingController: name, reportingInstance: name }, deps),
    extenderTransport: transport,
    metrics: createMetrics(),
    random: () => 0,
  });
  const controller = new AbortController();
  const running = [informers, scheduler].map((component) => component.run(controller.signal, () => {}));
  stop = async () => {
    controller.abort();
    await Promise.all(running);
  };
  await clock.advance(1);
  return { cluster, calls, clock };
}

const nodeOf = (cluster: FakeCluster, name = 'p'): string | undefined =>
  cluster.get<Pod>(resources.pods, { namespace: 'default', name })?.spec.nodeName;
const messages = (cluster: FakeCluster): (string | undefined)[] =>
  cluster.list(resources.events).map(({ message }) => message);

describe('extenders', () => {
  test('filters by node names', async () => {
    const { cluster, calls } = await run({ filterVerb: 'filter' }, () => ({
      NodeNames: ['b'],
      FailedNodes: { a: 'no' },
    }));
    expect(nodeOf(cluster)).toBe('b');
    expect(calls).toMatchObject([
      {
        url: 'http://extender/x/filter',
        body: { Pod: { metadata: { name: 'p' } }, Nodes: null, NodeNames: ['a', 'b', 'c'] },
      },
    ]);
  });

  test('filters by whole nodes', async () => {
    const { cluster } = await run(
      { filterVerb: 'filter', nodeCacheCapable: false },
      (_verb, body: { Nodes: { items: unknown[] } }) => ({
        Nodes: { items: body.Nodes.items.slice(1, 2) },
      }),
    );
    expect(nodeOf(cluster)).toBe('b');
  });

  test('leaves none: why is told with the other reasons', async () => {
    const { cluster } = await run({ filterVerb: 'filter' }, () => ({
      NodeNames: [],
      FailedNodes: { a: 'busy', b: 'busy' },
      FailedAndUnresolvableNodes: { c: 'broken' },
    }));
    expect(messages(cluster)).toEqual([
      '0/3 nodes are available: 1 broken, 2 busy. no new claims to deallocate, preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.',
    ]);
  });

  test('scores', async () => {
    const { cluster } = await run({ prioritizeVerb: 'prioritize', weight: 10 }, () => [
      { Host: 'a', Score: 1 },
      { Host: 'c', Score: 10 },
    ]);
    expect(nodeOf(cluster)).toBe('c');
  });

  test('binds', async () => {
    const { calls, cluster } = await run({ bindVerb: 'bind' }, () => ({}));
    const { metadata } = cluster.get<Pod>(resources.pods, { namespace: 'default', name: 'p' }) as Pod;
    expect(calls).toMatchObject([{ body: { PodName: 'p', PodNamespace: 'default', PodUID: metadata.uid } }]);
    expect(cluster.actions.filter(({ subresource }) => subresource === 'binding')).toEqual([]);
  });

  test('has no say in pods that do not ask for its resources', async () => {
    const { cluster, calls } = await run({ filterVerb: 'filter' }, () => ({ NodeNames: [] }), [
      podFixture({ name: 'p' }),
    ]);
    expect(nodeOf(cluster)).toBeDefined();
    expect(calls).toEqual([]);
  });

  test.each([
    [true, 'defined'],
    [false, 'undefined'],
  ])('fails, ignorable: %s', async (ignorable, expected) => {
    const { cluster } = await run({ filterVerb: 'filter', ignorable }, () => {
      throw new Error('refused');
    });
    expect(nodeOf(cluster) === undefined ? 'undefined' : 'defined').toBe(expected);
    if (!ignorable) expect(messages(cluster)).toEqual(['failed at http://extender/x/filter: refused']);
  });

  test('narrows preemption', async () => {
    const filler = (name: string): Pod =>
      podFixture({ name: `low-${name}`, requests: { cpu: '4' }, spec: { nodeName: name, priority: 1 } });
    const wanted = podFixture({ name: 'p', requests: { cpu: '4', 'example.com/x': '1' }, spec: { priority: 9 } });
    const { cluster } = await run(
      { preemptVerb: 'preempt' },
      (_verb, body: { NodeNameToMetaVictims: Record<string, unknown> }) => ({
        NodeNameToMetaVictims: { c: body.NodeNameToMetaVictims['c'] },
      }),
      [...['a', 'b', 'c'].map(filler), wanted],
    );
    expect(cluster.get<Pod>(resources.pods, { namespace: 'default', name: 'p' })?.status.nominatedNodeName).toBe('c');
  });
});

test('posts JSON over HTTP; other answers than 200 are errors', async () => {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      response.statusCode = request.url === '/ok' ? 200 : 500;
      response.end(JSON.stringify({ got: text, type: request.headers['content-type'] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const post = createExtenderTransport();
  const options = { timeoutMs: 5000, tls: undefined };
  expect(await post(`${url}/ok`, { a: 1 }, options)).toEqual({ got: '{"a":1}', type: 'application/json' });
  await expect(post(`${url}/bad`, {}, options)).rejects.toThrow('code 500');
  server.closeAllConnections();
  server.close();
});
