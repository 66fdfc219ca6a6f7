import type { IncomingMessage } from 'node:http';
import { Agent } from 'node:https';
import { posix } from 'node:path';
import type { ResourceDefinition } from '../../api/definition.ts';
import { badRequest, internalError, newStatus, notFound, StatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { accessForbidden } from '../authorization/forbidden.ts';
import type { Authorizer } from '../contract.ts';
import type { ConnectHandler, Exchange } from '../http/request-handler.ts';
import { headers } from '../http/response.ts';
import { dialText, type PassOptions, type ProxyAddress, type ProxyTarget, passRequest } from '../proxy/pass-request.ts';
import { checkProxyableHost, checkProxyableIP, type Lookup } from '../proxy/proxyable.ts';
import { wantsWebSocket } from '../proxy/stream-messages.ts';
import type { Upgrades } from '../proxy/upgrades.ts';
import type { RegistryCore } from '../registry/core.ts';
import { targetOf } from '../registry/registry.ts';
import { dialSPDY } from '../streams/dial-spdy.ts';
import {
  RUNTIME_PROTOCOLS,
  type SessionStreams,
  translateSession,
  wantsTranslation,
} from '../streams/remote-command.ts';
import { tunnel, tunneledProtocols } from '../streams/tunnel.ts';
import { connectOptions } from './connect-options.ts';
import { checkOptions, chooseContainer, streamQuery } from './pod-options.ts';
import { splitProxyName, targetOfNode, targetOfPod, targetOfService } from './proxy-target.ts';

export interface KubeletProxyDeps {
  readonly core: RegistryCore;
  readonly authorizer: Authorizer;
  readonly upgrades: Upgrades;
  readonly lookup: Lookup;
  /** Connects to kubelets. */
  readonly kubelets: Agent;
}

const LOG_TYPE = 'text/plain';
/** Subresources that are a connection into a container, whatever the method that opens it. */
const SESSIONS: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward']);

/** Serves log, exec, attach, portforward and proxy by passing bytes between the client and a kubelet, pod or Service. */
export class KubeletProxy implements ConnectHandler {
  readonly #deps: KubeletProxyDeps;
  readonly #kubelets: Agent;
  /** Pods and Services have certificates that nobody here can verify, and get none to see. */
  readonly #pods: Agent;

  constructor(deps: KubeletProxyDeps) {
    this.#deps = deps;
    this.#kubelets = deps.kubelets;
    this.#pods = new Agent({ keepAlive: false, rejectUnauthorized: false });
  }

  async connect(exchange: Exchange, definition: ResourceDefinition): Promise<void> {
    const { info } = exchange.context;
    await this.#deps.core.deps.cache.current();
    if (info.subresource === 'proxy') return this.#page(exchange, definition);
    if (SESSIONS.has(info.subresource)) await this.#mayCreate(exchange);
    checkOptions(info, exchange.context.query);
    const pod = this.#deps.core.require(definition, info.namespace, info.name).object as unknown as DeepReadonly<Pod>;
    if (info.subresource === 'log') return this.#log(exchange, pod);
    const path = this.#streamPath(exchange, pod);
    const node = this.#nodeOf(pod);
    await this.#admit(exchange, definition);
    const target = { ...targetOfNode(node), path };
    return this.#webSocketSession(exchange, target) ?? this.#pass(exchange, target, { agent: this.#kubelets });
  }

  /** A session whose WebSocket ends here, as the runtime does not speak its protocol; undefined: it does. */
  #webSocketSession(exchange: Exchange, target: ProxyTarget): Promise<void> | undefined {
    const upgrade = this.#deps.upgrades.of(exchange.request);
    if (upgrade === undefined || !wantsWebSocket(exchange.request)) return undefined;
    if (exchange.context.info.subresource === 'portforward') {
      const protocols = tunneledProtocols(exchange);
      if (protocols.length === 0) return undefined;
      return tunnel(exchange, upgrade, () => dialSPDY(target, protocols, this.#kubelets));
    }
    if (!wantsTranslation(exchange)) return undefined;
    return translateSession(exchange, upgrade, streamsOf(target.path), () =>
      dialSPDY(target, RUNTIME_PROTOCOLS, this.#kubelets),
    );
  }

  /** A session opened by GET (WebSocket) is as much as one opened by POST. Throws Forbidden. */
  async #mayCreate({ context }: Exchange): Promise<void> {
    const { info, user } = context;
    if (info.verb === 'create') return;
    const attributes = { ...info, verb: 'create', user };
    const { decision, reason } = await this.#deps.authorizer.authorize(attributes);
    if (decision !== 'allow') throw accessForbidden(attributes, reason);
  }

  #streamPath({ context }: Exchange, pod: DeepReadonly<Pod>): string {
    const { info, query } = context;
    const at = `${encodeURIComponent(info.namespace)}/${encodeURIComponent(info.name)}`;
    if (info.subresource === 'portforward') return `/portForward/${at}${streamQuery('portforward', query)}`;
    const container = chooseContainer(pod, query.get('container'));
    return `/${info.subresource}/${at}/${encodeURIComponent(container)}${streamQuery(info.subresource, query)}`;
  }

  async #log(exchange: Exchange, pod: DeepReadonly<Pod>): Promise<void> {
    const { context, response, head } = exchange;
    const { info, query } = context;
    const container = chooseContainer(pod, query.get('container'));
    if (!pod.spec?.nodeName) {
      const { 'Content-Type': _, ...withoutContent } = headers(head, LOG_TYPE);
      response.writeHead(204, withoutContent).end();
      return;
    }
    const node = this.#nodeOf(pod);
    const at = [info.namespace, info.name, container].map(encodeURIComponent).join('/');
    const path = `/containerLogs/${at}${streamQuery('log', query)}`;
    await this.#pass(
      exchange,
      { ...targetOfNode(node), path },
      {
        agent: this.#kubelets,
        unreachable: (error, target) => internalError(new Error(dialText(error, target), { cause: error })),
        answerHeaders: headers(head, LOG_TYPE),
        asMessages: true,
        check: refuse,
      },
    );
  }

  #nodeOf(pod: DeepReadonly<Pod>): DeepReadonly<Node> {
    const name = pod.spec?.nodeName;
    if (!name) throw badRequest(`pod ${pod.metadata.name ?? ''} does not have a host assigned`);
    const node = this.#deps.core.deps.cache.get(resources.nodes, { name });
    if (node === undefined) throw notFound(resources.nodes, name);
    return node;
  }

  /** A request for a node, pod or Service itself. */
  async #page(exchange: Exchange, definition: ResourceDefinition): Promise<void> {
    const { request, response, context, head } = exchange;
    const { info } = context;
    const { address, agent } = await this.#proxyAddress(exchange);
    await this.#admit(exchange, definition);
    const url = request.url ?? '';
    const mark = url.indexOf('?');
    const query = mark < 0 ? '' : url.slice(mark);
    const below = info.subpath === '' && !info.path.endsWith('/') ? '' : posix.join('/', info.subpath);
    const path = below !== '' && info.path.endsWith('/') && !below.endsWith('/') ? `${below}/` : below;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (path === '' && isRead && this.#deps.upgrades.of(request) === undefined) {
      // Relative links of the page are relative to the proxy's path only behind a slash.
      response.writeHead(301, { ...headers(head, 'text/plain'), Location: `${info.path}/${query}` }).end();
      return;
    }
    const host = request.headers.host ?? request.headers[':authority'];
    await this.#pass(
      exchange,
      { ...address, path: `${escapePath(path) || '/'}${query}` },
      {
        agent,
        pagePrefix: info.path
          .split('/')
          .slice(0, info.namespace === '' ? 6 : 8)
          .join('/'),
        ...(typeof host === 'string' ? { host } : {}),
      },
    );
  }

  async #proxyAddress({ context }: Exchange): Promise<{ address: ProxyAddress; agent: Agent }> {
    const { info } = context;
    const { cache } = this.#deps.core.deps;
    const named = splitProxyName(info);
    const key = { namespace: info.namespace, name: named.name };
    switch (info.resource) {
      case 'nodes': {
        const node = cache.get(resources.nodes, key);
        if (node === undefined) throw notFound(resources.nodes, named.name);
        const address = targetOfNode(node, named);
        await checkProxyableHost(address.host, this.#deps.lookup);
        return { address, agent: address.isKubelet ? this.#kubelets : this.#pods };
      }
      case 'pods': {
        const pod = cache.get(resources.pods, key);
        if (pod === undefined) throw notFound(resources.pods, named.name);
        const address = targetOfPod(pod, named);
        checkProxyableIP(address.host);
        return { address, agent: this.#pods };
      }
      default:
        return { address: targetOfService(key, named, cache), agent: this.#pods };
    }
  }

  async #admit({ context }: Exchange, definition: ResourceDefinition): Promise<void> {
    const { core } = this.#deps;
    const { info } = context;
    const target = targetOf({ definition, context }, { dryRun: false, fieldManager: '', kind: 'ConnectOptions' });
    const subresource = definition.subresources.find(({ name }) => name === info.subresource);
    const options = connectOptions(subresource?.kind ?? '', context);
    await core.admit('admit', 'CONNECT', target, options, undefined);
    await core.admit('validate', 'CONNECT', target, options, undefined);
  }

  #pass(exchange: Exchange, target: ProxyAddress & { readonly path: string }, options: PassOptions): Promise<void> {
    return passRequest(exchange, this.#deps.upgrades, target, options);
  }
}

/** Which streams a path of the kubelet asks for. */
function streamsOf(path: string): SessionStreams {
  const { searchParams } = new URL(path, 'https://kubelet');
  const has = (name: string): boolean => searchParams.has(name);
  return { stdin: has('input'), stdout: has('output'), stderr: has('error'), tty: has('tty') };
}

/** A path as it may stand in a request line; what a path may hold stays as it is. */
function escapePath(path: string): string {
  return encodeURIComponent(path).replace(/%(?:2F|24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent);
}

async function refuse(incoming: IncomingMessage): Promise<void> {
  const code = incoming.statusCode ?? 502;
  if (code >= 400) throw await refusal(incoming, code);
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
