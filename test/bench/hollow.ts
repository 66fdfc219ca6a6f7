/**
 * A whole cluster at size: `scripts/node test/bench/hollow.ts [nodes] [pods] [--no-token]`, by default 1,000 hollow nodes with
 * 30,000 pods (`100 3000` is the short form). Starts the built executable as server and as hollow nodes, creates Deployments of 100
 * pods, waits until all pods are ready, then rolls a tenth of them and deletes everything. Prints rates, CPU time and the largest
 * memory of both processes, and the server's own request latencies, watches left out.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { resources } from '../../pkg/api/generated/resources.ts';
import { systemClock } from '../../pkg/base/clock.ts';
import { type Client, createClient, HTTPTransport, loadKubeconfig } from '../../pkg/client/index.ts';
import { Cluster } from '../e2e/cluster.ts';
import { HollowNodes } from '../e2e/hollow-nodes.ts';

const REPLICAS = 100;
const DEPLOYMENTS_A_NAMESPACE = 10;
const POLL_MS = 500;
/** Of /proc: in ticks of 10 ms. */
const TICKS_A_SECOND = 100;
const PODS_LIMIT_MS = 1_800_000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { 'no-token': { type: 'boolean' } },
});
const [nodeCount = 1000, podCount = 30_000] = positionals.map(Number);
const deployments = Math.ceil(podCount / REPLICAS);

function usage(pid: number): { cpuSeconds: number; rssMiB: number; peakMiB: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const memory = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
    rssMiB: Math.round(memory('VmRSS')),
    peakMiB: Math.round(memory('VmHWM')),
  };
}

interface Latency {
  count: number;
  /** Upper bound in seconds of the bucket -> requests in it or below. */
  readonly buckets: Map<number, number>;
}

/** By verb, from the server's metrics. */
async function latencies(cluster: Cluster): Promise<Map<string, Latency>> {
  const text = await cluster.ok(['get', '--raw', '/metrics']);
  const found = new Map<string, Latency>();
  for (const line of text.split('\n')) {
    const match = /^apiserver_request_sli_duration_seconds_bucket\{(.*)\} (\S+)$/.exec(line);
    const verb = /verb="(\w+)"/.exec(match?.[1] ?? '')?.[1];
    const bound = /le="([^"]+)"/.exec(match?.[1] ?? '')?.[1];
    if (match === null || verb === undefined || bound === undefined || verb === 'WATCH' || verb === 'CONNECT') continue;
    const latency = found.get(verb) ?? { count: 0, buckets: new Map<number, number>() };
    found.set(verb, latency);
    const seconds = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
    latency.buckets.set(seconds, (latency.buckets.get(seconds) ?? 0) + Number(match[2]));
    if (bound === '+Inf') latency.count += Number(match[2]);
  }
  return found;
}

function quantile(latency: Latency, q: number): string {
  for (const [bound, count] of [...latency.buckets].sort(([a], [b]) => a - b)) {
    if (count >= q * latency.count) return `<= ${bound} s`;
  }
  return '?';
}

async function printLatencies(cluster: Cluster): Promise<void> {
  const all: Latency = { count: 0, buckets: new Map() };
  for (const [verb, latency] of await latencies(cluster)) {
    all.count += latency.count;
    for (const [bound, count] of latency.buckets) all.buckets.set(bound, (all.buckets.get(bound) ?? 0) + count);
    if (latency.count > 0)
      print(verb, `${latency.count} requests, p50 ${quantile(latency, 0.5)}, p99 ${quantile(latency, 0.99)}`);
  }
  print('all requests', `${all.count}, p50 ${quantile(all, 0.5)}, p99 ${quantile(all, 0.99)}`);
}

function print(what: string, text: string): void {
  console.log(`${what.padEnd(24)}${text}`);
}

function deployment(index: number): object {
  const labels = { app: `web-${index}` };
  return {
    metadata: { name: `web-${index}`, namespace: namespaceOf(index), labels },
    spec: {
      replicas: Math.min(REPLICAS, podCount - index * REPLICAS),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          ...(values['no-token'] ? { automountServiceAccountToken: false } : {}),
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'web',
              image: 'web:1',
              resources: { requests: { cpu: '1m', memory: '1Mi' } },
              ports: [{ containerPort: 80 }],
            },
          ],
        },
      },
    },
  };
}

function service(index: number): object {
  return {
    metadata: { name: `web-${index}`, namespace: namespaceOf(index) },
    spec: { selector: { app: `web-${index}` }, ports: [{ port: 80 }] },
  };
}

const namespaceOf = (index: number): string => `bench-${Math.floor(index / DEPLOYMENTS_A_NAMESPACE)}`;

async function readyReplicas(client: Client): Promise<{ ready: number; updated: number; total: number }> {
  const { items } = await client.list(resources.deployments, { resourceVersion: '0' });
  const isCurrent = items.every(({ metadata, status }) => status?.observedGeneration === metadata.generation);
  if (!isCurrent) return { ready: 0, updated: 0, total: items.length === 0 ? 0 : 1 };
  const sum = (pick: (status: { [name: string]: unknown }) => unknown): number =>
    items.reduce((total, { status }) => total + Number(pick((status ?? {}) as never) ?? 0), 0);
  return {
    ready: sum((status) => status['readyReplicas']),
    updated: sum((status) => status['updatedReplicas']),
    total: sum((status) => status['replicas']),
  };
}

async function until(what: string, check: () => Promise<boolean>): Promise<number> {
  const begin = performance.now();
  while (!(await check())) {
    if (performance.now() - begin > PODS_LIMIT_MS) throw new Error(`${what}: not within ${PODS_LIMIT_MS} ms`);
    await systemClock.sleep(POLL_MS);
  }
  return (performance.now() - begin) / 1000;
}

async function measured(what: string, pids: Record<string, number>, work: () => Promise<string>): Promise<void> {
  const before = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, usage(pid)]));
  const begin = performance.now();
  const result = await work();
  const seconds = (performance.now() - begin) / 1000;
  const parts = Object.entries(pids).map(([name, pid]) => {
    const now = usage(pid);
    const cpu = now.cpuSeconds - (before[name]?.cpuSeconds ?? 0);
    return `${name} ${cpu.toFixed(0)} s CPU, ${now.rssMiB} MiB (peak ${now.peakMiB})`;
  });
  print(what, `${seconds.toFixed(1)} s${result}; ${parts.join('; ')}`);
}

const cluster = await Cluster.start({ node: false, clusterCIDR: '10.0.0.0/10' });
let hollow: HollowNodes | undefined;
try {
  const transport = new HTTPTransport(await loadKubeconfig(cluster.kubeconfig), { clock: systemClock });
  const client = createClient(transport);
  const pids: Record<string, number> = { server: cluster.pid };
  await measured(`${nodeCount} nodes Ready`, pids, async () => {
    hollow = await HollowNodes.start(cluster, { count: nodeCount, flags: ['--log-level', 'error'] });
    pids['nodes'] = hollow.pid;
    return '';
  });
  await measured(`${podCount} pods Ready`, pids, async () => {
    const namespaces = Math.ceil(deployments / DEPLOYMENTS_A_NAMESPACE);
    for (let i = 0; i < namespaces; i++)
      await client.create(resources.namespaces, { metadata: { name: `bench-${i}` } } as never);
    const seconds = await until('pods', async () => {
      const { total, ready } = await readyReplicas(client);
      if (total === 0) {
        for (let i = 0; i < deployments; i++) {
          await client.create(resources.services, service(i) as never);
          await client.create(resources.deployments, deployment(i) as never);
        }
      }
      return ready === podCount;
    });
    return `, ${Math.round(podCount / seconds)} pods/s`;
  });
  await printLatencies(cluster);
  await measured('a minute of rest', pids, async () => {
    await systemClock.sleep(60_000);
    return '';
  });
  const rolled = Math.ceil(deployments / 10);
  await measured(`${rolled * REPLICAS} pods rolled`, pids, async () => {
    for (let i = 0; i < rolled; i++) {
      const image = { spec: { template: { spec: { containers: [{ name: 'web', image: 'web:2' }] } } } };
      await client.patch(resources.deployments, { namespace: namespaceOf(i), name: `web-${i}` }, 'strategic', image);
    }
    await until('rollout', async () => {
      const { ready, updated, total } = await readyReplicas(client);
      return ready === podCount && updated === podCount && total === podCount;
    });
    return '';
  });
  await measured('all pods deleted', pids, async () => {
    for (let i = 0; i < deployments; i++)
      await client.delete(resources.deployments, { namespace: namespaceOf(i), name: `web-${i}` });
    await until('deletion', async () => (await client.list(resources.pods, { limit: 1 })).items.length === 0);
    return '';
  });
  await printLatencies(cluster);
  await transport.close();
} finally {
  await hollow?.remove();
  await cluster.remove();
}
