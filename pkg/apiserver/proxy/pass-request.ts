import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { type Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Readable, Transform } from 'node:stream';
import { createDeflate, createGunzip, createGzip, createInflate } from 'node:zlib';
import { internalError, newStatus, StatusError } from '../../api/errors.ts';
import { errnoCode } from '../../base/errors.ts';
import type { Exchange } from '../http/request-handler.ts';
import type { Headers, Response } from '../http/response.ts';
import { certificateErrorText } from '../trust/index.ts';
import { hasBody, type ProxyHeaders, requestHeaders, responseHeaders } from './proxy-headers.ts';
import { rewriteHTML } from './rewrite-html.ts';
import { type LinkRewriter, rewriteURL } from './rewrite-url.ts';
import { streamMessages, wantsWebSocket } from './stream-messages.ts';
import { splice, type Upgrade, type Upgrades } from './upgrades.ts';

export interface ProxyAddress {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

export interface ProxyTarget extends ProxyAddress {
  /** Escaped, with the query. */
  readonly path: string;
}

export interface PassOptions {
  /** For https: how the backend is verified and what it is shown. */
  readonly agent?: Agent;
  /** The Host header; absent: the backend's address. */
  readonly host?: string;
  /** The name that the backend's certificate must be for; absent: `host`. */
  readonly serverName?: string;
  readonly headers?: ProxyHeaders;
  /** The path below which clients see the backend's pages. Absent: the backend serves no pages, its answers stay as they are. */
  readonly pagePrefix?: string;
  /** A client that wants a WebSocket gets the body as its messages; the backend knows nothing of it. */
  readonly asMessages?: boolean;
  /** Throws what the client is told instead of the backend's answer. */
  check?(incoming: IncomingMessage): Promise<void>;
  /** Win over the backend's. */
  readonly answerHeaders?: Headers;
  /** Its reason is what the client is told when it aborts before the answer. */
  readonly signal?: AbortSignal;
  /** What the client is told when the backend cannot be reached. */
  unreachable?(error: Error, target: ProxyTarget): Error;
}

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Hands a request on to a backend, and its answer, or its upgraded connection, back to the client, as it comes. Rejects only
 * while nothing has been answered yet.
 */
export async function passRequest(
  exchange: Exchange,
  upgrades: Upgrades,
  target: ProxyTarget,
  options: PassOptions,
): Promise<void> {
  const wanted = upgrades.of(exchange.request);
  const messages = options.asMessages === true && wantsWebSocket(exchange.request) ? wanted : undefined;
  const upgrade = messages === undefined ? wanted : undefined;
  const passage = new Passage(exchange, { upgrade, messages }, target, options);
  try {
    await passage.attempt();
  } catch (error) {
    if (!(error instanceof ConnectionFailure)) throw error;
    if (error.isWorthAnother) return passage.attempt();
    const describe = options.unreachable ?? (upgrade === undefined ? serviceUnavailable : dialFailure);
    throw describe(error.failure, target);
  }
}

/** The connection of a client that wants an upgrade: of the backend's, or a WebSocket of ours. */
interface Upgraded {
  readonly upgrade: Upgrade | undefined;
  readonly messages: Upgrade | undefined;
}

class Passage {
  readonly #exchange: Exchange;
  readonly #upgrade: Upgrade | undefined;
  readonly #messages: Upgrade | undefined;
  readonly #target: ProxyTarget;
  readonly #options: PassOptions;
  readonly #withBody: boolean;

  constructor(exchange: Exchange, { upgrade, messages }: Upgraded, target: ProxyTarget, options: PassOptions) {
    this.#exchange = exchange;
    this.#upgrade = upgrade;
    this.#messages = messages;
    this.#target = target;
    this.#options = options;
    this.#withBody = upgrade === undefined && hasBody(exchange.request);
  }

  /** Rejects with a ConnectionFailure when the backend cannot be reached. */
  attempt(): Promise<void> {
    const { request, response } = this.#exchange;
    const { signal } = this.#options;
    return new Promise((resolve, reject) => {
      const outgoing = this.#open();
      outgoing.on('error', (error) => {
        if (response.headersSent) response.destroy();
        const wasKept = outgoing.reusedSocket && errnoCode(error) === 'ECONNRESET';
        reject(
          new ConnectionFailure(error, wasKept && !this.#withBody && !response.headersSent && !response.destroyed),
        );
      });
      outgoing.once('response', (incoming) => {
        this.#answer(incoming).then(resolve, reject);
      });
      outgoing.once('upgrade', (incoming, socket, head) => {
        if (this.#upgrade === undefined) {
          socket.destroy();
          reject(internalError('the backend upgraded a connection that was no upgrade request'));
        } else {
          splice(response, this.#upgrade, incoming, socket, head).then(resolve, reject);
        }
      });
      const abort = (): void => {
        reject(signal?.reason);
        outgoing.destroy();
        if (response.headersSent) response.destroy();
      };
      signal?.addEventListener('abort', abort, { once: true });
      response.once('close', () => {
        signal?.removeEventListener('abort', abort);
        outgoing.destroy();
        resolve();
      });
      if (this.#withBody) request.pipe(outgoing);
      else outgoing.end();
    });
  }

  async #answer(incoming: IncomingMessage): Promise<void> {
    await this.#options.check?.(incoming);
    const { request, response } = this.#exchange;
    if (this.#messages === undefined) return answer(this.#exchange, incoming, this.#target, this.#options);
    return streamMessages(request, response, this.#messages, incoming);
  }

  /** The request to the backend, which fails when the connection takes too long. */
  #open(): ClientRequest {
    const { scheme, host, port, path } = this.#target;
    const { agent, serverName } = this.#options;
    const isHTTPS = scheme === 'https';
    const settings: RequestOptions = {
      host,
      port,
      method: this.#exchange.request.method ?? 'GET',
      path: path.replace(/[^!-~]+/g, encodeURIComponent),
      headers: this.#headers(),
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...(isHTTPS && agent !== undefined ? { agent } : { agent: false }),
    };
    const outgoing = isHTTPS ? httpsRequest(settings) : httpRequest(settings);
    const timer = setTimeout(() => outgoing.destroy(new TimedOut()), CONNECT_TIMEOUT_MS);
    const connected = (): void => clearTimeout(timer);
    outgoing.once('socket', (socket) => {
      socket.setNoDelay(true);
      if (!socket.connecting) connected();
      else socket.once(isHTTPS ? 'secureConnect' : 'connect', connected);
    });
    outgoing.once('close', connected);
    return outgoing;
  }

  #headers(): ProxyHeaders {
    const { host, pagePrefix, headers: further } = this.#options;
    const headers = { ...requestHeaders(this.#exchange.request, this.#upgrade !== undefined), ...further };
    if (host !== undefined) headers['host'] = host;
    if (pagePrefix !== undefined) headers['x-forwarded-uri'] = forwardedURI(pagePrefix, this.#target.path);
    if (this.#withBody && headers['content-length'] === undefined) headers['transfer-encoding'] = 'chunked';
    return headers;
  }
}

/** `isWorthAnother`: the backend has closed a connection that was kept, perhaps before it saw the request. */
class ConnectionFailure extends Error {
  readonly failure: Error;
  readonly isWorthAnother: boolean;

  constructor(failure: Error, isWorthAnother: boolean) {
    super(failure.message, { cause: failure });
    this.failure = failure;
    this.isWorthAnother = isWorthAnother;
  }
}

async function answer(
  exchange: Exchange,
  incoming: IncomingMessage,
  target: ProxyTarget,
  options: PassOptions,
): Promise<void> {
  const { request, response, head } = exchange;
  const isPage = options.pagePrefix !== undefined;
  const fields: Headers = {
    'audit-id': head.auditID,
    'cache-control': 'no-cache, private',
    ...responseHeaders(incoming, isPage),
    ...lowerCase(options.answerHeaders ?? {}),
  };
  let steps: Transform[] = [];
  if (options.pagePrefix !== undefined) {
    const links: LinkRewriter = {
      prefix: options.pagePrefix,
      backendHost: `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`,
      requestHost: options.host ?? '',
    };
    const location = incoming.headers.location;
    if (location !== undefined) fields['location'] = rewriteURL(location, links);
    else if (request.method !== 'HEAD') steps = pageSteps(incoming, links);
    if (steps.length > 0) delete fields['content-length'];
  }
  response.writeHead(incoming.statusCode ?? 502, fields);
  response.flushHeaders();
  await send(incoming, steps, response);
}

/** Resolves when the client has everything or is gone. */
function send(incoming: IncomingMessage, steps: readonly Transform[], response: Response): Promise<void> {
  return new Promise((resolve) => {
    const broken = (): void => {
      response.destroy();
    };
    let last: Readable = incoming;
    for (const step of steps) {
      last.once('error', broken);
      last = last.pipe(step);
    }
    last.once('error', broken);
    response.once('close', () => {
      incoming.destroy();
      resolve();
    });
    last.pipe(response);
  });
}

/** The streams through which an HTML page goes; none for anything else and for encodings that nobody here reads. */
function pageSteps({ headers }: IncomingMessage, links: LinkRewriter): Transform[] {
  if (headers['content-type']?.split(';', 1)[0]?.trim() !== 'text/html') return [];
  const rewrite = rewriteHTML((url) => rewriteURL(url, links));
  switch (headers['content-encoding']) {
    case undefined:
    case '':
      return [rewrite];
    case 'gzip':
      return [createGunzip(), rewrite, createGzip()];
    case 'deflate':
      return [createInflate(), rewrite, createDeflate()];
    default:
      return [];
  }
}

function lowerCase(fields: Headers): Headers {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));
}

function forwardedURI(prefix: string, path: string): string {
  const plain = path.split('?', 1)[0] ?? '';
  return `${prefix}${plain}` || '/';
}

class TimedOut extends Error {
  readonly code = 'ETIMEDOUT';

  constructor() {
    super('connection timed out');
  }
}

function serviceUnavailable(error: Error, target: ProxyTarget): StatusError {
  const message = `error trying to reach service: ${dialText(error, target)}`;
  return new StatusError(newStatus(503, 'ServiceUnavailable', message), { cause: error });
}

function dialFailure(error: Error, target: ProxyTarget): StatusError {
  return internalError(new Error(`error dialing backend: ${dialText(error, target)}`, { cause: error }));
}

const DIAL_TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'read: connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

/** Why a connection failed, in the words that Go has for it. */
export function dialText(error: Error, { host, port }: ProxyAddress): string {
  const code = errnoCode(error) ?? '';
  const certificate = certificateErrorText(code, host);
  if (certificate !== undefined) return certificate;
  const known = DIAL_TEXTS[code];
  return known === undefined ? error.message : `dial tcp ${host.includes(':') ? `[${host}]` : host}:${port}: ${known}`;
}
