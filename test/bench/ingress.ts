/**
 * Ingress benchmark: `scripts/node test/bench/ingress.ts [seconds]`. Requests per second and latency of a small page through
 * the ingress, and through Debian's nginx (one worker, keep-alive to the backend) where it is installed, to the same
 * backend in the same run. The backend and the load have processes of their own.
 */
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resources } from '../../pkg/api/generated/resources.ts';
import { systemClock } from '../../pkg/base/clock.ts';
import { createLogger } from '../../pkg/base/logger.ts';
import { createInformers } from '../../pkg/client/index.ts';
import { FakeCluster } from '../../pkg/client/testing/fake-cluster.ts';
import { createIngress } from '../../pkg/ingress/index.ts';
import { ensureLocalLeaf } from '../../pkg/pki/index.ts';

const CONNECTIONS = 32;
const PAGE = 'x'.repeat(512);
const HOST = 'bench.test';
const NGINX_PORT = 18_099;
const WARM_UP_SECONDS = 4;

type Message = { readonly port?: number; readonly count?: number; readonly latencies?: number[] };

/** Answers every request with a small page. */
function backend(): void {
  const server = createServer((_, response) => response.end(PAGE));
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
}

/** Asks over connections that are kept, as fast as the answers come. */
function load(port: number, seconds: number): void {
  const request = `GET /page HTTP/1.1\r\nHost: ${HOST}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`;
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1000;
  for (let i = 0; i < CONNECTIONS; i++) {
    const socket = connect(port, '127.0.0.1');
    let started = 0;
    let received = '';
    const ask = (): void => {
      received = '';
      started = performance.now();
      socket.write(request);
    };
    socket.setNoDelay();
    socket.once('connect', ask);
    socket.on('error', (error) => {
      throw error;
    });
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const head = received.indexOf('\r\n\r\n');
      if (head < 0 || received.length < head + 4 + PAGE.length) return;
      if (!received.startsWith('HTTP/1.1 200')) throw new Error(received);
      latencies.push(performance.now() - started);
      if (started < end) ask();
      else socket.destroy();
    });
  }
  setTimeout(() => process.send?.({ count: latencies.length, latencies }, () => process.exit(0)), seconds * 1000 + 200);
}

function start(...args: readonly string[]): { child: ChildProcess; message: Promise<Message> } {
  const child = fork(import.meta.filename, args);
  const message = new Promise<Message>((resolve, reject) => {
    child.once('message', (value) => resolve(value as Message));
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}`)));
  });
  return { child, message };
}

/** Microseconds of processor time that a proxy has used so far; undefined: not known. */
type CPUTime = () => number;

async function measure(name: string, port: number, seconds: number, cpuTime?: CPUTime): Promise<number> {
  const before = cpuTime?.() ?? 0;
  const { count = 0, latencies = [] } = await start('load', String(port), String(seconds)).message;
  latencies.sort((a, b) => a - b);
  const at = (part: number): string => `${(latencies[Math.floor(latencies.length * part)] ?? 0).toFixed(2)} ms`;
  console.log(`${name}: ${Math.round(count / seconds)} requests/s, p50 ${at(0.5)}, p99 ${at(0.99)}`);
  if (cpuTime !== undefined)
    console.log(`  ${((cpuTime() - before) / count).toFixed(0)} µs of processor time a request`);
  return count / seconds;
}

function ownTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Of the workers of a process: clock ticks are 10 ms. */
function timeOfChildren(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const ticks = children.map((child) => {
    const fields = readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, value) => sum + value, 0) * 10_000;
}

function startNginx(directory: string, backendPort: number): ChildProcess | undefined {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const config = `worker_processes 1; daemon off; pid ${directory}/nginx.pid; error_log ${directory}/error.log;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  keepalive_requests 1000000;
  upstream backend { server 127.0.0.1:${backendPort}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${NGINX_PORT}; server_name ${HOST};
    location / {
      proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}`;
  writeFileSync(join(directory, 'nginx.conf'), config);
  return spawn('nginx', ['-c', join(directory, 'nginx.conf')], { stdio: 'inherit' });
}

async function startIngress(directory: string, backendPort: number, signal: AbortSignal): Promise<number> {
  const cluster = new FakeCluster();
  const deps = { clock: systemClock, logger: createLogger({ level: 'warn' }) };
  const informers = createInformers(cluster.client, deps);
  const port = { port: 8080, protocol: 'TCP' };
  cluster.add(resources.services, { metadata: { name: 's', namespace: 'n' }, spec: { ports: [port] } });
  cluster.add(resources.endpointslices, {
    metadata: { name: 's', namespace: 'n', labels: { 'kubernetes.io/service-name': 's' } },
    addressType: 'IPv4',
    ports: [{ ...port, port: backendPort }],
    endpoints: [{ addresses: ['127.0.0.1'] }],
  });
  const backendOf = { service: { name: 's', port: { number: 8080 } } };
  const paths = [{ path: '/', pathType: 'Prefix', backend: backendOf }];
  cluster.add(resources.ingresses, {
    metadata: { name: 'i', namespace: 'n' },
    spec: { rules: [{ host: HOST, http: { paths } }] },
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  const profile = { name: 'd', commonName: 'd', organizations: [], usage: 'server', alternativeNames: ['d'] } as const;
  const ingress = createIngress(
    { http: { port: 0, chosen: true }, https: { port: 0, chosen: true } },
    {
      ...deps,
      informers,
      defaultCertificate: () => ensureLocalLeaf(directory, profile, systemClock),
      listening: ({ http = 0 }) => resolve(http),
    },
  );
  for (const part of [informers, ingress]) void part.run(signal, () => {});
  return promise;
}

async function main(seconds: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ingress-bench-'));
  const stop = new AbortController();
  const server = start('backend');
  let nginx: ChildProcess | undefined;
  try {
    const { port: backendPort = 0 } = await server.message;
    const ingressPort = await startIngress(directory, backendPort, stop.signal);
    nginx = startNginx(directory, backendPort);
    await systemClock.sleep(500);
    // Until the code that is measured has been compiled.
    await measure('warm-up', ingressPort, WARM_UP_SECONDS);
    await measure('direct', backendPort, seconds);
    const ours = await measure('ingress', ingressPort, seconds, ownTime);
    if (nginx === undefined) {
      console.log('nginx is not installed (apt-get install nginx-light)');
      return;
    }
    const theirs = await measure('nginx', NGINX_PORT, seconds, () => timeOfChildren(nginx?.pid ?? 0));
    console.log(`ingress / nginx: ${((ours / theirs) * 100).toFixed(0)} %`);
  } finally {
    stop.abort();
    nginx?.kill('SIGTERM');
    server.child.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === 'backend') backend();
else if (mode === 'load') load(Number(rest[0]), Number(rest[1]));
else await main(Number(mode ?? 5));
