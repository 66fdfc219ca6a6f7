import { X509Certificate } from 'node:crypto';
import { checkServerIdentity, type PeerCertificate, TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import { issuedByAny } from '../../pki/issued-by.ts';

const SELF_SIGNED = 'DEPTH_ZERO_SELF_SIGNED_CERT';

export interface ConnectorOptions {
  readonly timeoutMs: number;
  /** PEM; undefined: those that the system trusts. */
  readonly authorities?: string;
  /** The name that the server's certificate must have; undefined: that of the URL. */
  readonly serverName?: string;
  /** Milliseconds. */
  now(): number;
}

/** Connects by TLS to servers that prove who they are, by the rules of Go's client where OpenSSL has others. */
export function verifyingConnector(options: ConnectorOptions): buildConnector.connector {
  const { authorities, serverName } = options;
  const connect = buildConnector({
    timeout: options.timeoutMs,
    // The outcome is judged below; a resumed session would not show the certificate again.
    rejectUnauthorized: false,
    maxCachedSessions: 0,
    ...(authorities === undefined ? {} : { ca: authorities }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  });
  return (target, callback) =>
    connect(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      const refusal =
        socket instanceof TLSSocket ? refusalOf(socket, serverName ?? target.hostname, options) : undefined;
      if (refusal === undefined) return callback(null, socket);
      socket.destroy();
      callback(refusal, null);
    });
}

/** Why a server is not who it should be; undefined: it is. */
function refusalOf(socket: TLSSocket, name: string, { authorities, now }: ConnectorOptions): Error | undefined {
  if (socket.authorized) return undefined;
  const code = String(socket.authorizationError);
  const peer = socket.getPeerCertificate();
  if (code === SELF_SIGNED && authorities !== undefined && isIssued(peer, authorities, now()))
    return checkServerIdentity(name, peer);
  return Object.assign(new Error(`the server's certificate is not accepted: ${code}`), { code });
}

/** Malformed certificates are issued by nobody. */
function isIssued({ raw }: Partial<PeerCertificate>, authorities: string, now: number): boolean {
  try {
    return raw !== undefined && issuedByAny(new X509Certificate(raw), authorities, now);
  } catch {
    return false;
  }
}
