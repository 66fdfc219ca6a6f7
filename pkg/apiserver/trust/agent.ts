import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import { connectionOptions, refusalOf, type ServerTrust } from './server-trust.ts';

type Connected = (error: Error | null, socket: Duplex) => void;

/** Connects Node's own HTTPS client, which can upgrade connections, to servers that prove who they are. */
export class VerifyingAgent extends Agent {
  readonly #trust: ServerTrust;
  readonly #timeoutMs: number;
  readonly #clock: Pick<Clock, 'now' | 'after'>;

  constructor(
    trust: ServerTrust,
    options: AgentOptions & { readonly timeoutMs: number },
    clock: Pick<Clock, 'now' | 'after'>,
  ) {
    super(options);
    this.#trust = trust;
    this.#timeoutMs = options.timeoutMs;
    this.#clock = clock;
  }

  /** Calls back once it is known who the server is. */
  override createConnection(options: RequestOptions, callback?: Connected): undefined {
    const socket = connect({ ...(options as ConnectionOptions), ...connectionOptions(this.#trust) });
    const late = Object.assign(new Error('connection timed out'), { code: 'ETIMEDOUT' });
    const cancel = this.#clock.after(this.#timeoutMs, () => socket.destroy(late));
    const failed = (error: Error): void => {
      cancel();
      callback?.(error, socket);
    };
    socket.once('error', failed);
    socket.once('secureConnect', () => {
      cancel();
      socket.removeListener('error', failed);
      const refusal = refusalOf(socket, options.servername ?? options.host ?? '', this.#trust, this.#clock.now());
      if (refusal !== undefined) socket.destroy();
      callback?.(refusal ?? null, socket);
    });
  }
}
