import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { unauthorized } from '../../api/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { plainAddress } from '../../base/socket-address.ts';
import type { AuthenticatedUser, Authenticator } from '../contract.ts';
import type { AccessMetrics } from './access-metrics.ts';

export interface SendersDeps {
  readonly authenticator: Authenticator;
  readonly access: AccessMetrics;
  readonly clock: Clock;
}

/** Finds out who sends a request, by what the connection and the headers say. */
export class Senders {
  readonly #deps: SendersDeps;
  readonly #certificates = new WeakMap<object, { readonly raw: Uint8Array | undefined }>();

  constructor(deps: SendersDeps) {
    this.#deps = deps;
  }

  /** Throws Unauthorized. */
  async identify(request: IncomingMessage, path: string): Promise<AuthenticatedUser> {
    const { access, clock } = this.#deps;
    const started = clock.monotonic();
    let result: 'success' | 'failure' = 'failure';
    try {
      const known = await this.#ask(request, path);
      if (known === undefined) throw unauthorized();
      result = 'success';
      access.userSeen(known.user.username);
      return known;
    } finally {
      access.authenticated(result, clock.monotonic() - started);
    }
  }

  #ask(request: IncomingMessage, path: string): ReturnType<Authenticator['authenticate']> {
    const peerCertificate = this.#peerCertificate(request);
    const { headers, rawHeaders } = request;
    return this.#deps.authenticator.authenticate({
      headers,
      rawHeaders,
      path,
      ...(peerCertificate === undefined ? {} : { peerCertificate }),
      remoteAddress: plainAddress(request.socket.remoteAddress ?? ''),
    });
  }

  /** The same bytes for every request of one connection, so that authenticators can remember what they verified. */
  #peerCertificate(request: IncomingMessage): Uint8Array | undefined {
    const socket = socketOf(request);
    let known = this.#certificates.get(socket);
    if (known === undefined) {
      const certificate = typeof socket.getPeerCertificate === 'function' ? socket.getPeerCertificate() : undefined;
      known = { raw: certificate?.raw };
      this.#certificates.set(socket, known);
    }
    return known.raw;
  }
}

function socketOf(request: IncomingMessage): TLSSocket {
  const stream = (request as unknown as { stream?: { session?: { socket: TLSSocket } } }).stream;
  return stream?.session?.socket ?? (request.socket as TLSSocket);
}
