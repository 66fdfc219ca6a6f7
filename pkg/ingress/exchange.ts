import type { Duplex } from 'node:stream';
import type { HeaderFields } from './http1/header-fields.ts';
import type { RequestTarget } from './request-target.ts';

/** Where the parts of a request's body go. */
export interface BodySink {
  /** False: call `resumeBody` before more comes. */
  data(part: Buffer): boolean;
  end(): void;
}

/** A connection that is no longer HTTP, and what was read from it already. */
export interface TakenConnection {
  readonly socket: Duplex;
  readonly rest: Buffer;
}

export interface RequestFacts {
  readonly method: string;
  readonly httpVersion: string;
  readonly fields: HeaderFields;
  /** undefined: two readers could understand it in two ways. */
  readonly target: RequestTarget | undefined;
  readonly secure: boolean;
  /** The client's own address. */
  readonly clientAddress: string;
  readonly hasBody: boolean;
  /** Bytes of the body, where the client says it. */
  readonly contentLength: number | undefined;
  /** A WebSocket is asked for. */
  readonly wantsUpgrade: boolean;
}

const NO_TARGET: RequestTarget = { host: '', authority: '', path: '/', rawPath: '/', query: '' };
const nobody = (): void => {};

/** One request of a client and its answer, whatever the version of HTTP. */
export abstract class Exchange {
  readonly request: RequestFacts;
  readonly target: RequestTarget;
  /** Headers that the answer gets whatever the backend says, by lower-case name. */
  readonly extraHeaders: Record<string, string> = {};
  /** Set-Cookie headers that the answer gets besides those of the backend. */
  readonly cookies: string[] = [];
  /** The endpoint that was asked last. */
  endpoint = '';
  bytesSent = 0;
  /** Of the answer; 0 before it begins. */
  status = 0;
  /** What was written has left, after `write` returned false. */
  drained: () => void = nobody;
  /** The client has gone, or cannot be understood any more, before its answer was complete. */
  gone: () => void = nobody;
  /** Called once, when the answer is complete or the client has gone. */
  done: () => void = nobody;

  constructor(request: RequestFacts) {
    this.request = request;
    this.target = request.target ?? NO_TARGET;
  }

  /** Hands the body on as it comes. */
  abstract readBody(sink: BodySink): void;
  abstract resumeBody(): void;
  /** Tells of something before the answer (1xx) to clients that are sure to understand it. */
  abstract inform(status: number, fields: readonly string[]): void;
  /**
   * Begins the answer. `fields`: name after value, without those of the connection and of the framing. `length`: of the body,
   * where it is known; answers to HEAD have it without a body.
   */
  abstract begin(status: number, fields: readonly string[], length: number | undefined): void;
  /** False: wait until `drained` is called. */
  abstract write(part: Buffer): boolean;
  /** What was written leaves now, not only with what follows. */
  abstract flush(): void;
  abstract end(trailers?: HeaderFields): void;
  /** Ends an answer that cannot be completed so that the client notices. */
  abstract breakOff(): void;
  /** After a request that wants an upgrade: its connection, for another protocol. */
  abstract takeOver(status: number): TakenConnection;
}

const PAGES: Readonly<Record<number, string>> = {
  400: '400 Bad Request',
  401: '401 Unauthorized',
  403: '403 Forbidden',
  404: '404 Not Found',
  413: '413 Content Too Large',
  500: '500 Internal Server Error',
  502: '502 Bad Gateway',
  503: '503 Service Unavailable',
  504: '504 Gateway Timeout',
};

/** Answers by itself: a status and why. `more`: further headers, name after value. */
export function answer(exchange: Exchange, status: number, why: string, more: readonly string[] = []): void {
  if (exchange.status !== 0) {
    exchange.breakOff();
    return;
  }
  const body = Buffer.from(`${PAGES[status] ?? status}\n${why}\n`);
  const fields = ['Content-Type', 'text/plain; charset=utf-8', 'X-Content-Type-Options', 'nosniff', ...more];
  for (const [name, value] of Object.entries(exchange.extraHeaders)) fields.push(name, value);
  answerWith(exchange, status, fields, body);
}

export function redirect(exchange: Exchange, status: number, location: string): void {
  // Header fields are Latin-1: other letters would lose half of themselves.
  const url = /^[!-~]*$/.test(location) ? location : encodeURI(location);
  answerWith(exchange, status, ['Location', url], Buffer.alloc(0));
}

/** A whole answer of our own. */
export function answerWith(exchange: Exchange, status: number, fields: readonly string[], body: Buffer): void {
  exchange.begin(status, [...fields, 'Date', new Date().toUTCString()], body.length);
  if (body.length > 0 && exchange.request.method !== 'HEAD') {
    exchange.bytesSent = body.length;
    exchange.write(body);
  }
  exchange.end();
}
