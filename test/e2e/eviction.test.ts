import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

interface PodStatus {
  readonly phase?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
  readonly containerStatuses?: readonly {
    readonly restartCount: number;
    readonly state: object;
    readonly lastState: object;
  }[];
}

function pod(name: string, script: string, container: object = {}, spec: object = {}): string {
  const main = { name: 'main', image: 'busybox:test', command: ['sh', '-c', script], ...container };
  const metadata = { name };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { nodeName: 'e2e-node', terminationGracePeriodSeconds: 1, containers: [main], ...spec },
  });
}

function failed(cluster: Cluster, name: string): Promise<PodStatus> {
  return eventually(`${name} Failed`, async () => {
    const { status } = JSON.parse(await cluster.ok(['get', 'pod', name, '-o', 'json'])) as { status: PodStatus };
    return status.phase === 'Failed' && status;
  });
}

describe.skipIf(missing !== undefined)('limits of pods', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    const flags = [
      '--pod-max-pids',
      '64',
      '--shutdown-grace-period',
      '10s',
      '--shutdown-grace-period-critical-pods',
      '2s',
    ];
    cluster = await Cluster.start({ flags });
  });
  afterAll(() => cluster?.remove());

  test('a pod that writes more than it may is evicted', async () => {
    const limits = { limits: { 'ephemeral-storage': '1Mi' } };
    await cluster.apply(pod('writer', 'dd if=/dev/zero of=/f bs=1M count=5; sleep 3600', { resources: limits }));
    const scratch = { volumes: [{ name: 'scratch', emptyDir: { sizeLimit: '2Mi' } }] };
    const mounts = { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] };
    await cluster.apply(pod('filler', 'dd if=/dev/zero of=/scratch/f bs=1M count=5; sleep 3600', mounts, scratch));
    await cluster.apply(pod('within', 'sleep 3600', { resources: limits }));

    const writer = await failed(cluster, 'writer');
    expect(writer).toMatchObject({
      reason: 'Evicted',
      message: 'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ',
    });
    const unknown = { exitCode: 137, reason: 'ContainerStatusUnknown' };
    expect(writer.containerStatuses).toMatchObject([
      { restartCount: 1, state: { terminated: unknown }, lastState: { terminated: unknown } },
    ]);
    const filler = await failed(cluster, 'filler');
    expect(filler.message).toBe('Usage of EmptyDir volume "scratch" exceeds the limit "2Mi". ');
    const event = ['get', 'events', '--field-selector', 'reason=Evicted,involvedObject.name=filler'];
    expect(await cluster.ok([...event, '-o', 'jsonpath={.items[*].message}'])).toBe(filler.message);
    expect(await cluster.ok(['get', 'pod', 'within', '-o', 'jsonpath={.status.phase}'])).toBe('Running');
  });

  test('a pod that forks without end has no more processes than it may', async () => {
    const forks = 'i=0; while [ $i -lt 500 ]; do sleep 60 & i=$((i+1)); done; echo all';
    await cluster.apply(pod('forks', forks, {}, { restartPolicy: 'Never' }));
    await failed(cluster, 'forks');
    expect(await cluster.ok(['logs', 'forks'])).toMatch(/can't fork/);
    await cluster.nodeReady();
  });

  test('a critical pod that does not fit has another one ended', async () => {
    const total = await cluster.ok(['get', 'node', 'e2e-node', '-o', 'jsonpath={.status.allocatable.cpu}']);
    const milliCPU = total.endsWith('m') ? Number.parseInt(total, 10) : Number(total) * 1000;
    const most = { resources: { requests: { cpu: `${Math.ceil(milliCPU * 0.6)}m` } } };
    const runs = (name: string): Promise<unknown> =>
      eventually(`${name} runs`, async () => {
        const { status } = await cluster.get<{ status: PodStatus }>('pod', name);
        return status.phase === 'Running';
      });
    await cluster.apply(pod('gives-way', 'sleep 3600', most));
    await runs('gives-way');
    await cluster.apply(pod('critical', 'sleep 3600', most, { priorityClassName: 'system-node-critical' }));
    const ended = await failed(cluster, 'gives-way');
    expect(ended).toMatchObject({ reason: 'Preempting', message: 'Preempted in order to admit critical pod' });
    expect(ended.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }),
    );
    await runs('critical');
    await cluster.ok(['delete', 'pod', 'critical', 'gives-way']);
  });

  test('pods end when the node is told to stop and gives them time for it', async () => {
    await cluster.apply(pod('ends', "trap 'exit 0' TERM; while :; do sleep 0.1; done"));
    await eventually('it runs', async () => {
      const { status } = await cluster.get<{ status: PodStatus }>('pod', 'ends');
      return status.phase === 'Running';
    });
    await cluster.signal('SIGTERM');
    cluster.launch();
    await cluster.nodeReady();
    const status = await failed(cluster, 'ends');
    expect(status).toMatchObject({
      reason: 'Terminated',
      message: 'Pod was terminated in response to imminent node shutdown.',
    });
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }),
    );
    await cluster.ok(['delete', 'pod', 'ends']);
  });
});

describe.skipIf(missing !== undefined)('a node that is short of memory', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    const flags = [
      ...['--eviction-soft', 'memory.available<99.9%', '--eviction-soft-grace-period', 'memory.available=1s'],
      ...['--system-reserved', 'cpu=100m,memory=64Mi'],
    ];
    cluster = await Cluster.start({ flags });
  });
  afterAll(() => cluster?.remove());

  test('says so, takes no more pods without requests, and evicts', async () => {
    await cluster.apply(pod('asks', 'sleep 3600', { resources: { requests: { memory: '1' } } }));
    const asks = await failed(cluster, 'asks');
    expect(asks.reason).toBe('Evicted');
    expect(asks.message).toMatch(
      /^The node was low on resource: memory\. Threshold quantity: \S+, available: \S+\. Container main was using \S+, request is 1, has larger consumption of memory\. $/,
    );
    expect(asks.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }),
    );
    await cluster.apply(pod('plain', 'sleep 3600'));
    expect((await failed(cluster, 'plain')).message).toBe(
      'Pod was rejected: The node had condition: [MemoryPressure]. ',
    );
    const path = 'jsonpath={.status.conditions[?(@.type=="MemoryPressure")].reason}';
    await eventually('condition', async () => {
      return (await cluster.ok(['get', 'node', 'e2e-node', '-o', path])) === 'KubeletHasInsufficientMemory';
    });
    await eventually('taint', async () =>
      (await cluster.ok(['get', 'node', 'e2e-node', '-o', 'jsonpath={.spec.taints[*].key}'])).includes(
        'node.kubernetes.io/memory-pressure',
      ),
    );
  });
});
