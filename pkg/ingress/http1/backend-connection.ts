import { connect, type Socket } from 'node:net';
import { connect as connectTLS } from 'node:tls';
import { BodyDecoder, MalformedBody } from './body-decoder.ts';
import type { HeaderFields } from './header-fields.ts';
import { parseResponseHead, type ResponseHead } from './response-head.ts';
import { WriteBuffer } from './write-buffer.ts';

/**
 * Why there is no answer, or no whole one. 'unreachable', 'slow-connect': nothing has been sent. 'broken': the connection
 * ended before the answer began. 'cut': the answer began and is not complete. 'slow': nothing came for too long.
 */
export type BackendFailure = 'unreachable' | 'slow-connect' | 'broken' | 'cut' | 'slow' | 'malformed';

/** Who a connection works for at the time. */
export interface AnswerHandler {
  /** Of the request. */
  readonly method: string;
  /** The connection takes the request now. */
  onReady(): void;
  onDrain(): void;
  /** A head before that of the answer: 1xx but 100, which is ours, and 101, which is an answer. */
  onInformation(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  onData(part: Buffer): void;
  /** Nothing more is there for now. */
  onPause(): void;
  onEnd(trailers: HeaderFields): void;
  onFailure(failure: BackendFailure): void;
}

export interface BackendAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly connectTimeoutMs: number;
}

export interface BackendConnectionDeps {
  /** The connection may serve another request within `keepAliveMs`. */
  readonly released: (connection: BackendConnection, keepAliveMs: number | undefined) => void;
  readonly closed: (connection: BackendConnection) => void;
}

const MAX_HEAD_BYTES = 64 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);

/** A connection of HTTP/1.1 to an endpoint: one request at a time. */
export class BackendConnection {
  readonly out: WriteBuffer;
  readonly #socket: Socket;
  readonly #deps: BackendConnectionDeps;
  #isConnected = false;
  /** Of the request that waits for the connection. */
  #timeoutMs = 0;
  #handler: AnswerHandler | undefined;
  #head: ResponseHead | undefined;
  #decoder = new BodyDecoder(0);
  /** Read, and not understood yet. */
  #ahead: Buffer = NOTHING;
  #requestIsSent = false;
  #hasServed = false;

  constructor({ host, port, secure, connectTimeoutMs }: BackendAddress, deps: BackendConnectionDeps) {
    this.#deps = deps;
    // As nginx: a backend's certificate proves nothing, for its name is an address.
    this.#socket = secure
      ? connectTLS({ host, port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
      : connect({ host, port, noDelay: true });
    this.out = new WriteBuffer(this.#socket);
    this.#socket.setTimeout(connectTimeoutMs);
    this.#socket.once(secure ? 'secureConnect' : 'connect', () => this.#connected());
    this.#socket.on('data', this.#onData).on('drain', this.#onDrain);
    this.#socket.on('end', this.#onEnd).on('timeout', this.#onTimeout);
    // An error of the connection is its end, which `close` tells of.
    this.#socket.on('error', () => {});
    this.#socket.once('close', () => this.#closed());
  }

  /** It has answered a request before: the endpoint may have closed it meanwhile. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** Serves a request; `timeoutMs`: the longest time in which nothing moves. */
  serve(handler: AnswerHandler, timeoutMs: number): void {
    this.#handler = handler;
    this.#head = undefined;
    this.#requestIsSent = false;
    if (!this.#isConnected) {
      this.#timeoutMs = timeoutMs;
      return;
    }
    this.#socket.setTimeout(timeoutMs);
    handler.onReady();
  }

  /** The request has left as a whole. */
  requestSent(): void {
    this.#requestIsSent = true;
    this.out.flush();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Waits for the next request, for so long. */
  rest(idleMs: number): void {
    this.#socket.setTimeout(idleMs);
  }

  /** Ends it; its handler hears of nothing any more. */
  destroy(): void {
    this.#handler = undefined;
    this.#socket.destroy();
  }

  /** After a 101: the connection, and what was read of it. */
  detach(): { socket: Socket; rest: Buffer } {
    this.#handler = undefined;
    this.#socket.off('data', this.#onData).off('drain', this.#onDrain);
    this.#socket.off('end', this.#onEnd).off('timeout', this.#onTimeout).setTimeout(0);
    return { socket: this.#socket, rest: this.#ahead };
  }

  #connected(): void {
    this.#isConnected = true;
    this.#socket.setTimeout(this.#timeoutMs);
    this.#handler?.onReady();
  }

  readonly #onData = (chunk: Buffer): void => {
    const handler = this.#handler;
    if (handler === undefined) {
      // Nobody has asked anything.
      this.#socket.destroy();
      return;
    }
    this.#ahead = this.#ahead.length === 0 ? chunk : Buffer.concat([this.#ahead, chunk]);
    try {
      while (
        this.#handler === handler &&
        (this.#head === undefined ? this.#readHead(handler) : this.#readBody(handler))
      );
    } catch (error) {
      if (!(error instanceof MalformedBody)) throw error;
      this.#fail('malformed');
    }
    if (this.#handler === handler) handler.onPause();
  };

  readonly #onDrain = (): void => this.#handler?.onDrain();

  /** False: it is not complete. */
  #readHead(handler: AnswerHandler): boolean {
    const end = this.#ahead.indexOf(HEAD_END);
    if ((end < 0 ? this.#ahead.length : end) > MAX_HEAD_BYTES) throw new MalformedBody();
    if (end < 0) return false;
    const head = parseResponseHead(this.#ahead.toString('latin1', 0, end), handler.method);
    if (head === undefined) throw new MalformedBody();
    this.#ahead = this.#ahead.length === end + 4 ? NOTHING : this.#ahead.subarray(end + 4);
    if (head.status < 200 && head.status !== 101) {
      if (head.status !== 100) handler.onInformation(head);
      return true;
    }
    this.#head = head;
    this.#decoder = new BodyDecoder(head.framing);
    handler.onHead(head);
    if (this.#handler === handler && this.#decoder.done) this.#complete(handler, head);
    return true;
  }

  /** False: more has to come. */
  #readBody(handler: AnswerHandler): boolean {
    if (this.#ahead.length === 0) return false;
    const chunk = this.#ahead;
    const taken = this.#decoder.push(chunk, (part) => {
      if (this.#handler === handler) handler.onData(part);
    });
    this.#ahead = taken === chunk.length ? NOTHING : chunk.subarray(taken);
    if (this.#handler === handler && this.#decoder.done && this.#head !== undefined)
      this.#complete(handler, this.#head);
    return true;
  }

  #complete(handler: AnswerHandler, head: ResponseHead): void {
    this.#handler = undefined;
    this.#hasServed = true;
    // Whoever asked last may have been slow to take the answer.
    this.#socket.resume();
    const isReusable = head.keepAlive && this.#requestIsSent && this.#ahead.length === 0;
    if (isReusable) this.#deps.released(this, head.keepAliveMs);
    else this.#socket.destroy();
    handler.onEnd(this.#decoder.trailers);
  }

  readonly #onEnd = (): void => {
    if (this.#handler !== undefined && this.#head?.framing === 'until-close') this.#complete(this.#handler, this.#head);
    else this.#socket.destroy();
  };

  readonly #onTimeout = (): void => {
    // The client is slow, not the endpoint.
    if (this.#isConnected && this.#socket.isPaused()) return;
    this.#fail(this.#isConnected ? 'slow' : 'slow-connect');
  };

  #closed(): void {
    this.#deps.closed(this);
    const began = this.#head !== undefined || this.#ahead.length > 0;
    this.#fail(!this.#isConnected ? 'unreachable' : began ? 'cut' : 'broken');
  }

  #fail(failure: BackendFailure): void {
    const handler = this.#handler;
    this.#handler = undefined;
    this.#socket.destroy();
    handler?.onFailure(failure);
  }
}
