import type { Duplex } from 'node:stream';
import { FrameReader, finish, type SpdyFrame, synStream, writeData, writePing } from './spdy-frames.ts';

/** One stream of a session. `onData` may be called with nothing but the end. */
export interface SpdyStream {
  /** False: the connection is busy, see `drained` of the session. */
  write(data: Uint8Array): boolean;
  /** Nothing more is written. */
  end(): void;
}

export interface SpdyReader {
  /** False: no more for now, until `resume`. */
  onData(data: Buffer): void;
  /** The other side writes no more. */
  onEnd(): void;
}

/**
 * The client's side of SPDY/3.1 as the streaming servers of container runtimes speak it (moby/spdystream): streams are
 * opened by the client only, flow is controlled by TCP alone.
 */
export class SpdySession {
  readonly #socket: Duplex;
  readonly #readers = new Map<number, SpdyReader>();
  readonly #frames = new FrameReader();
  #nextId = 1;

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.once('close', () => this.#endAll());
    socket.on('error', () => socket.destroy());
    if (head.length > 0) this.#receive(head);
  }

  /** Opens a stream with headers such as `streamtype`. */
  open(headers: Readonly<Record<string, string>>, reader: SpdyReader): SpdyStream {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#readers.set(id, reader);
    this.#socket.write(synStream(id, headers, id === 1));
    return {
      write: (data) => this.#socket.write(writeData(id, data)),
      end: () => void this.#socket.write(finish(id)),
    };
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Calls once, when what was written has gone out. */
  drained(listener: () => void): void {
    this.#socket.once('drain', listener);
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#frames.read(chunk)) this.#handle(frame);
    } catch {
      // What is not SPDY ends the session.
      this.#socket.destroy();
    }
  }

  #handle(frame: SpdyFrame): void {
    switch (frame.kind) {
      case 'data': {
        const reader = this.#readers.get(frame.stream);
        if (frame.data.length > 0) reader?.onData(frame.data);
        if (frame.last) this.#end(frame.stream);
        return;
      }
      case 'reply':
        if (frame.last) this.#end(frame.stream);
        return;
      case 'reset':
        this.#end(frame.stream);
        return;
      case 'ping':
        // The pings of a server have even numbers; odd ones answer ours.
        if (frame.id % 2 === 0) this.#socket.write(writePing(frame.id));
        return;
      case 'goaway':
        this.#endAll();
        return;
      case 'other':
        return;
    }
  }

  #end(stream: number): void {
    const reader = this.#readers.get(stream);
    this.#readers.delete(stream);
    reader?.onEnd();
  }

  #endAll(): void {
    for (const stream of [...this.#readers.keys()]) this.#end(stream);
  }
}
