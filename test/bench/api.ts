/**
 * Cost of requests: `scripts/node test/bench/api.ts [EXECUTABLE...] [--rounds N]`. Starts each executable (default:
 * dist/kube-lite) without a node and drives all of them in turn with the same work, so that their figures can be compared.
 * Prints medians over the rounds: requests per second, and the CPU time of the server's process a request, which other work
 * on the machine disturbs less.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../../pkg/base/testing/free-port.ts';
import { eventually, executable } from '../e2e/cluster.ts';
import { type Credentials, readCredentials } from '../fuzz/target.ts';

interface Server {
  readonly name: string;
  readonly process: ChildProcess;
  readonly directory: string;
  readonly credentials: Credentials;
  readonly agent: Agent;
}

interface Figure {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

interface Work {
  readonly name: string;
  readonly requests: number;
  readonly concurrency: number;
  send(server: Server, namespace: string, i: number): Promise<void>;
}

/** Of /proc: in ticks of 10 ms. */
const TICK_MICROS = 10_000;

async function start(path: string): Promise<Server> {
  const directory = await mkdtemp(join(tmpdir(), 'kube-lite-bench-'));
  const kubeconfig = join(directory, 'kube-lite.yaml');
  const flags = [
    ...['--data-dir', directory, '--run-dir', join(directory, 'run'), '--write-kubeconfig', kubeconfig],
    ...['--https-listen-port', String(await freePort()), '--bind-address', '127.0.0.1', '--node-ip', '127.0.0.1'],
    ...['--node-name', 'bench-node', '--disable', 'kubelet,proxy,dns'],
  ];
  const log = openSync(join(directory, 'kube-lite.log'), 'a');
  const child = spawn(path, ['server', ...flags], { stdio: ['ignore', log, log] });
  const credentials = await eventually('kubeconfig', () => readCredentials(kubeconfig));
  const { ca, cert, key } = credentials;
  const agent = new Agent({ keepAlive: true, maxSockets: 64, ca, cert, key });
  const server = { name: basename(path), process: child, directory, credentials, agent };
  await eventually('/readyz', async () => (await send(server, 'GET', '/readyz')) === 200);
  return server;
}

async function stop(server: Server): Promise<void> {
  server.agent.destroy();
  const ended = new Promise((resolve) => server.process.once('exit', resolve));
  server.process.kill('SIGTERM');
  await ended;
  await rm(server.directory, { recursive: true, force: true });
}

function send(server: Server, method: string, path: string, body?: unknown): Promise<number> {
  const { host, port } = server.credentials;
  const data = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers = data === undefined ? {} : { 'content-type': 'application/json', 'content-length': data.length };
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({ host, port, method, path, agent: server.agent, headers }, (response) => {
      response.on('end', () => resolve(response.statusCode ?? 0)).resume();
    });
    outgoing.on('error', reject);
    outgoing.end(data);
  });
}

async function must(code: number, reply: Promise<number>): Promise<void> {
  const got = await reply;
  if (got !== code) throw new Error(`answer ${got} instead of ${code}`);
}

function cpuMicros(server: Server): number {
  const stat = readFileSync(`/proc/${server.process.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS;
}

async function measure(server: Server, namespace: string, work: Work): Promise<Figure> {
  const cpu = cpuMicros(server);
  const begin = performance.now();
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < work.requests) await work.send(server, namespace, next++);
  };
  await Promise.all(Array.from({ length: work.concurrency }, client));
  const seconds = (performance.now() - begin) / 1000;
  return { perSecond: work.requests / seconds, cpuMicros: (cpuMicros(server) - cpu) / work.requests };
}

const configMap = (name: string, value = 'v'.repeat(900)): unknown => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { k: value },
});

const pod = (name: string, i: number): unknown => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    labels: { app: 'bench', shard: `s${i % 10}` },
    annotations: { note: 'x'.repeat(200) },
  },
  spec: {
    schedulerName: 'none',
    containers: [
      {
        name: 'c',
        image: 'registry.example/app:v1',
        env: Array.from({ length: 8 }, (_, j) => ({ name: `VAR_${j}`, value: `value-${j}-${i}` })),
        ports: [{ containerPort: 8080 }],
        resources: { requests: { cpu: '10m', memory: '16Mi' } },
      },
    ],
  },
});

const at = (namespace: string, rest: string): string => `/api/v1/namespaces/${namespace}/${rest}`;

const WORK: readonly Work[] = [
  {
    name: 'create ConfigMap',
    requests: 400,
    concurrency: 1,
    send: (server, ns, i) => must(201, send(server, 'POST', at(ns, 'configmaps'), configMap(`a${i}`))),
  },
  {
    name: 'create ConfigMap',
    requests: 2000,
    concurrency: 32,
    send: (server, ns, i) => must(201, send(server, 'POST', at(ns, 'configmaps'), configMap(`b${i}`))),
  },
  {
    name: 'update ConfigMap',
    requests: 2000,
    concurrency: 32,
    send: (server, ns, i) => must(200, send(server, 'PUT', at(ns, `configmaps/b${i}`), configMap(`b${i}`, `v${i}`))),
  },
  {
    name: 'create Pod',
    requests: 2000,
    concurrency: 32,
    send: (server, ns, i) => must(201, send(server, 'POST', at(ns, 'pods'), pod(`p${i}`, i))),
  },
  {
    name: 'get Pod',
    requests: 4000,
    concurrency: 32,
    send: (server, ns, i) => must(200, send(server, 'GET', at(ns, `pods/p${i % 2000}`))),
  },
  {
    name: 'list 500 Pods',
    requests: 20,
    concurrency: 1,
    send: (server, ns) => must(200, send(server, 'GET', at(ns, 'pods?limit=500'))),
  },
  {
    name: 'delete Pod',
    requests: 2000,
    concurrency: 32,
    send: (server, ns, i) => must(200, send(server, 'DELETE', at(ns, `pods/p${i}?gracePeriodSeconds=0`))),
  },
];

/** One namespace a round: what was written before does not weigh on the next one's lists. */
async function prepare(server: Server, namespace: string): Promise<void> {
  await must(201, send(server, 'POST', '/api/v1/namespaces', { metadata: { name: namespace } }));
  const account = at(namespace, 'serviceaccounts/default');
  await eventually('the default ServiceAccount', async () => (await send(server, 'GET', account)) === 200);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function main(paths: readonly string[], rounds: number): Promise<void> {
  const servers: Server[] = [];
  try {
    for (const path of paths) servers.push(await start(path));
    const figures = new Map<Work, Map<Server, Figure[]>>();
    for (let round = 0; round < rounds; round++) {
      const namespace = `bench-${round}`;
      for (const server of servers) await prepare(server, namespace);
      for (const work of WORK) {
        const byServer = figures.get(work) ?? new Map<Server, Figure[]>();
        figures.set(work, byServer);
        for (const server of servers) {
          const figure = await measure(server, namespace, work);
          byServer.set(server, [...(byServer.get(server) ?? []), figure]);
        }
      }
    }
    for (const [work, byServer] of figures) {
      for (const [server, all] of byServer) {
        const perSecond = Math.round(median(all.map((figure) => figure.perSecond)));
        const cpu = Math.round(median(all.map((figure) => figure.cpuMicros)));
        const name = `${work.name} c=${work.concurrency}`.padEnd(24);
        console.log(
          `${name} ${server.name.padEnd(16)} ${String(perSecond).padStart(7)}/s ${String(cpu).padStart(7)} µs CPU`,
        );
      }
    }
  } finally {
    for (const server of servers) await stop(server);
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' } },
});
await main(positionals.length === 0 ? [executable] : positionals, Number(values.rounds));
