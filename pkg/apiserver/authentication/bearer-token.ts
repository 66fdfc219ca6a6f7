import type { AuthenticatedUser, Credentials } from '../contract.ts';

/** Checks bearer tokens of one kind. */
export interface TokenAuthenticator {
  /**
   * undefined: not a token of this kind. Throws an Error saying what is wrong with one that is.
   * @param audiences the audiences the token must be for (one of them); empty: the API server's own.
   */
  authenticateToken(
    token: string,
    audiences: readonly string[],
  ): AuthenticatedUser | undefined | Promise<AuthenticatedUser | undefined>;
}

const WEBSOCKET_PREFIX = 'base64url.bearer.authorization.k8s.io.';

/** Whether a bearer token does not count because more than one space stands before it. */
export function hasSpaceBeforeToken({ headers }: Credentials): boolean {
  return /^bearer {2,}\S/i.test(headers.authorization?.trim() ?? '');
}

/** The token of a request: of the Authorization header, or of a WebSocket subprotocol (browsers cannot set headers). */
export function bearerToken(credentials: Credentials): string | undefined {
  const authorization = credentials.headers.authorization;
  if (authorization !== undefined) {
    const [scheme, token] = authorization.trim().split(' ', 3);
    if (scheme?.toLowerCase() === 'bearer' && token) return token;
    return undefined;
  }
  const protocols = credentials.headers['sec-websocket-protocol'];
  if (protocols === undefined) return undefined;
  for (const protocol of protocols.split(',')) {
    const name = protocol.trim();
    if (!name.startsWith(WEBSOCKET_PREFIX)) continue;
    const token = Buffer.from(name.slice(WEBSOCKET_PREFIX.length), 'base64url').toString('utf8');
    if (token !== '') return token;
  }
  return undefined;
}
