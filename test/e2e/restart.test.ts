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
  beforeAll(async () => {
    cluster = await Cluster.start();
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
    await cluster.ok(['create', 'deployment', 'steady', '--image=busybox:test', '--replicas=3', '--', 'sleep', '3600']);
    await cluster.ok(['rollout', 'status', 'deployment/steady', '--timeout=120s']);
    const before = await containers();
    expect(before).toHaveLength(3);

    const acknowledged: string[] = [];
    let running = true;
    const writers = [0, 1, 2, 3].map(async (writer) => {
      for (let i = 0; running; i++) {
        const name = `written-${writer}-${i}`;
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
    expect(Date.now() - started).toBeLessThan(15_000);
    await Promise.all(writers);

    const names = new Set((await cluster.ok(['get', 'configmaps', '-o', 'name'])).split('\n'));
    expect(acknowledged.filter((name) => !names.has(`configmap/${name}`))).toEqual([]);
    await eventually('the same containers', async () => JSON.stringify(await containers()) === JSON.stringify(before));
  });

  test('a graceful stop leaves the pods running, and the next start adopts them', async () => {
    const before = await containers();
    expect(await cluster.signal('SIGTERM')).toBe(0);
    cluster.launch();
    await cluster.nodeReady();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await containers()).toEqual(before);
    const [first] = before;
    expect(first).toBeDefined();
    expect(await cluster.ok(['exec', 'deployment/steady', '--', 'echo', 'alive'])).toBe('alive\n');
  });
});
