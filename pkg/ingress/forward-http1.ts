import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { Connections } from './connections.ts';
import { answer, type Exchange } from './exchange.ts';
import { passedFields, responseFields } from './headers.ts';
import type { AnswerHandler, BackendConnection, BackendFailure } from './http1/backend-connection.ts';
import type { HeaderFields } from './http1/header-fields.ts';
import type { ResponseHead } from './http1/response-head.ts';
import type { IngressSettings } from './settings.ts';
import type { Endpoint, Upstream } from './upstreams.ts';

export interface ForwardRequest {
  readonly exchange: Exchange;
  readonly upstream: Upstream;
  /** Where the client's cookie says it belongs. */
  readonly preferred: Endpoint | undefined;
  /** Path and query. */
  readonly path: string;
  /** Name after value, without what frames the body. */
  readonly headers: readonly string[];
  readonly settings: IngressSettings;
  readonly connections: Connections;
  readonly clock: Clock;
  /** Called with the endpoint before each try. */
  readonly onEndpoint: (endpoint: Endpoint) => void;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Sends a request over HTTP/1.1 to an endpoint, to another when that one cannot be reached, and streams the answer back. */
export function forwardHTTP1(request: ForwardRequest): void {
  new Forwarding(request).begin();
}

class Forwarding implements AnswerHandler {
  readonly method: string;
  readonly #request: ForwardRequest;
  readonly #tried = new Set<string>();
  readonly #startMs: number;
  #endpoint: Endpoint | undefined;
  #connection: BackendConnection | undefined;
  /** Bytes of the body that have come. */
  #bodyBytes = 0;
  /** The body comes within the turn in which its head is sent: they leave together. */
  #isTogether = false;

  constructor(request: ForwardRequest) {
    this.#request = request;
    this.method = request.exchange.request.method;
    this.#startMs = request.clock.monotonic();
  }

  begin(): void {
    const { exchange } = this.#request;
    exchange.gone = () => this.#connection?.destroy();
    exchange.drained = () => this.#connection?.resume();
    this.#try(this.#request.preferred);
  }

  onReady(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const { exchange, headers, path } = this.#request;
    const { hasBody, contentLength, wantsUpgrade } = exchange.request;
    let text = `${this.method} ${path} HTTP/1.1\r\n`;
    for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
    if (wantsUpgrade) text += 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
    const isChunked = hasBody && contentLength === undefined;
    if (isChunked) text += 'Transfer-Encoding: chunked\r\n';
    else if (contentLength !== undefined) text += `Content-Length: ${contentLength}\r\n`;
    else if (this.method === 'POST' || this.method === 'PUT' || this.method === 'PATCH')
      text += 'Content-Length: 0\r\n';
    connection.out.addText(`${text}\r\n`);
    if (!hasBody) {
      connection.requestSent();
      return;
    }
    this.#isTogether = true;
    this.#sendBody(connection, isChunked);
    this.#isTogether = false;
    connection.out.flush();
  }

  onDrain(): void {
    this.#request.exchange.resumeBody();
  }

  onInformation({ status, fields }: ResponseHead): void {
    this.#request.exchange.inform(status, passedFields(fields));
  }

  onHead(head: ResponseHead): void {
    const { exchange, settings } = this.#request;
    if (head.status === 101) {
      this.#switchProtocols(head);
      return;
    }
    if (settings.retry.onStatus.has(head.status) && this.#mayRepeat() && this.#askInstead()) return;
    const { framing, declaredLength } = head;
    exchange.begin(
      head.status,
      responseFields(head.fields, exchange),
      typeof framing === 'number' && framing > 0 ? framing : declaredLength,
    );
  }

  onData(part: Buffer): void {
    const { exchange } = this.#request;
    exchange.bytesSent += part.length;
    if (!exchange.write(part)) this.#connection?.pause();
  }

  onPause(): void {
    this.#request.exchange.flush();
  }

  onEnd(trailers: HeaderFields): void {
    this.#connection = undefined;
    this.#request.exchange.end(trailers);
  }

  onFailure(failure: BackendFailure): void {
    const { exchange, upstream, settings } = this.#request;
    const connection = this.#connection;
    this.#connection = undefined;
    if (exchange.status !== 0) {
      exchange.breakOff();
      return;
    }
    const isUnsent = failure === 'unreachable' || failure === 'slow-connect';
    const isSlow = failure === 'slow' || failure === 'slow-connect';
    if (this.#endpoint !== undefined && (isUnsent || failure === 'broken')) upstream.failed(this.#endpoint);
    if (this.#endpoint !== undefined && failure !== 'malformed' && (isUnsent || this.#mayRepeat())) {
      const again = failure === 'broken' && connection?.hasServed === true ? this.#endpoint : undefined;
      if ((isSlow ? settings.retry.onTimeout : settings.retry.onError) && this.#tryAnother(again)) return;
    }
    if (isSlow) answer(exchange, 504, 'The backend did not answer in time.');
    else answer(exchange, 502, 'The backend could not be asked.');
  }

  /** `last`: whose kept connection broke; it is asked once more when there is no other. False: nobody can be asked. */
  #tryAnother(last: Endpoint | undefined): boolean {
    const { upstream, settings, clock } = this.#request;
    const { tries, withinMs } = settings.retry;
    const isFirst = this.#tried.size === 1;
    const isLate = withinMs > 0 && clock.monotonic() - this.#startMs > withinMs;
    // That the endpoint ended a connection which nobody used is no failure of it.
    if ((this.#tried.size >= tries || isLate) && !(isFirst && last !== undefined)) return false;
    const endpoint = upstream.pick(this.#tried) ?? (isFirst && last !== undefined ? upstream.byID(last.id) : undefined);
    if (endpoint !== undefined) this.#ask(endpoint);
    return endpoint !== undefined;
  }

  /** Leaves an answer for that of another endpoint; false: there is none. */
  #askInstead(): boolean {
    const connection = this.#connection;
    if (!this.#tryAnother(undefined)) return false;
    connection?.destroy();
    return true;
  }

  #try(preferred: Endpoint | undefined): void {
    const { exchange, upstream } = this.#request;
    const endpoint = preferred ?? upstream.pick(this.#tried);
    if (endpoint === undefined) answer(exchange, 503, 'The Service has no endpoint that is ready.');
    else this.#ask(endpoint);
  }

  #ask(endpoint: Endpoint): void {
    const { settings, connections, onEndpoint, exchange } = this.#request;
    this.#tried.add(endpoint.authority);
    this.#endpoint = endpoint;
    onEndpoint(endpoint);
    const pool = connections.pool(endpoint.authority, settings.backendProtocol, settings.connectTimeoutMs);
    const { readTimeoutMs, sendTimeoutMs } = settings;
    this.#connection = pool.take();
    this.#connection.serve(this, exchange.request.hasBody ? Math.max(readTimeoutMs, sendTimeoutMs) : readTimeoutMs);
  }

  #sendBody(connection: BackendConnection, isChunked: boolean): void {
    const { exchange, settings } = this.#request;
    const limit = settings.bodyLimitBytes;
    const { out } = connection;
    exchange.readBody({
      data: (part) => {
        if (this.#connection !== connection) return true;
        this.#bodyBytes += part.length;
        if (limit > 0 && this.#bodyBytes > limit) {
          connection.destroy();
          this.#connection = undefined;
          answer(exchange, 413, 'The body is larger than this Ingress allows.');
          return true;
        }
        if (isChunked) out.addChunk(part);
        else out.addData(part);
        if (!this.#isTogether) out.flush();
        return !out.needsDrain;
      },
      end: () => {
        if (this.#connection !== connection) return;
        if (isChunked) out.addText('0\r\n\r\n');
        connection.requestSent();
      },
    });
  }

  /** What has been read of a body cannot be sent again. */
  #mayRepeat(): boolean {
    const { exchange, settings } = this.#request;
    return !exchange.request.hasBody && (IDEMPOTENT.has(this.method) || settings.retry.nonIdempotent);
  }

  #switchProtocols(head: ResponseHead): void {
    const { exchange } = this.#request;
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    if (!exchange.request.wantsUpgrade) {
      connection.destroy();
      answer(exchange, 502, 'The backend changed to a protocol that nobody asked for.');
      return;
    }
    const backend = connection.detach();
    const client = exchange.takeOver(101);
    let text = 'HTTP/1.1 101 Switching Protocols\r\n';
    const { raw } = head.fields;
    for (let i = 0; i < raw.length; i += 2) text += `${raw[i]}: ${raw[i + 1]}\r\n`;
    client.socket.write(`${text}\r\n`, 'latin1');
    if (backend.rest.length > 0) client.socket.write(backend.rest);
    if (client.rest.length > 0) backend.socket.write(client.rest);
    tunnel(client.socket, backend.socket);
  }
}

function tunnel(client: Duplex, backend: Duplex): void {
  const close = (): void => {
    client.destroy();
    backend.destroy();
  };
  for (const side of [client, backend]) side.once('error', close).once('close', close);
  client.pipe(backend).pipe(client);
}
