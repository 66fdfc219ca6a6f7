import { X509Certificate } from 'node:crypto';
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { HTTPTransportOptions } from '../../client/index.ts';
import { issuedByAny } from '../../pki/issued-by.ts';

/** How another server proves who it is, and what it is shown. */
export interface ServerTrust {
  /** PEM; absent: those that the system trusts. */
  readonly authorities?: string;
  /** The name that the server's certificate must have; absent: that of the URL. */
  readonly serverName?: string;
  /** The client's certificate and key, PEM. */
  readonly certificate?: string;
  readonly key?: string;
  /** The server may be anybody. */
  readonly insecureSkipTLSVerify?: boolean;
}

/** What a kubeconfig says of its server. */
export function trustOf(target: HTTPTransportOptions): ServerTrust {
  const { ca, serverName, certificate, key, insecureSkipTLSVerify } = target;
  return {
    ...(ca === undefined ? {} : { authorities: ca }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(insecureSkipTLSVerify === undefined ? {} : { insecureSkipTLSVerify }),
  };
}

/** For TLS that is judged by `refusalOf` afterwards. */
export function connectionOptions(trust: ServerTrust): ConnectionOptions {
  const { authorities, serverName, certificate, key } = trust;
  return {
    rejectUnauthorized: false,
    ...(authorities === undefined ? {} : { ca: authorities }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
  };
}

const SELF_SIGNED = 'DEPTH_ZERO_SELF_SIGNED_CERT';

/**
 * Why a server is not who it should be; undefined: it is. By the rules of Go's client where OpenSSL has others: see
 * `issuedByAny`. `name`: of the URL; `nowMs`: since 1970.
 */
export function refusalOf(socket: TLSSocket, name: string, trust: ServerTrust, nowMs: number): Error | undefined {
  if (socket.authorized || trust.insecureSkipTLSVerify === true) return undefined;
  const { authorities, serverName = name } = trust;
  const code = String(socket.authorizationError);
  const peer = socket.getPeerCertificate();
  if (code === SELF_SIGNED && authorities !== undefined && isIssued(peer, authorities, nowMs))
    return checkServerIdentity(serverName, peer);
  return Object.assign(new Error(`the server's certificate is not accepted: ${code}`), { code });
}

/** Malformed certificates are issued by nobody. */
function isIssued({ raw }: Partial<PeerCertificate>, authorities: string, nowMs: number): boolean {
  try {
    return raw !== undefined && issuedByAny(new X509Certificate(raw), authorities, nowMs);
  } catch {
    return false;
  }
}
