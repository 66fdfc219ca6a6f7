import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Component } from '../../base/lifecycle.ts';
import { listenOn } from '../../base/socket-address.ts';
import { criErrorText } from '../../cri/index.ts';
import type { KubeletContext } from '../context.ts';
import type { KubeletDeps } from '../options.ts';
import type { PodManager } from '../pod/pod-manager.ts';
import type { PodWorker } from '../pod/pod-worker.ts';
import type { ServingCertificate } from './auth.ts';
import { checkpoint } from './checkpoint.ts';
import { configuration } from './configuration.ts';
import { serveLogs } from './container-logs.ts';
import { removeLocalVolume } from './local-volumes.ts';
import { Measurements } from './measurements.ts';
import { NODE_LOG_DIR, serveNodeLogs } from './node-logs.ts';
import { checkMethod, containerPath, decodePart, flag, RequestError, requestAttributes } from './requests.ts';
import { passThrough } from './streams.ts';
import { serveZPage } from './zpages.ts';

/** Paths whose further parts name what is wanted, not whose it is. */
const NESTED = new Set(['flagz', 'healthz', 'metrics', 'stats', 'statusz']);

type ServerDeps = NonNullable<KubeletDeps['server']>;

/** The kubelet's HTTPS API: logs, exec, attach, port-forward, pods, metrics. Every request is authenticated and authorized. */
export class KubeletServer implements Component {
  readonly name = 'kubelet-server';
  readonly #context: KubeletContext;
  readonly #access: ServerDeps;
  readonly #pods: PodManager;
  readonly #measurements: Measurements;

  constructor(context: KubeletContext, access: ServerDeps, pods: PodManager) {
    this.#context = context;
    this.#access = access;
    this.#pods = pods;
    this.#measurements = new Measurements(context, pods);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { certificate } = this.#access;
    const initial = certificate.current();
    const server = createServer({
      ...contextOf(initial),
      requestCert: initial.clientCA !== undefined,
      rejectUnauthorized: false,
    });
    const stopListening = certificate.onRenewed((renewed) => server.setSecureContext(contextOf(renewed)));
    const sockets = new Set<Duplex>();
    server.on('secureConnection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.on('request', (request, response) => void this.#counted(request, this.#answer(request, response)));
    server.on('upgrade', (request, socket, head) => void this.#counted(request, this.#upgrade(request, socket, head)));
    server.on('clientError', (_, socket) => socket.destroy());
    await listen(server, this.#context.options.port, this.#context.options.address ?? '::');
    ready();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    stopListening();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  async #counted({ method, url }: IncomingMessage, answered: Promise<void>): Promise<void> {
    const { metrics, deps } = this.#context;
    const startedMs = deps.clock.monotonic();
    const done = metrics.server.request(method ?? 'GET', url ?? '/');
    await answered;
    done((deps.clock.monotonic() - startedMs) / 1000);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = await this.#admit(request);
      await this.#route(url, request, response);
    } catch (error) {
      const { status, text } = this.#failure(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // Errors of a connection that has ended are nobody's business.
    socket.on('error', () => socket.destroy());
    try {
      const url = await this.#admit(request);
      await passThrough(request, socket, head, await this.#streamTarget(url));
    } catch (error) {
      const { status, text } = this.#failure(error);
      const length = Buffer.byteLength(text);
      const type = 'Content-Type: text/plain; charset=utf-8';
      socket.end(
        `HTTP/1.1 ${status} Error\r\n${type}\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${text}`,
      );
    }
  }

  async #admit(request: IncomingMessage): Promise<URL> {
    const { authenticate, authorize } = this.#access;
    const url = new URL(request.url ?? '/', 'https://kubelet');
    const user = await authenticate(request);
    if (user === undefined) throw new RequestError(401, 'Unauthorized');
    const { allowed, reason } = await authorize(user, requestAttributes(request.method ?? 'GET', url.pathname));
    if (!allowed) throw new RequestError(403, reason);
    return url;
  }

  #failure(error: unknown): { status: number; text: string } {
    if (error instanceof RequestError) return { status: error.status, text: error.message };
    this.#context.deps.logger.warn({ err: error }, 'kubelet request failed');
    return { status: 500, text: criErrorText(error) };
  }

  async #route(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, first = '', ...rest] = url.pathname.replace(/\/$/, '').split('/');
    const json = (value: unknown): void => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    const text = (value: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(200, { 'content-type': type }).end(value);
    };
    checkMethod(first, request.method);
    const path = [first, ...(NESTED.has(first) ? rest : [])].join('/');
    switch (path) {
      case 'healthz':
      case 'healthz/ping':
      case 'healthz/log':
      case 'healthz/syncloop':
        return text('ok');
      case 'pods':
        return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: [...this.#pods.pods()] });
      case 'runningpods':
        return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: runningPods(this.#pods) });
      case 'configz':
        return json({ kubeletconfig: configuration(this.#context.options) });
      case 'statusz':
      case 'flagz':
        return serveZPage(path, request, url.searchParams, response, { ...this.#context.deps, ...this.#access });
      case 'metrics': {
        return text(await this.#measurements.ownMetrics(), this.#context.deps.metrics.contentType);
      }
      case 'metrics/resource':
        return text(await this.#measurements.resourceMetrics());
      case 'metrics/cadvisor':
        return text(await this.#measurements.cadvisorMetrics());
      case 'metrics/probes':
        return text(this.#context.probeCounts.text());
      case 'stats':
      case 'stats/summary':
        return json(await this.#measurements.summary());
      case 'checkpoint':
        return json(await checkpoint(rest, url.searchParams, this.#pods, this.#context));
      case 'containerLogs':
        return serveLogs(rest, url.searchParams, response, this.#pods, this.#context);
      case 'logs':
        return serveNodeLogs(NODE_LOG_DIR, url.pathname, request.method, response);
      case 'localVolumes':
        await removeLocalVolume(rest, this.#context.options.localStorageDir);
        return json({ kind: 'Status', apiVersion: 'v1', status: 'Success' });
      case 'run':
        return text(await this.#runCommand(rest, url.searchParams));
      case 'exec':
      case 'attach':
      case 'portForward':
        throw new RequestError(400, 'Upgrade request required');
      default:
        throw new RequestError(404, '404 page not found');
    }
  }

  /** The runtime's URL for an exec, attach or port-forward request. */
  async #streamTarget(url: URL): Promise<string> {
    const [, first = '', ...rest] = url.pathname.replace(/\/$/, '').split('/');
    const query = url.searchParams;
    const { runtime } = this.#context.deps.cri;
    if (first === 'portForward') {
      const worker = this.#worker(decodePart(rest[0] ?? ''), decodePart(rest[1] ?? ''), rest[2]);
      const sandbox = worker.runtime.sandboxes.find(({ ready }) => ready);
      if (sandbox === undefined) throw new RequestError(404, 'the pod has no running sandbox');
      const ports = query
        .getAll('port')
        .flatMap((list) => list.split(','))
        .map(Number);
      return runtime.portForward(sandbox.id, ports);
    }
    if (first !== 'exec' && first !== 'attach') throw new RequestError(404, '404 page not found');
    const containerId = this.#runningContainer(rest);
    const tty = flag(query, 'tty');
    const streams = {
      containerId,
      tty,
      stdin: flag(query, 'input', 'stdin'),
      stdout: flag(query, 'output', 'stdout'),
      // A terminal has one output stream.
      stderr: !tty && flag(query, 'error', 'stderr'),
    };
    if (!streams.stdin && !streams.stdout && !streams.stderr) {
      throw new RequestError(400, 'you must specify at least 1 of stdin, stdout, stderr');
    }
    return first === 'attach' ? runtime.attach(streams) : runtime.exec({ ...streams, cmd: query.getAll('command') });
  }

  async #runCommand(parts: readonly string[], query: URLSearchParams): Promise<string> {
    const command = (query.get('cmd') ?? '').split(' ').filter((word) => word !== '');
    const { stdout, stderr } = await this.#context.deps.cri.runtime.execSync(this.#runningContainer(parts), command, 0);
    return Buffer.concat([stdout, stderr]).toString();
  }

  #worker(namespace: string, name: string, uid?: string): PodWorker {
    const worker = this.#pods.find(namespace, name);
    if (worker === undefined || (uid !== undefined && worker.pod.metadata.uid !== uid)) {
      throw new RequestError(404, `pod does not exist: ${name}`);
    }
    return worker;
  }

  #runningContainer(parts: readonly string[]): string {
    const { namespace, pod, uid, container } = containerPath(parts);
    const { runtime } = this.#worker(namespace, pod, uid);
    const found = runtime.containers.find(({ name, state }) => name === container && state === 'running');
    if (found === undefined) throw new RequestError(404, `container not found ("${container}")`);
    return found.id;
  }
}

/** What the runtime runs of each pod, without what else is known of it. */
function runningPods(pods: PodManager): object[] {
  const found: object[] = [];
  for (const { pod, runtime } of pods.workers()) {
    const containers = runtime.containers
      .filter(({ state }) => state === 'running')
      .map(({ name, image }) => ({ name, image, resources: {} }));
    if (containers.length === 0) continue;
    const { name, namespace, uid } = pod.metadata;
    found.push({ metadata: { name, namespace, uid, creationTimestamp: null }, spec: { containers }, status: {} });
  }
  return found;
}

function listen(server: Server, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...listenOn(address), port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function contextOf({ cert, key, clientCA }: ServingCertificate): { cert: string; key: string; ca: string | undefined } {
  return { cert, key, ca: clientCA };
}
