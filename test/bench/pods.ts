/**
 * Pod benchmark: `scripts/node test/bench/pods.ts [rounds]` on the built executable, as root. Prints how long pods take from their
 * creation to Running and Ready (image present), one at a time; how long Deployments take until they are Available; how long a
 * namespace takes to go with its pods; what the server uses while 100 pods do nothing; and beside it what the runtime alone takes.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cluster, eventually, runCommand } from '../e2e/cluster.ts';
import { Connection, type WatchEvent } from '../recordings/connection.ts';

const ROUNDS = Number(process.argv[2] ?? 20);
const IDLE_MS = 20_000;
const SPEC = {
  terminationGracePeriodSeconds: 0,
  automountServiceAccountToken: false,
  containers: [{ name: 'main', image: 'busybox:test', command: ['sleep', '3600'] }],
};

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const cluster = await Cluster.start();
const api = await Connection.fromKubeconfig(cluster.kubeconfig);
try {
  await eventually('an account for pods', async () => (await cluster.kubectl(['get', 'sa', 'default'])).code === 0);
  print('ctr run', await times(ROUNDS, () => ctrRun(cluster.dataDir)));
  print('one pod', await times(ROUNDS, (round) => onePod(`one-${round}`)));
  for (const replicas of [50, 100])
    print(`${replicas} replicas Available`, [await deployment(`d${replicas}`, replicas)]);
  const before = await cpuSeconds(cluster.pid);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const used = (await cpuSeconds(cluster.pid)) - before;
  console.log(`idle with 100 pods: ${((used / IDLE_MS) * 100_000).toFixed(1)} % of a core`);
  print('a namespace with 51 pods gone', [await namespaceGone(51)]);
} finally {
  api.close();
  await cluster.remove();
}

async function times(rounds: number, measure: (round: number) => Promise<number>): Promise<number[]> {
  const found: number[] = [];
  for (let round = 0; round < rounds; round++) found.push(await measure(round));
  return found;
}

function print(what: string, ms: readonly number[]): void {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (part: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0).toFixed(0);
  console.log(
    sorted.length === 1 ? `${what}: ${at(0)} ms` : `${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${sorted.length})`,
  );
}

/** What the container alone takes: from the start of ctr to its end. */
async function ctrRun(dataDir: string): Promise<number> {
  const { stdout } = await runCommand('sh', ['-c', `ls -d ${join(dataDir, 'payload')}/*/bin/ctr`]);
  const config = await readFile(join(dataDir, 'agent/containerd/config.toml'), 'utf8');
  const socket = /address = "([^"]+containerd\.sock)"/.exec(config)?.[1] ?? '';
  const started = performance.now();
  const image = 'docker.io/library/busybox:test';
  const args = ['--address', socket, '-n', 'k8s.io', 'run', '--rm', image, `bench-${process.pid}`, 'true'];
  const { code, stderr } = await runCommand(stdout.trim(), args);
  if (code !== 0) throw new Error(stderr);
  return performance.now() - started;
}

async function onePod(name: string): Promise<number> {
  const path = '/api/v1/namespaces/default/pods';
  const watch = { method: 'GET', path: `${path}?watch=1&fieldSelector=metadata.name%3D${name}&resourceVersion=0` };
  const ready = Promise.withResolvers<number>();
  let started = 0;
  const isReady = (event: WatchEvent): boolean =>
    (event.object as unknown as Pod).status.conditions?.some(
      ({ type, status }) => type === 'Ready' && status === 'True',
    ) === true;
  const response = await api.open(watch);
  let rest = '';
  response.setEncoding('utf8');
  response.on('error', () => {});
  response.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (lines.some((line) => isReady(JSON.parse(line) as WatchEvent))) ready.resolve(performance.now() - started);
  });
  started = performance.now();
  await send('POST', path, { metadata: { name }, spec: SPEC });
  const took = await ready.promise;
  response.destroy();
  await send('DELETE', `${path}/${name}`);
  await eventually('gone', async () => (await api.send('GET', `${path}/${name}`)).status === 404);
  return took;
}

async function deployment(name: string, replicas: number): Promise<number> {
  const path = '/apis/apps/v1/namespaces/default/deployments';
  const labels = { app: name };
  const template = { metadata: { labels }, spec: SPEC };
  // The one before must not be in the way: a node has room for 110 pods.
  await send('DELETE', `${path}?gracePeriodSeconds=0`);
  await eventually('no pods', async () => {
    const { text } = await api.send('GET', '/api/v1/namespaces/default/pods');
    return (JSON.parse(text) as { items: object[] }).items.length === 0;
  });
  const started = performance.now();
  await send('POST', path, { metadata: { name }, spec: { replicas, selector: { matchLabels: labels }, template } });
  await eventually(
    'available',
    async () => {
      const { text } = await api.send('GET', `${path}/${name}`);
      return (JSON.parse(text) as { status?: { availableReplicas?: number } }).status?.availableReplicas === replicas;
    },
    120_000,
  );
  return performance.now() - started;
}

async function namespaceGone(count: number): Promise<number> {
  await send('DELETE', '/apis/apps/v1/namespaces/default/deployments');
  await eventually('no pods', async () => {
    const { text } = await api.send('GET', '/api/v1/namespaces/default/pods');
    return (JSON.parse(text) as { items: object[] }).items.length === 0;
  });
  await send('POST', '/api/v1/namespaces', { metadata: { name: 'going' } });
  const path = '/api/v1/namespaces/going/pods';
  await eventually(
    'an account',
    async () => (await cluster.kubectl(['get', 'sa', 'default', '-n', 'going'])).code === 0,
  );
  await Promise.all(
    Array.from({ length: count }, (_, i) => send('POST', path, { metadata: { name: `p${i}` }, spec: SPEC })),
  );
  await eventually(
    'all run',
    async () => {
      const { items } = JSON.parse((await api.send('GET', path)).text) as { items: { status: { phase: string } }[] };
      return items.filter(({ status }) => status.phase === 'Running').length === count;
    },
    120_000,
  );
  const started = performance.now();
  await send('DELETE', '/api/v1/namespaces/going');
  await eventually('gone', async () => (await api.send('GET', '/api/v1/namespaces/going')).status === 404, 120_000);
  return performance.now() - started;
}

async function send(method: string, path: string, body?: unknown): Promise<void> {
  const { status, text } = await api.send(method, path, body);
  if (status >= 300) throw new Error(`${method} ${path}: ${text}`);
}

async function cpuSeconds(pid: number): Promise<number> {
  const [, user = '0', system = '0'] =
    /\) (?:\S+ ){11}(\d+) (\d+)/.exec(await readFile(`/proc/${pid}/stat`, 'utf8')) ?? [];
  return (Number(user) + Number(system)) / 100;
}
