import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { plainAddress } from '../base/socket-address.ts';
import { type BodySink, Exchange, type TakenConnection } from './exchange.ts';
import { HeaderFields } from './http1/header-fields.ts';
import { hasNoBody } from './http1/response-head.ts';
import { parseTarget, type RequestTarget } from './request-target.ts';

/** An exchange on a stream of HTTP/2. */
export class HTTP2Exchange extends Exchange {
  readonly #incoming: Http2ServerRequest;
  readonly #response: Http2ServerResponse;
  #hasNoBody = false;
  /** Of the answer, until it leaves: alone, or with the end of the stream where nothing follows. */
  #head: Record<string, string | string[]> | undefined;

  constructor(incoming: Http2ServerRequest, response: Http2ServerResponse) {
    const length = incoming.headers['content-length'];
    const fields = HeaderFields.checked(incoming.rawHeaders);
    super({
      method: incoming.method,
      httpVersion: '2.0',
      fields: fields ?? HeaderFields.of([]),
      target: fields && targetOf(incoming),
      secure: true,
      clientAddress: plainAddress(incoming.socket.remoteAddress ?? ''),
      hasBody: !incoming.stream.endAfterHeaders,
      contentLength: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
      wantsUpgrade: false,
    });
    this.#incoming = incoming;
    this.#response = response;
  }

  inform(status: number, fields: readonly string[]): void {
    const { stream } = this.#response;
    if (stream !== undefined && !stream.headersSent && !stream.destroyed)
      stream.additionalHeaders({ ':status': status, ...headersOf(fields) });
  }

  begin(status: number, fields: readonly string[], length: number | undefined): void {
    this.status = status;
    this.#hasNoBody = hasNoBody(status, this.request.method);
    const headers = headersOf(fields);
    if (length !== undefined && status !== 204) headers['content-length'] = String(length);
    this.#head = headers;
  }

  /** Listens for the end of the stream; call it once, before the exchange is handled. */
  follow(): void {
    // An error of the stream is its end, which `close` tells of.
    this.#incoming.on('error', () => {});
    this.#response.on('error', () => {});
    this.#response.on('drain', () => this.drained());
    this.#response.once('close', () => {
      if (!this.#response.writableFinished) this.gone();
      this.done();
    });
  }

  readBody(sink: BodySink): void {
    this.#incoming.on('data', (part: Buffer) => {
      if (!sink.data(part)) this.#incoming.pause();
    });
    this.#incoming.once('end', () => sink.end());
  }

  resumeBody(): void {
    this.#incoming.resume();
  }

  write(part: Buffer): boolean {
    if (this.#hasNoBody) return true;
    this.flush();
    return this.#response.write(part);
  }

  /** Node sends the rest of what there is at the end of each turn. */
  flush(): void {
    if (this.#head === undefined) return;
    this.#response.writeHead(this.status, this.#head);
    this.#head = undefined;
  }

  end(trailers?: HeaderFields): void {
    if (trailers !== undefined && trailers.raw.length > 0) {
      this.flush();
      this.#response.addTrailers(headersOf(trailers.raw));
    }
    this.#response.statusCode = this.status;
    for (const name in this.#head) this.#response.setHeader(name, this.#head[name] ?? '');
    this.#head = undefined;
    this.#response.end();
  }

  breakOff(): void {
    this.#response.stream?.close(2);
  }

  takeOver(): TakenConnection {
    throw new Error('a stream of HTTP/2 is no connection of its own');
  }
}

/** Of a list of names and values. */
function headersOf(fields: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] ?? '').toLowerCase();
    const value = fields[i + 1] ?? '';
    const before = headers[name];
    headers[name] = before === undefined ? value : [...[before].flat(), value];
  }
  return headers;
}

/** RFC 9113, 8.3.1: where `:authority` and `host` are both there they say the same. */
function targetOf({ url, headers, authority }: Http2ServerRequest): RequestTarget | undefined {
  const { host } = headers;
  if (authority !== '' && host !== undefined && host !== authority) return undefined;
  return parseTarget(url, authority || host);
}
