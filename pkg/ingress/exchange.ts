import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { RequestTarget } from './request-target.ts';

export type ClientRequest = IncomingMessage | Http2ServerRequest;
export type ClientResponse = ServerResponse | Http2ServerResponse;

/** One request of a client and its answer. */
export interface Exchange {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly target: RequestTarget;
  readonly secure: boolean;
  /** The client's own address. */
  readonly clientAddress: string;
  /** Headers that the answer gets whatever the backend says. */
  readonly extraHeaders: Record<string, string | string[]>;
  /** For the access log: the endpoint that was asked last. */
  endpoint: string;
  bytesSent: number;
}

/** Begins an answer; the two kinds of responses take headers alike. */
export function writeHead(response: ClientResponse, status: number, headers: OutgoingHttpHeaders): void {
  (response as ServerResponse).writeHead(status, headers);
}

/** Writes a part of the body; false: wait for `drain`. */
export function writeBody(response: ClientResponse, chunk: Uint8Array): boolean {
  return (response as ServerResponse).write(chunk);
}

/** Ends an answer with its whole body, given as Latin-1: Node then writes it with the head at once. */
export function endWithText(response: ClientResponse, body: string): void {
  (response as ServerResponse).end(body, 'latin1');
}

/** Ends an answer that cannot be completed so that the client notices. */
export function breakOff(response: ClientResponse): void {
  if ('stream' in response) response.stream?.close(2);
  else response.destroy();
}

const PAGES: Readonly<Record<number, string>> = {
  400: '400 Bad Request',
  403: '403 Forbidden',
  404: '404 Not Found',
  413: '413 Content Too Large',
  502: '502 Bad Gateway',
  503: '503 Service Unavailable',
  504: '504 Gateway Timeout',
};

/** Answers by itself: a status and why. */
export function answer(exchange: Exchange, status: number, why: string): void {
  const { response } = exchange;
  if (response.headersSent) {
    breakOff(response);
    return;
  }
  const body = `${PAGES[status] ?? status}\n${why}\n`;
  exchange.bytesSent = Buffer.byteLength(body);
  writeHead(response, status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': exchange.bytesSent,
    'x-content-type-options': 'nosniff',
    ...exchange.extraHeaders,
    ...hangUp(exchange, status),
  });
  response.end(exchange.request.method === 'HEAD' ? '' : body);
}

export function redirect(exchange: Exchange, status: number, location: string): void {
  writeHead(exchange.response, status, { location, 'content-length': 0, ...hangUp(exchange, status) });
  exchange.response.end();
}

/** What is left of an unread body, or follows an ambiguous request, is not read. */
function hangUp({ request }: Exchange, status: number): OutgoingHttpHeaders {
  return request.httpVersionMajor === 1 && (status === 400 || hasBody(request)) ? { connection: 'close' } : {};
}

export function hasBody(request: ClientRequest): boolean {
  if ('stream' in request) return !request.stream.endAfterHeaders;
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return encoding !== undefined || (length !== undefined && length !== '0');
}
