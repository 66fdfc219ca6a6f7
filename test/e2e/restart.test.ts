import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

interface Pods {
  items: {
    metadata: { uid: string; name: string };
    status: { phase: string; containerStatuses: { containerID: string; restartCount: number }[] };
  }[];
}

describe.skipIf(missing !== undefined)('the daemon goes and comes back', () => {
  let cluster: Cluster;
  let firstStartMs: number;
  beforeAll(async () => {
    const began = Date.now();
    cluster = await Cluster.start();
    firstStartMs = Date.now() - began;
  });
  afterAll(() => cluster?.remove());

  const containers = async (): Promise<string[]> => {
    const { items } = await cluster.get<Pods>('pods');
    return items
      .map(
        (pod) =>
          `${pod.metadata.uid} ${pod.status.phase} ${pod.status.containerStatuses.map((status) => `${status.containerID} ${status.restartCount}`)}`,
      )
      .sort();
  };

  test('kill -9 under load: back within seconds, no pod restarted, no acknowledged write lost', async () => {
    const steady = ['create', 'deployment', 'steady', '--image=busybox:test', '--replicas=3', '--dry-run=client'];
    await cluster.apply(await cluster.ok([...steady, '-o', 'yaml', '--', 'sleep', '3600']));
    await cluster.ok(['rollout', 'status', 'deployment/steady', '--timeout=120s']);
    const before = await containers();
    expect(before).toHaveLength(3);

    const acknowledged: string[] = [];
    const attempt = Date.now();
    let running = true;
    const writers = [0, 1, 2, 3].map(async (writer) => {
      for (let i = 0; running; i++) {
        const name = `written-${attempt}-${writer}-${i}`;
        const result = await cluster.kubectl(['create', 'configmap', name, `--from-literal=i=${i}`], undefined, 5000);
        if (result.code === 0) acknowledged.push(name);
      }
    });
    await eventually('some writes', async () => acknowledged.length > 10);
    await cluster.signal('SIGKILL');
    running = false;
    const started = Date.now();
    cluster.launch();
    await cluster.nodeReady();
    // On a machine that needs longer for its first start, it may need as long for this one.
    expect(Date.now() - started).toBeLessThan(Math.max(15_000, firstStartMs));
    await Promise.all(writers);

    const names = new Set((await cluster.ok(['get', 'configmaps', '-o', 'name'])).split('\n'));
    expect(acknowledged.filter((name) => !names.has(`configmap/${name}`))).toEqual([]);
    await eventually('the same containers', async () => JSON.stringify(await containers()) === JSON.stringify(before));
  });

  test('a graceful stop leaves the pods running, and the next start adopts them', async () => {
    const before = await containers();
    expect(before).toHaveLength(3);
    expect(await cluster.signal('SIGTERM')).toBe(0);
    cluster.launch();
    await cluster.nodeReady();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await containers()).toEqual(before);
    const alive = ['exec', 'deployment/steady', '--', 'echo', 'alive'];
    await eventually('they are reached', async () => (await cluster.kubectl(alive)).stdout === 'alive\n');
  });
});
