import { LRUCache } from 'lru-cache';
import { Agent, type Dispatcher } from 'undici';
import { isStatusError } from '../../api/errors.ts';
import type { WebhookClientConfig } from '../../api/generated/types.ts';
import { linkedController } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { errnoCode } from '../../base/errors.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { RestClientMetrics } from '../../client/index.ts';
import type { ServiceEndpoint, ServiceReference } from '../services/service-endpoint.ts';
import { verifyingConnector } from '../trust/index.ts';
import { connectionErrorText, statusErrorText } from './go-errors.ts';

/** A webhook's `clientConfig`: by URL or by Service, with the authorities that its certificate may come from. */
export type WebhookTarget = DeepReadonly<WebhookClientConfig>;

export interface WebhookClientDeps {
  readonly clock: Clock;
  readonly requests: RestClientMetrics;
  /** Throws StatusError for Services that cannot be reached. */
  resolve(service: ServiceReference): ServiceEndpoint;
}

export interface WebhookRequest {
  /** JSON. */
  readonly body: string;
  readonly timeoutMs: number;
  /** The webhook is told how long it may take. */
  readonly tellsTimeout?: boolean;
  /** Longer answers are an error. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

/** A webhook that could not be asked or did not answer as it should. */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError';
  /** The HTTP status that it answered with; 503 for every other failure. */
  readonly code: number;

  constructor(message: string, options: { readonly cause?: unknown; readonly code?: number } = {}) {
    super(message, options);
    this.code = options.code ?? 503;
  }
}

/** Where a webhook is by its configuration. */
interface Place {
  /** As error texts show it. */
  readonly url: string;
  readonly path: string;
  readonly hostname: string;
  readonly port: number;
}

const NEVER = new AbortController().signal;
const HTTPS_PORT = 443;
const MAX_AGENTS = 256;
const MAX_CONNECTIONS = 100;
const KEEP_ALIVE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 30_000;
const MAX_ERROR_BYTES = 64 * 1024;

/** Posts reviews to webhooks over connections that are kept. Answers are bounded in time and size; redirects are refused. */
export class WebhookClient {
  readonly #deps: WebhookClientDeps;
  /** By the authorities and the name that a server must have. */
  readonly #agents = new LRUCache<string, Agent>({
    max: MAX_AGENTS,
    dispose: (agent, _key, reason) => {
      if (reason === 'evict') void agent.close();
    },
  });

  constructor(deps: WebhookClientDeps) {
    this.#deps = deps;
  }

  /** The body of the answer. Throws WebhookCallError. */
  async post(target: WebhookTarget, request: WebhookRequest): Promise<string> {
    const place = placeOf(target, request);
    const fail = (text: string, cause?: unknown): WebhookCallError =>
      new WebhookCallError(`Post ${JSON.stringify(place.url)}: ${text}`, { cause });
    const deadline = new WebhookCallError('context deadline exceeded');
    if (request.timeoutMs <= 0) throw fail(deadline.message);
    const endpoint = this.#endpoint(target, fail);
    const { controller, unlink } = linkedController(request.signal ?? NEVER);
    const cancel = this.#deps.clock.after(request.timeoutMs, () => controller.abort(deadline));
    try {
      return await this.#exchange(target, place, endpoint, request, controller.signal);
    } catch (error) {
      if (controller.signal.aborted)
        throw fail(controller.signal.reason === deadline ? deadline.message : 'context canceled', error);
      if (error instanceof WebhookCallError) throw error;
      const { host, port } = endpoint ?? { host: place.hostname, port: place.port };
      throw fail(connectionErrorText(error, `${host}:${port}`), error);
    } finally {
      cancel();
      unlink();
    }
  }

  /** Drops all connections. */
  async close(): Promise<void> {
    const agents = [...this.#agents.values()];
    await Promise.all(agents.map((agent) => agent.destroy()));
    this.#agents.clear();
  }

  /** Where the connection goes; undefined: where the URL says. */
  #endpoint(target: WebhookTarget, fail: (text: string, cause: unknown) => Error): ServiceEndpoint | undefined {
    if (target.url !== undefined || target.service === undefined) return undefined;
    const { namespace = '', name = '', port = HTTPS_PORT } = target.service;
    try {
      return this.#deps.resolve({ namespace, name, port });
    } catch (error) {
      throw isStatusError(error) ? fail(error.message, error) : error;
    }
  }

  async #exchange(
    target: WebhookTarget,
    { hostname, port, path }: Place,
    endpoint: ServiceEndpoint | undefined,
    request: WebhookRequest,
    signal: AbortSignal,
  ): Promise<string> {
    const agent = this.#agent(target.caBundle ?? '', endpoint === undefined ? undefined : hostname);
    const options: Dispatcher.RequestOptions = {
      origin: originOf(endpoint ?? { host: hostname, port }),
      method: 'POST',
      path,
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        'user-agent': 'kube-apiserver-admission',
        ...(endpoint === undefined ? {} : { host: `${hostname}:${port}` }),
      },
      body: request.body,
      signal,
    };
    const send = () => this.#deps.requests.observed('POST', `${hostname}:${port}`, () => agent.request(options));
    let answer: Dispatcher.ResponseData;
    try {
      answer = await send();
    } catch (error) {
      // The other side may just have closed a connection that was kept.
      const code = errnoCode(error);
      if (signal.aborted || (code !== 'UND_ERR_SOCKET' && code !== 'ECONNRESET')) throw error;
      answer = await send();
    }
    if (answer.statusCode >= 200 && answer.statusCode <= 206) return readBounded(answer, request.maxBytes);
    throw await refusal(answer);
  }

  #agent(caBundle: string, serverName: string | undefined): Agent {
    const key = `${serverName ?? ''}\n${caBundle}`;
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      agent = new Agent({
        allowH2: false,
        connections: MAX_CONNECTIONS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: verifyingConnector(
          {
            ...(caBundle === '' ? {} : { authorities: Buffer.from(caBundle, 'base64').toString() }),
            ...(serverName === undefined ? {} : { serverName }),
          },
          CONNECT_TIMEOUT_MS,
          this.#deps.clock,
        ),
      });
      this.#agents.set(key, agent);
    }
    return agent;
  }
}

function originOf({ host, port }: ServiceEndpoint): string {
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Services are shown by their name in the cluster, which is also what their certificates are for. */
function placeOf({ url, service }: WebhookTarget, { tellsTimeout, timeoutMs }: WebhookRequest): Place {
  const query = tellsTimeout === true ? `?timeout=${Math.max(0, Math.ceil(timeoutMs / 1000))}s` : '';
  if (url !== undefined) {
    const { hostname, port, pathname } = new URL(url);
    // Addresses of IPv6 come in brackets.
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    return { url: url + query, path: pathname + query, hostname: host, port: Number(port) || HTTPS_PORT };
  }
  const { namespace = '', name = '', port = HTTPS_PORT, path = '' } = service ?? {};
  const hostname = `${name}.${namespace}.svc`;
  const { pathname } = new URL(path, 'https://service');
  return { url: `https://${hostname}:${port}${path}${query}`, path: pathname + query, hostname, port };
}

async function readBounded(answer: Dispatcher.ResponseData, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      answer.body.destroy();
      throw new WebhookCallError(`the response is longer than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

async function refusal(answer: Dispatcher.ResponseData): Promise<WebhookCallError> {
  const type = String(answer.headers['content-type'] ?? '');
  let body: string;
  try {
    body = await readBounded(answer, MAX_ERROR_BYTES);
  } catch (error) {
    if (!(error instanceof WebhookCallError)) throw error;
    body = '';
  }
  const status = statusMessage(body);
  const { statusCode: code } = answer;
  if (status !== undefined) return new WebhookCallError(status, { code });
  const isText = type === '' || type.startsWith('text/');
  return new WebhookCallError(statusErrorText(code, isText ? body : undefined), { code });
}

/** The message of a body that is a Status. */
function statusMessage(body: string): string | undefined {
  try {
    const { kind, status, message } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    return kind === 'Status' && status !== 'Success' && typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
