import { Agent, buildConnector, type Dispatcher } from 'undici';
import { newStatus, StatusError } from '../api/errors.ts';
import type { Status } from '../api/generated/types.ts';
import type { ResourceType } from '../api/object.ts';
import { abortable } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import type { ApiRequest, Transport, WatchEvent, WatchQuery } from './client.ts';
import { JSONLines } from './json-lines.ts';
import { requestURL, watchURL } from './request-path.ts';
import { contentTypeOf, methodOf } from './request-wire.ts';
import type { RestClientMetrics } from './rest-client-metrics.ts';

export interface HTTPTransportOptions {
  /** `https://host:port`, with a path prefix when the server sits behind a proxy. */
  readonly server: string;
  /** PEM of the certificates that may have signed the server's; absent: the system's. */
  readonly ca?: string;
  /** Client certificate and key, PEM. */
  readonly certificate?: string;
  readonly key?: string;
  /** Instead of these, asked for each connection, so that a renewed certificate is taken up. */
  readonly clientCertificate?: () => { readonly certificatePEM: string; readonly keyPEM: string };
  /** Asked for each request, so that a rotated token is taken up. */
  readonly token?: () => string | Promise<string>;
  /** The name that the server's certificate must have, when it is not the one in `server`. */
  readonly serverName?: string;
  readonly insecureSkipTLSVerify?: boolean;
  readonly userAgent?: string;
  /** Requests beyond these wait for one to be free; watches have connections of their own. Default: as many as there are requests. */
  readonly maxConnections?: number;
  /** Objects come without their metadata.managedFields: a large part of what is kept of them, which few look at. Default false. */
  readonly dropManagedFields?: boolean;
  /** Give up on an answer (not on a watch) after this long. Default 60 s. */
  readonly timeoutMs?: number;
}

export interface HTTPTransportDeps {
  readonly clock: Clock;
  /** Absent: nothing is counted. */
  readonly requests?: RestClientMetrics;
}

/** A server that asks us to come back later is asked so often again (as client-go does). */
const MAX_TRIES = 10;

/** A pool of kept-alive connections as the options say. */
function newAgent(options: HTTPTransportOptions): Agent {
  return new Agent({
    allowH2: false,
    keepAliveTimeout: 30_000,
    bodyTimeout: 0,
    headersTimeout: options.timeoutMs ?? 60_000,
    ...(options.maxConnections === undefined ? {} : { connections: options.maxConnections }),
    connect: connector(options),
  });
}

/** Reaches an API server by HTTPS with a pool of kept-alive connections. */
export class HTTPTransport implements Transport {
  readonly #options: HTTPTransportOptions;
  readonly #deps: HTTPTransportDeps;
  readonly #agent: Agent;
  readonly #watchAgent: Agent;
  readonly #origin: string;
  readonly #host: string;
  readonly #prefix: string;
  readonly #watches = new Set<AbortController>();

  constructor(options: HTTPTransportOptions, deps: HTTPTransportDeps) {
    this.#options = options;
    this.#deps = deps;
    const url = new URL(options.server);
    this.#origin = url.origin;
    this.#host = url.host;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.#agent = newAgent(options);
    const { maxConnections, ...unlimited } = options;
    this.#watchAgent = maxConnections === undefined ? this.#agent : newAgent(unlimited);
  }

  async request(request: ApiRequest, signal?: AbortSignal): Promise<unknown> {
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const url = requestURL(request);
    const answer = await this.#exchange(methodOf(request), url, signal, contentTypeOf(request), body);
    if (this.#options.dropManagedFields === true) dropManagedFields(answer);
    return answer;
  }

  raw(path: string, signal?: AbortSignal): Promise<unknown> {
    return this.#exchange('GET', path, signal);
  }

  async *watch(type: ResourceType, query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent> {
    const own = new AbortController();
    this.#watches.add(own);
    try {
      const either = AbortSignal.any([signal, own.signal]);
      const answer = await this.#send(this.#watchAgent, 'GET', watchURL(type, query), either);
      if (answer.statusCode !== 200) throw await errorOf(answer);
      const lines = new JSONLines();
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        for (const value of lines.push(chunk)) {
          const event = value as { type: string; object: Status };
          if (event.type === 'ERROR') throw new StatusError(event.object);
          if (this.#options.dropManagedFields === true) dropManagedFields(event.object);
          yield value as WatchEvent;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    } finally {
      this.#watches.delete(own);
    }
  }

  /**
   * Breaks off all watches, so that who follows something takes it up again over new connections: after a link was cut the
   * server may wait for minutes before it sends again what got lost.
   */
  breakWatches(): void {
    for (const watch of this.#watches) watch.abort(new Error('the link to the server was cut'));
  }

  /** Closes all connections; requests under way fail. */
  close(): Promise<void> {
    // Nobody waits for sockets: those that the server has closed at the same time may never say so.
    void Promise.allSettled([this.#agent.destroy(), this.#watchAgent.destroy()]);
    return Promise.resolve();
  }

  async #exchange(
    method: Dispatcher.HttpMethod,
    path: string,
    signal?: AbortSignal,
    contentType?: string,
    body?: string,
  ): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      const answer = await this.#send(this.#agent, method, path, signal, contentType, body);
      if (answer.statusCode < 300) {
        const text = await answer.body.text();
        return text === '' ? undefined : JSON.parse(text);
      }
      const error = await errorOf(answer);
      const retryAfter = Number(answer.headers['retry-after']);
      if (tries >= MAX_TRIES || !(retryAfter > 0) || (error.code !== 429 && error.code < 500)) throw error;
      await this.#deps.clock.sleep(retryAfter * 1000, signal);
      signal?.throwIfAborted();
    }
  }

  async #send(
    agent: Agent,
    method: Dispatcher.HttpMethod,
    path: string,
    signal?: AbortSignal,
    contentType?: string,
    body?: string,
  ): Promise<Dispatcher.ResponseData> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined && contentType !== undefined) headers['content-type'] = contentType;
    if (this.#options.userAgent !== undefined) headers['user-agent'] = this.#options.userAgent;
    if (this.#options.token !== undefined) {
      const token = Promise.resolve(this.#options.token());
      headers['authorization'] = `Bearer ${await (signal === undefined ? token : abortable(token, signal))}`;
    }
    const request = {
      origin: this.#origin,
      path: this.#prefix + path,
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    };
    const { requests } = this.#deps;
    if (requests === undefined) return agent.request(request);
    return requests.observed(method, this.#host, () => agent.request(request));
  }
}

/** Of an object, or of all objects of a list. */
function dropManagedFields(answer: unknown): void {
  const { metadata, items = [] } = (answer ?? {}) as {
    readonly metadata?: { managedFields?: unknown };
    readonly items?: readonly unknown[];
  };
  if (metadata !== undefined) delete metadata.managedFields;
  for (const item of items) dropManagedFields(item);
}

function connector(options: HTTPTransportOptions): buildConnector.connector {
  const { ca, certificate, key, clientCertificate, serverName, insecureSkipTLSVerify } = options;
  const build = (cert: string | undefined, privateKey: string | undefined): buildConnector.connector =>
    buildConnector({
      allowH2: false,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(privateKey === undefined ? {} : { key: privateKey }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...(insecureSkipTLSVerify ? { rejectUnauthorized: false } : {}),
    });
  if (clientCertificate === undefined) return build(certificate, key);
  return (target, callback) => {
    const { certificatePEM, keyPEM } = clientCertificate();
    build(certificatePEM, keyPEM)(target, callback);
  };
}

/** The Status of an answer; made up from the code for answers that carry none (from a proxy, say). */
async function errorOf(answer: Dispatcher.ResponseData): Promise<StatusError> {
  const text = await answer.body.text();
  try {
    const status = JSON.parse(text) as Status;
    if (status.kind === 'Status') return new StatusError(status);
  } catch (cause) {
    return new StatusError(newStatus(answer.statusCode, '', text.trim() || `HTTP ${answer.statusCode}`), { cause });
  }
  return new StatusError(newStatus(answer.statusCode, '', `HTTP ${answer.statusCode}`));
}
