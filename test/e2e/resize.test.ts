import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

interface PodStatus {
  readonly conditions?: readonly { readonly type: string; readonly reason?: string; readonly message?: string }[];
  readonly containerStatuses?: readonly {
    readonly name: string;
    readonly restartCount: number;
    readonly ready: boolean;
    readonly resources?: object;
    readonly allocatedResources?: object;
  }[];
}

describe.skipIf(missing !== undefined)('pods are resized in place', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster?.remove());

  const status = async (): Promise<PodStatus> =>
    (JSON.parse(await cluster.ok(['get', 'pod', 'p', '-o', 'json'])) as { status: PodStatus }).status;
  const resizing = (name: string, memory: string, cpu = '50m'): string[] => {
    const amounts = { cpu, memory };
    const patch = { spec: { containers: [{ name, resources: { requests: amounts, limits: amounts } }] } };
    return ['patch', 'pod', 'p', '--subresource', 'resize', '--patch', JSON.stringify(patch)];
  };
  const resize = (...wanted: Parameters<typeof resizing>): Promise<string> => cluster.ok(resizing(...wanted));
  const settled = (name: string, memory: string, restartCount: number): Promise<unknown> =>
    eventually(`${name} has ${memory}`, async () => {
      const { conditions = [], containerStatuses = [] } = await status();
      if (conditions.some(({ type }) => type.startsWith('PodResize'))) return false;
      const found = containerStatuses.find((container) => container.name === name);
      const matches = JSON.stringify(found?.resources ?? {}).includes(`"memory":"${memory}"`);
      return matches && found?.ready === true && found.restartCount === restartCount && found;
    });
  const limitInside = async (container: string): Promise<number> => {
    const script = 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max';
    return Number(await cluster.ok(['exec', 'p', '-c', container, '--', 'sh', '-c', script]));
  };

  test('memory grows and shrinks, with a restart only where the policy says so; what is too much is refused', async () => {
    const amounts = { cpu: '50m', memory: '32Mi' };
    const container = (name: string, restartPolicy: string): object => ({
      name,
      image: 'busybox:test',
      command: ['sleep', '3600'],
      resources: { requests: amounts, limits: amounts },
      resizePolicy: [{ resourceName: 'memory', restartPolicy }],
    });
    const spec = {
      terminationGracePeriodSeconds: 0,
      containers: [container('a', 'NotRequired'), container('b', 'RestartContainer')],
    };
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec }));
    await settled('b', '32Mi', 0);
    expect(await limitInside('a')).toBe(32 * 2 ** 20);

    await resize('a', '48Mi');
    await settled('a', '48Mi', 0);
    expect(await limitInside('a')).toBe(48 * 2 ** 20);
    await resize('a', '24Mi', '40m');
    await settled('a', '24Mi', 0);
    expect(await limitInside('a')).toBe(24 * 2 ** 20);

    await resize('b', '40Mi');
    await settled('b', '40Mi', 1);
    expect(await limitInside('b')).toBe(40 * 2 ** 20);

    const events = await eventually('events', async () => {
      const text = await cluster.ok([
        'get',
        'events',
        '-o',
        'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}',
      ]);
      return text.includes('ResizeCompleted') && text;
    });
    expect(events).toMatch(/^ResizeStarted: Pod resize started: \{"containers":\[\{"name":"a","resources":\{/m);
    expect(events).toContain('Killing: Container b resize requires restart\n');

    const { stderr } = await cluster.kubectl(resizing('a', '1Ti'));
    expect(stderr).toContain("node didn't have enough allocatable resources: memory, requested: ");
    expect((await status()).containerStatuses?.[0]).toMatchObject({ allocatedResources: { memory: '24Mi' } });
  });
});
