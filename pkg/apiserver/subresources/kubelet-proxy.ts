import { request as httpRequest, type IncomingMessage, ServerResponse } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ResourceDefinition } from '../../api/definition.ts';
import { badRequest, internalError, newStatus, notFound, StatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import { errnoCode } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { ConnectHandler, Exchange } from '../http/request-handler.ts';
import { headers } from '../http/response.ts';
import type { RegistryCore } from '../registry/core.ts';
import { targetOf } from '../registry/registry.ts';
import { checkLogOptions, chooseContainer, streamQuery } from './pod-options.ts';
import { type ProxyTarget, splitProxyName, targetOfNode, targetOfPod, targetOfService } from './proxy-target.ts';

/** How the server identifies itself to kubelets, PEM; `ca` verifies theirs (absent: not verified, as upstream's default). */
export interface KubeletTLS {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

export interface KubeletProxyDeps {
  readonly core: RegistryCore;
  readonly logger: Logger;
  readonly tls?: KubeletTLS;
}

interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
}

const CONNECT_TIMEOUT_MS = 10_000;
const LOG_TYPE = 'text/plain';
/** Headers that belong to one connection, and credentials that are not the backend's business. */
const NOT_PASSED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Serves log, exec, attach, portforward and proxy by passing bytes between the client and a kubelet, pod or Service. */
export class KubeletProxy implements ConnectHandler {
  readonly #deps: KubeletProxyDeps;
  readonly #agent: Agent;
  readonly #upgrades = new WeakMap<IncomingMessage, Upgrade>();

  constructor(deps: KubeletProxyDeps) {
    this.#deps = deps;
    const { tls } = deps;
    this.#agent = new Agent({
      keepAlive: false,
      ...(tls === undefined ? {} : { cert: tls.cert, key: tls.key }),
      ...(tls?.ca === undefined ? { rejectUnauthorized: false } : { ca: tls.ca }),
      // Kubelets are addressed by IP; their certificates name the node.
      checkServerIdentity: () => undefined,
    });
  }

  /** Remembers the connection of an upgrade request; the result is for an answer that is no upgrade. */
  expectUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): ServerResponse {
    this.#upgrades.set(request, { socket, head });
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once('finish', () => {
      response.detachSocket(socket as Socket);
      socket.end();
    });
    return response;
  }

  async connect(exchange: Exchange, definition: ResourceDefinition): Promise<void> {
    const { info } = exchange.context;
    await this.#deps.core.deps.cache.current();
    if (info.subresource === 'proxy') {
      const target = this.#proxyTarget(exchange);
      await this.#admit(exchange, definition);
      return this.#pass(exchange, target);
    }
    const pod = this.#deps.core.require(definition, info.namespace, info.name).object as unknown as DeepReadonly<Pod>;
    if (info.subresource === 'log') return this.#log(exchange, definition, pod);
    const path = this.#streamPath(exchange, pod);
    const node = this.#nodeOf(pod);
    await this.#admit(exchange, definition);
    return this.#pass(exchange, { ...targetOfNode(node), path });
  }

  #streamPath({ context }: Exchange, pod: DeepReadonly<Pod>): string {
    const { info, query } = context;
    const at = `${encodeURIComponent(info.namespace)}/${encodeURIComponent(info.name)}`;
    if (info.subresource === 'portforward') return `/portForward/${at}${streamQuery('portforward', query)}`;
    const container = chooseContainer(pod, query.get('container'));
    return `/${info.subresource}/${at}/${encodeURIComponent(container)}${streamQuery(info.subresource, query)}`;
  }

  async #log(exchange: Exchange, definition: ResourceDefinition, pod: DeepReadonly<Pod>): Promise<void> {
    const { context, response, head } = exchange;
    const { info, query } = context;
    checkLogOptions(info.name, query);
    const container = chooseContainer(pod, query.get('container'));
    if (!pod.spec?.nodeName) {
      response.writeHead(204, headers(head, LOG_TYPE)).end();
      return;
    }
    const node = this.#nodeOf(pod);
    await this.#admit(exchange, definition);
    const at = [info.namespace, info.name, container].map(encodeURIComponent).join('/');
    await this.#pass(exchange, {
      ...targetOfNode(node),
      path: `/containerLogs/${at}${streamQuery('log', query)}`,
      log: true,
    });
  }

  #nodeOf(pod: DeepReadonly<Pod>): DeepReadonly<Node> {
    const name = pod.spec?.nodeName;
    if (!name) throw badRequest(`pod ${pod.metadata.name ?? ''} does not have a host assigned`);
    const node = this.#deps.core.deps.cache.get(resources.nodes, { name });
    if (node === undefined) throw notFound(resources.nodes, name);
    return node;
  }

  #proxyTarget({ context, request }: Exchange): ProxyTarget {
    const { info } = context;
    const { core } = this.#deps;
    const { cache } = core.deps;
    const url = request.url ?? '';
    const mark = url.indexOf('?');
    const path = `/${info.subpath}${url.slice(0, mark < 0 ? undefined : mark).endsWith('/') && info.subpath !== '' ? '/' : ''}${mark < 0 ? '' : url.slice(mark)}`;
    const named = splitProxyName(info.name);
    const key = { namespace: info.namespace, name: named.name };
    switch (info.resource) {
      case 'nodes': {
        const node = cache.get(resources.nodes, key);
        if (node === undefined) throw notFound(resources.nodes, named.name);
        return { ...targetOfNode(node, named.port), path };
      }
      case 'pods': {
        const pod = cache.get(resources.pods, key);
        if (pod === undefined) throw notFound(resources.pods, named.name);
        return { ...targetOfPod(pod, named), path };
      }
      default: {
        const service = cache.get(resources.services, key);
        if (service === undefined) throw notFound(resources.services, named.name);
        return { ...targetOfService(service, named, cache), path };
      }
    }
  }

  async #admit({ context }: Exchange, definition: ResourceDefinition): Promise<void> {
    const { core } = this.#deps;
    const { info } = context;
    const target = targetOf({ definition, context }, { dryRun: false, fieldManager: '', kind: 'ConnectOptions' });
    const subresource = definition.subresources.find(({ name }) => name === info.subresource);
    const options = { kind: subresource?.kind ?? '', apiVersion: 'v1', metadata: {} } as unknown as KubeObject;
    await core.admit('admit', 'CONNECT', target, options, undefined);
    await core.admit('validate', 'CONNECT', target, options, undefined);
  }

  /** Hands the request on and the answer back. Rejects only while nothing has been answered yet. */
  #pass(exchange: Exchange, target: ProxyTarget & { readonly log?: boolean }): Promise<void> {
    const { request, response } = exchange;
    const upgrade = this.#upgrades.get(request);
    const options: RequestOptions = {
      host: target.host,
      port: target.port,
      method: request.method ?? 'GET',
      path: target.path,
      headers: passedHeaders(request, upgrade !== undefined),
      ...(target.scheme === 'https' ? { agent: this.#agent } : { agent: false }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = target.scheme === 'https' ? httpsRequest(options) : httpRequest(options);
      const timer = setTimeout(() => outgoing.destroy(new Error('connection timed out')), CONNECT_TIMEOUT_MS);
      outgoing.once('socket', (socket) => {
        socket.setNoDelay(true);
        socket.once(target.scheme === 'https' ? 'secureConnect' : 'connect', () => clearTimeout(timer));
      });
      outgoing.once('error', (error) => {
        clearTimeout(timer);
        if (response.headersSent) response.destroy();
        reject(unreachable(error, target));
      });
      outgoing.once('response', (incoming) => {
        clearTimeout(timer);
        answer(exchange, incoming, target.log === true).then(resolve, reject);
      });
      outgoing.once('upgrade', (incoming, socket, head) => {
        clearTimeout(timer);
        if (upgrade === undefined) {
          socket.destroy();
          reject(internalError('the backend upgraded a connection that was no upgrade request'));
        } else {
          splice(exchange, upgrade, incoming, socket, head).then(resolve, reject);
        }
      });
      response.once('close', () => outgoing.destroy());
      if (upgrade === undefined && request.method !== 'GET' && request.method !== 'HEAD') request.pipe(outgoing);
      else outgoing.end();
    });
  }
}

function passedHeaders(request: IncomingMessage, upgrade: boolean): Record<string, string | string[]> {
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith(':') || name.startsWith('impersonate-') || NOT_PASSED.has(name))
      continue;
    passed[name] = value;
  }
  if (upgrade) {
    passed['connection'] = 'Upgrade';
    passed['upgrade'] = request.headers.upgrade ?? '';
  }
  return passed;
}

/** Sends the backend's answer to the client as it comes. */
async function answer(exchange: Exchange, incoming: IncomingMessage, log: boolean): Promise<void> {
  const { response, head } = exchange;
  const code = incoming.statusCode ?? 502;
  if (log && code >= 400) throw await refusal(incoming, code);
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined && !NOT_PASSED.has(name)) fields[name] = value;
  }
  if (log) Object.assign(fields, headers(head, LOG_TYPE));
  response.writeHead(code, fields);
  response.flushHeaders();
  await new Promise<void>((resolve) => {
    incoming.once('error', () => response.destroy());
    response.once('close', resolve);
    incoming.pipe(response);
  });
}

/** What a kubelet refuses becomes a Status with its text. */
async function refusal(incoming: IncomingMessage, code: number): Promise<StatusError> {
  let text = '';
  for await (const chunk of incoming) {
    text += String(chunk);
    if (text.length > 4096) break;
  }
  const message = text.trim() || `the kubelet answered with code ${code}`;
  if (code === 404) return new StatusError(newStatus(404, 'NotFound', message));
  return code < 500 ? badRequest(message) : internalError(message);
}

/** Joins two upgraded connections; resolves when both have ended. */
function splice(
  exchange: Exchange,
  client: Upgrade,
  incoming: IncomingMessage,
  backend: Duplex,
  head: Buffer,
): Promise<void> {
  const { response } = exchange;
  const { socket } = client;
  response.detachSocket(socket as Socket);
  let text = `HTTP/1.1 ${incoming.statusCode ?? 101} ${incoming.statusMessage ?? 'Switching Protocols'}\r\n`;
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2)
    text += `${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}\r\n`;
  socket.write(`${text}\r\n`);
  if (head.length > 0) socket.write(head);
  if (client.head.length > 0) backend.write(client.head);
  return new Promise((resolve) => {
    let open = 2;
    const closed = (): void => {
      open--;
      if (open === 0) resolve();
    };
    for (const [from, to] of [
      [socket, backend],
      [backend, socket],
    ] as const) {
      from.pipe(to);
      from.once('error', () => to.destroy());
      from.once('close', () => {
        to.end();
        closed();
      });
    }
  });
}

function unreachable(error: Error, target: ProxyTarget): StatusError {
  const code = errnoCode(error) ?? '';
  const where = `${target.host}:${target.port}`;
  const message = `error trying to reach ${where}: ${error.message}`;
  if (code === 'ECONNREFUSED' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ETIMEDOUT') {
    return new StatusError(newStatus(503, 'ServiceUnavailable', message), { cause: error });
  }
  return internalError(new Error(message, { cause: error }));
}
