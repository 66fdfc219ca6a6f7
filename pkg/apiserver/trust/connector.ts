import { TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import type { Clock } from '../../base/clock.ts';
import { connectionOptions, refusalOf, type ServerTrust } from './server-trust.ts';

/** Connects undici by TLS to servers that prove who they are. */
export function verifyingConnector(
  trust: ServerTrust,
  timeoutMs: number,
  clock: Pick<Clock, 'now'>,
): buildConnector.connector {
  const connect = buildConnector({
    ...connectionOptions(trust),
    allowH2: false,
    timeout: timeoutMs,
    // A resumed session would not show the certificate again.
    maxCachedSessions: 0,
  });
  return (target, callback) =>
    connect(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      const refusal = socket instanceof TLSSocket ? refusalOf(socket, target.hostname, trust, clock.now()) : undefined;
      if (refusal === undefined) return callback(null, socket);
      socket.destroy();
      callback(refusal, null);
    });
}
