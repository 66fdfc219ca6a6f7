import type { IncomingHttpHeaders } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import type { Dispatcher } from 'undici';
import { errnoCode } from '../base/errors.ts';
import type { Connections } from './connections.ts';
import { answer, breakOff, type Exchange, endWithText, hasBody, writeBody, writeHead } from './exchange.ts';
import { responseHeaders } from './headers.ts';
import type { IngressSettings } from './settings.ts';
import type { Endpoint, Upstream } from './upstreams.ts';

export interface ForwardRequest {
  readonly exchange: Exchange;
  readonly upstream: Upstream;
  /** Where the client's cookie says it belongs. */
  readonly preferred: Endpoint | undefined;
  /** Path and query. */
  readonly path: string;
  /** Name after value. */
  readonly headers: string[];
  readonly settings: IngressSettings;
  readonly connections: Connections;
  /** Called with the endpoint before each try. */
  readonly onEndpoint: (endpoint: Endpoint) => void;
}

/** The request has not been sent: any other endpoint may have it. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
]);
/** The connection broke before an answer: what may be done twice is done again (RFC 9110, 9.2.2). */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT']);
const MAX_TRIES = 5;
const SMALL_BYTES = 16_384;

/** Sends a request over HTTP/1.1 to an endpoint, to another when that one cannot be reached, and streams the answer back. */
export function forwardHTTP1(request: ForwardRequest): void {
  new Forwarding(request).begin();
}

class Forwarding implements Dispatcher.DispatchHandler {
  readonly #request: ForwardRequest;
  readonly #tried = new Set<string>();
  readonly #hasBody: boolean;
  #body: Readable | null = null;
  #endpoint: Endpoint | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #clientGone = false;
  #tooLarge = false;
  /** What the whole body has, when it is so short that head and body leave in one write; else 0. */
  #smallLength = 0;
  /** A whole short body, as Latin-1. */
  #small: string | undefined;

  constructor(request: ForwardRequest) {
    this.#request = request;
    this.#hasBody = hasBody(request.exchange.request);
  }

  begin(): void {
    const { request, response } = this.#request.exchange;
    if (this.#hasBody) this.#body = this.#limited(request);
    response.once('close', () => {
      if (response.writableFinished) return;
      this.#clientGone = true;
      this.#controller?.abort(new Error('the client has gone'));
    });
    this.#try(this.#request.preferred);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#clientGone) controller.abort(new Error('the client has gone'));
  }

  onResponseStart(_: Dispatcher.DispatchController, statusCode: number, headers: IncomingHttpHeaders): void {
    if (statusCode < 200) return;
    const { exchange } = this.#request;
    const out = responseHeaders(headers, exchange.extraHeaders);
    const length = Number(headers['content-length'] ?? 0);
    if (length <= SMALL_BYTES) this.#smallLength = length;
    // A body that the backend did not want is still on its way.
    if (this.#body !== null && !this.#body.readableEnded && exchange.request.httpVersionMajor === 1)
      out['connection'] = 'close';
    writeHead(exchange.response, statusCode, out);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { exchange } = this.#request;
    exchange.bytesSent += chunk.length;
    if (chunk.length === this.#smallLength) {
      // Undici reuses the memory of chunks; the text is a copy.
      this.#small = chunk.toString('latin1');
      return;
    }
    if (writeBody(exchange.response, chunk)) return;
    controller.pause();
    exchange.response.once('drain', () => controller.resume());
  }

  onResponseEnd(_: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    const { response } = this.#request.exchange;
    for (const name in trailers) response.addTrailers({ [name]: trailers[name] as string });
    if (this.#small === undefined) response.end();
    else endWithText(response, this.#small);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    const { exchange, upstream } = this.#request;
    if (this.#clientGone) return;
    if (exchange.response.headersSent) {
      breakOff(exchange.response);
      return;
    }
    if (this.#tooLarge) {
      answer(exchange, 413, 'The body is larger than this Ingress allows.');
      return;
    }
    const code = errnoCode(error) ?? '';
    const again = NOT_SENT.has(code) || (BROKEN.has(code) && this.#mayRepeat());
    if (again && this.#endpoint !== undefined) {
      upstream.failed(this.#endpoint);
      if (this.#tried.size < MAX_TRIES && this.#try(undefined, code)) return;
    }
    if (TIMEOUTS.has(code)) answer(exchange, 504, 'The backend did not answer in time.');
    else answer(exchange, 502, 'The backend could not be asked.');
  }

  /** False: there is no endpoint (any more), and the caller says so. */
  #try(preferred: Endpoint | undefined, lastCode?: string): boolean {
    const { exchange, upstream, settings, connections, headers, path } = this.#request;
    const endpoint = preferred ?? upstream.pick(this.#tried) ?? this.#once(lastCode);
    if (endpoint === undefined) {
      if (lastCode !== undefined) return false;
      answer(exchange, 503, 'The Service has no endpoint that is ready.');
      return true;
    }
    this.#tried.add(endpoint.authority);
    this.#endpoint = endpoint;
    this.#request.onEndpoint(endpoint);
    const pool = connections.pool(endpoint.authority, settings.backendProtocol, settings.connectTimeoutMs);
    const { readTimeoutMs, sendTimeoutMs } = settings;
    pool.dispatch(
      {
        path,
        method: (exchange.request.method ?? 'GET') as Dispatcher.HttpMethod,
        headers,
        body: this.#body,
        headersTimeout: this.#body === null ? readTimeoutMs : Math.max(readTimeoutMs, sendTimeoutMs),
        bodyTimeout: readTimeoutMs,
      },
      this,
    );
    return true;
  }

  /** A kept connection that the only endpoint has just closed: it is asked once more, over a new one. */
  #once(code: string | undefined): Endpoint | undefined {
    const reused = code !== undefined && BROKEN.has(code) && this.#tried.size === 1;
    return reused && this.#endpoint !== undefined ? this.#request.upstream.byID(this.#endpoint.id) : undefined;
  }

  #mayRepeat(): boolean {
    return !this.#hasBody && IDEMPOTENT.has(this.#request.exchange.request.method ?? '');
  }

  #limited(request: Readable): Readable {
    const limit = this.#request.settings.bodyLimitBytes;
    if (limit === 0) return request;
    let seen = 0;
    const counter = new Transform({
      transform: (chunk: Buffer, _, done) => {
        seen += chunk.length;
        if (seen <= limit) {
          done(null, chunk);
          return;
        }
        this.#tooLarge = true;
        done(new Error('the body is too large'));
      },
    });
    request.once('error', (error) => counter.destroy(error));
    return request.pipe(counter);
  }
}
