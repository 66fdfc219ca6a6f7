import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestPlugin } from '../../pkg/kubelet/devices/testing/test-plugin.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const RESOURCE = 'example.com/gpu';
const OPTIONS = { preStartRequired: true, getPreferredAllocationAvailable: true };

interface Status {
  readonly phase: string;
  readonly reason?: string;
  readonly message?: string;
}

describe.skipIf(missing !== undefined)('devices of plugins', () => {
  let cluster: Cluster;
  let plugin: TestPlugin;
  beforeAll(async () => {
    cluster = await Cluster.start();
    plugin = await TestPlugin.start(join(cluster.dataDir, 'agent/kubelet/device-plugins'), 'gpu.sock', OPTIONS);
    plugin.tell({ one: 'Healthy', two: 'Healthy', three: 'Unhealthy' });
    await plugin.register(RESOURCE);
    await eventually('the node has them', async () => (await amounts()).join() === '3,2');
  });
  afterAll(() =>
    endAll(
      () => plugin?.stop(),
      () => cluster?.remove(),
    ),
  );

  const amounts = async (): Promise<(string | undefined)[]> => {
    const { status } = await cluster.get<{ status: Record<'capacity' | 'allocatable', Record<string, string>> }>(
      'node',
      cluster.nodeName,
    );
    return [status.capacity[RESOURCE], status.allocatable[RESOURCE]];
  };
  const run = (name: string, count: string, spec: object = {}): Promise<string> => {
    const main = {
      name: 'main',
      image: 'busybox:test',
      command: ['sh', '-c', 'echo $DEVICES; ls -d /dev/one /dev/two /lib/gpu 2>/dev/null; sleep 3600'],
      resources: { limits: { [RESOURCE]: count } },
    };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name } };
    return cluster.apply(
      JSON.stringify({ ...pod, spec: { terminationGracePeriodSeconds: 0, containers: [main], ...spec } }),
    );
  };
  const until = (name: string, what: string, check: (status: Status) => boolean): Promise<Status> =>
    eventually(`${name} ${what}`, async () => {
      const { status } = await cluster.get<{ status: Status }>('pod', name);
      return check(status) ? status : undefined;
    });

  test('containers get what the plugin gives them, and nobody else does', async () => {
    await run('first', '1');
    await until('first', 'runs', ({ phase }) => phase === 'Running');
    await eventually('its output', async () => (await cluster.ok(['logs', 'first'])) === 'two\n/dev/two\n/lib/gpu\n');
    expect(plugin.preStarted).toEqual([['two']]);
    // Past the scheduler: the node itself knows that there is one left.
    await run('too-many', '2', { nodeName: cluster.nodeName });
    const refused = await until('too-many', 'is refused', ({ phase }) => phase === 'Failed');
    expect(refused).toMatchObject({ reason: `OutOf${RESOURCE}` });
    await run('second', '1');
    await until('second', 'runs', ({ phase }) => phase === 'Running');
    expect(plugin.allocated).toEqual([['two'], ['one']]);
    await cluster.ok(['delete', 'pod', 'too-many', 'second']);
  });

  test('a plugin that is gone leaves nothing to give, and what it gave is known after a restart', async () => {
    await cluster.signal('SIGTERM');
    cluster.launch();
    await cluster.nodeReady();
    await eventually('nothing to give', async () => (await amounts()).join() === '0,0');
    await eventually('the plugin is taken again', () => plugin.register(RESOURCE).then(() => true));
    await eventually('the node has them again', async () => (await amounts()).join() === '3,2');
    await run('third', '1');
    await until('third', 'runs', ({ phase }) => phase === 'Running');
    // The first pod still has its own.
    expect(plugin.allocated.at(-1)).toEqual(['one']);
    plugin.stop();
    await eventually('none can be had', async () => (await amounts()).join() === '3,0');
  });
});
