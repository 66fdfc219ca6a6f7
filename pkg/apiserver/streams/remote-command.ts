import type { WebSocket } from 'ws';
import { internalError, isStatusError, newStatus } from '../../api/errors.ts';
import type { Status } from '../../api/generated/types.ts';
import type { Exchange } from '../http/request-handler.ts';
import type { Upgrade } from '../proxy/upgrades.ts';
import type { SpdyConnection } from './dial-spdy.ts';
import { type SpdyReader, SpdySession, type SpdyStream } from './spdy-session.ts';
import { acceptWebSocket, offeredProtocols, sendHolding } from './web-socket.ts';

/** The first protocol with which a client can end standard input alone; runtimes' streaming servers do not know it. */
const V5 = 'v5.channel.k8s.io';
/** What is spoken to the runtime. */
export const RUNTIME_PROTOCOLS: readonly string[] = ['v4.channel.k8s.io'];

/** Channels of a WebSocket session: the first byte of each message. */
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** Which streams a session has. */
export interface SessionStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Whether the client of an exec or attach speaks what only a translation can give it. */
export function wantsTranslation(exchange: Exchange): boolean {
  return offeredProtocols(exchange.request).includes(V5);
}

/**
 * Serves exec or attach over a WebSocket with v5.channel.k8s.io by a SPDY session with the runtime. Everything that goes
 * wrong after the WebSocket stands is told as a Status on its error channel (upstream's stream translator). Resolves when
 * the session is over.
 */
export async function translateSession(
  { request, response }: Exchange,
  upgrade: Upgrade,
  streams: SessionStreams,
  dial: () => Promise<SpdyConnection>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => upgrade.socket.once('close', () => resolve()));
  const client = await Promise.race([acceptWebSocket(request, response, upgrade, V5), closed]);
  if (client === undefined) return;
  const first = streams.stdout ? CHANNEL.stdout : streams.stderr ? CHANNEL.stderr : CHANNEL.error;
  client.send(Buffer.from([first]));
  let status: Status;
  try {
    const connection = await dial();
    if (client.readyState !== client.OPEN) {
      connection.socket.destroy();
      return;
    }
    status = await new Translation(client, streams, connection).done;
  } catch (error) {
    status = (isStatusError(error) ? error : internalError(error)).status;
  }
  client.send(message(CHANNEL.error, Buffer.from(JSON.stringify(status))));
  client.resume();
  client.close(1000);
  await closed;
}

function message(channel: number, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([channel]), data]);
}

class Translation {
  /** What the client is told at the end. */
  readonly done: Promise<Status>;
  readonly #client: WebSocket;
  readonly #session: SpdySession;
  readonly #stdin: SpdyStream | undefined;
  readonly #resize: SpdyStream | undefined;
  #open = 0;
  #errorText = '';
  #finish: (status: Status) => void = () => {};

  constructor(client: WebSocket, streams: SessionStreams, { socket, head }: SpdyConnection) {
    this.#client = client;
    this.#session = new SpdySession(socket, head);
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    const open = (streamtype: string, reader: SpdyReader): SpdyStream => this.#session.open({ streamtype }, reader);
    // The order in which upstream's client opens them.
    open(
      'error',
      this.#counted((data) => this.#readError(data)),
    );
    if (streams.stdin) this.#stdin = open('stdin', { onData: () => {}, onEnd: () => {} });
    if (streams.stdout)
      open(
        'stdout',
        this.#counted((data) => this.#show(CHANNEL.stdout, data)),
      );
    if (streams.stderr && !streams.tty)
      open(
        'stderr',
        this.#counted((data) => this.#show(CHANNEL.stderr, data)),
      );
    if (streams.tty) this.#resize = open('resize', { onData: () => {}, onEnd: () => {} });
    client.on('message', (data: Buffer) => this.#receive(data));
    client.resume();
    client.once('close', () => {
      this.#session.close();
      this.#finish(newStatus(500, 'InternalError', 'the client has gone'));
    });
  }

  /** A stream of the runtime's; the session is over when all of them are. */
  #counted(onData: (data: Buffer) => void): SpdyReader {
    this.#open++;
    const onEnd = (): void => {
      this.#open--;
      if (this.#open > 0) return;
      this.#session.close();
      this.#finish(outcome(this.#errorText));
    };
    return { onData, onEnd };
  }

  #readError(data: Buffer): void {
    this.#errorText += String(data);
  }

  #show(channel: number, data: Buffer): void {
    sendHolding(this.#client, message(channel, data), this.#session);
  }

  #receive(data: Buffer): void {
    const rest = data.subarray(1);
    switch (data[0]) {
      case CHANNEL.stdin:
        if (this.#stdin !== undefined && rest.length > 0 && !this.#stdin.write(rest)) this.#holdBack();
        return;
      case CHANNEL.resize:
        this.#resize?.write(rest);
        return;
      case CHANNEL.close:
        if (rest[0] === CHANNEL.stdin) this.#stdin?.end();
    }
  }

  /** The runtime is slow: the client's input waits. */
  #holdBack(): void {
    this.#client.pause();
    this.#session.drained(() => this.#client.resume());
  }
}

/** The Status at the end of a session, from what the runtime has written on the error stream. */
function outcome(text: string): Status {
  const told = parsed(text);
  if (text === '' || told?.status === 'Success') return { metadata: {}, status: 'Success' };
  if (told === undefined) return internalError(new Error(text)).status;
  const code = told.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  if (told.reason !== 'NonZeroExitCode' || code === undefined)
    return internalError(new Error(told.message ?? text)).status;
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: command terminated with exit code ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: code }] },
  };
}

function parsed(text: string): Status | undefined {
  try {
    return JSON.parse(text) as Status;
  } catch {
    return undefined;
  }
}
