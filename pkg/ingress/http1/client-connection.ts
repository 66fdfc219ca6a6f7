import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { plainAddress } from '../../base/socket-address.ts';
import type { BodySink, Exchange, TakenConnection } from '../exchange.ts';
import { BodyDecoder, MalformedBody } from './body-decoder.ts';
import { ClientExchange, type ExchangeHost } from './client-exchange.ts';
import { MAX_HEAD_BYTES, parseRequestHead, type Refusal } from './request-head.ts';
import { WriteBuffer } from './write-buffer.ts';

export interface ClientConnectionOptions {
  readonly secure: boolean;
}

export interface ClientConnectionDeps {
  readonly clock: Clock;
  readonly handle: (exchange: Exchange) => void;
}

/** From the first byte of a head to its end. */
const HEAD_TIMEOUT_MS = 15_000;
/** How long nothing may move where the client is to send or to take something. */
const IDLE_TIMEOUT_MS = 75_000;
/** How long what a client still sends is read after the last answer, so that the answer is not lost with it. */
const LINGER_MS = 2000;
/** What is read ahead of the request that is being answered. */
const MAX_AHEAD_BYTES = 64 * 1024;

const REFUSALS: Readonly<Record<Refusal, string>> = {
  400: '400 Bad Request',
  408: '408 Request Timeout',
  417: '417 Expectation Failed',
  431: '431 Request Header Fields Too Large',
};

const NOTHING = Buffer.alloc(0);
const HEAD_END = Buffer.from('\r\n\r\n');
const CR = 0x0d;
const LF = 0x0a;

/** A client's connection of HTTP/1: its requests one after the other, each answered before the next is looked at. */
export class ClientConnection implements ExchangeHost {
  readonly out: WriteBuffer;
  readonly #socket: Socket;
  readonly #options: ClientConnectionOptions;
  readonly #deps: ClientConnectionDeps;
  readonly #clientAddress: string;
  /** Read, and not understood yet. */
  #ahead: Buffer = NOTHING;
  #exchange: ClientExchange | undefined;
  #decoder = new BodyDecoder(0);
  #sink: BodySink | undefined;
  #sinkIsFull = false;
  #keepAlive = true;
  /** No more requests are taken. */
  #closing = false;
  #lingering = false;
  #pumping = false;
  #cancelDeadline: (() => void) | undefined;

  constructor(socket: Socket, options: ClientConnectionOptions, deps: ClientConnectionDeps) {
    this.#socket = socket;
    this.#options = options;
    this.#deps = deps;
    this.#clientAddress = plainAddress(socket.remoteAddress ?? '');
    this.out = new WriteBuffer(socket);
  }

  get keepsAlive(): boolean {
    return this.#keepAlive && !this.#closing;
  }

  get bodyRead(): boolean {
    return this.#decoder.done;
  }

  begin(): void {
    this.#socket.on('data', this.#onData).on('drain', this.#onDrain);
    this.#socket.on('timeout', this.#onTimeout).on('close', this.#onClose);
    // An error of the connection is its end, which `close` tells of.
    this.#socket.on('error', () => {});
    this.#socket.setTimeout(IDLE_TIMEOUT_MS);
    this.#expectHead();
  }

  /** Ends after the answer that is under way, or at once. */
  shutdown(): void {
    this.#closing = true;
    if (this.#exchange !== undefined || this.#lingering) return;
    if (this.#socket.writableLength === 0) this.#socket.destroy();
    else this.#endConnection();
  }

  readBody(sink: BodySink): void {
    this.#sink = sink;
    if (this.#decoder.done) sink.end();
    else this.#pump();
  }

  resumeBody(): void {
    this.#sinkIsFull = false;
    this.#pump();
  }

  finished(last: boolean): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#sink = undefined;
    this.#sinkIsFull = false;
    if (last || this.#closing) this.#endConnection();
    exchange?.done();
    if (!this.#lingering) this.#pump();
  }

  destroy(abruptly: boolean): void {
    if (abruptly && 'resetAndDestroy' in this.#socket && !this.#options.secure) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  detach(): TakenConnection {
    const exchange = this.#exchange;
    this.#socket.off('data', this.#onData).off('drain', this.#onDrain);
    this.#socket.off('timeout', this.#onTimeout).off('close', this.#onClose);
    this.#cancelDeadline?.();
    this.#socket.setTimeout(0);
    this.#exchange = undefined;
    exchange?.done();
    return { socket: this.#socket, rest: this.#ahead };
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#lingering) return;
    this.#ahead = this.#ahead.length === 0 ? chunk : Buffer.concat([this.#ahead, chunk]);
    this.#pump();
  };

  readonly #onDrain = (): void => {
    if (this.#exchange === undefined) this.#pump();
    else this.#exchange.drained();
  };

  readonly #onTimeout = (): void => {
    // Waiting for the backend is the backend's matter.
    const waits = this.#exchange !== undefined && this.#socket.writableLength === 0;
    const forBody = this.#sink !== undefined && !this.#decoder.done && !this.#sinkIsFull;
    if (!waits || forBody) this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#cancelDeadline?.();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.gone();
    exchange?.done();
  };

  /** Goes on as far as what has been read allows. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (
        !this.#lingering &&
        !this.#socket.destroyed &&
        (this.#exchange === undefined ? this.#begun() : this.#fed())
      );
    } catch (error) {
      if (!(error instanceof MalformedBody)) throw error;
      this.#refuse(400);
    } finally {
      this.#pumping = false;
    }
    const isWaiting = this.#exchange === undefined && this.out.needsDrain;
    const isFull = this.#sinkIsFull || isWaiting || this.#ahead.length >= MAX_AHEAD_BYTES;
    if (isFull !== this.#socket.isPaused()) {
      if (isFull) this.#socket.pause();
      else this.#socket.resume();
    }
  }

  /** Begins the next request; false: it is not there yet. */
  #begun(): boolean {
    // Who does not take answers gets no more of them.
    if (this.#ahead.length === 0 || this.out.needsDrain) return false;
    // RFC 9112, 2.2: an empty line before a request is passed over.
    const start = this.#ahead[0] === CR && this.#ahead[1] === LF ? 2 : 0;
    const end = this.#ahead.indexOf(HEAD_END, start);
    if ((end < 0 ? this.#ahead.length : end) - start > MAX_HEAD_BYTES) {
      this.#refuse(431);
      return false;
    }
    if (end < 0) {
      // Some take a bare line feed for the end of a line.
      if (/(?:^|[^\r])\n/.test(this.#ahead.toString('latin1', start))) this.#refuse(400);
      else this.#expectHead();
      return false;
    }
    const head = parseRequestHead(this.#ahead.toString('latin1', start, end));
    if (typeof head === 'number') {
      this.#refuse(head);
      return false;
    }
    this.#cancelDeadline?.();
    this.#cancelDeadline = undefined;
    this.#ahead = this.#ahead.length === end + 4 ? NOTHING : this.#ahead.subarray(end + 4);
    this.#keepAlive = head.keepAlive;
    this.#decoder = new BodyDecoder(head.framing);
    const facts = { secure: this.#options.secure, clientAddress: this.#clientAddress };
    this.#exchange = new ClientExchange(head, facts, this);
    this.#deps.handle(this.#exchange);
    return true;
  }

  /** Hands on what is there of the body; false: no more for now. */
  #fed(): boolean {
    const sink = this.#sink;
    if (sink === undefined || this.#sinkIsFull || this.#decoder.done || this.#ahead.length === 0) return false;
    const taken = this.#decoder.push(this.#ahead, (part) => {
      if (!sink.data(part)) this.#sinkIsFull = true;
    });
    this.#ahead = taken === this.#ahead.length ? NOTHING : this.#ahead.subarray(taken);
    if (this.#decoder.done) sink.end();
    return true;
  }

  #expectHead(): void {
    this.#cancelDeadline ??= this.#deps.clock.after(HEAD_TIMEOUT_MS, () => this.#refuse(408));
  }

  /** What is no request gets one line and the end of its connection. */
  #refuse(status: Refusal): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange === undefined || exchange.status === 0)
      this.#socket.write(`HTTP/1.1 ${REFUSALS[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else this.#socket.destroy();
    this.#endConnection();
    exchange?.gone();
    exchange?.done();
  }

  #endConnection(): void {
    this.#cancelDeadline?.();
    this.#lingering = true;
    this.#ahead = NOTHING;
    // A slow client has all the time that it needs to take what was written.
    this.#socket.end(() => {
      this.#cancelDeadline = this.#deps.clock.after(LINGER_MS, () => this.#socket.destroy());
    });
    this.#socket.resume();
  }
}
