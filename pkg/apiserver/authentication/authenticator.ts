import { unauthorized } from '../../api/errors.ts';
import { AUTHENTICATED_GROUP, UNAUTHENTICATED_GROUP } from '../../api/user.ts';
import type { Logger } from '../../base/logger.ts';
import type { AuthenticatedUser, Authenticator, Credentials } from '../contract.ts';
import { bearerToken, hasSpaceBeforeToken, type TokenAuthenticator } from './bearer-token.ts';
import type { ClientCertificates } from './client-certificate.ts';
import type { RequestHeaders } from './request-header.ts';

export interface AuthenticationDeps {
  readonly requestHeaders?: RequestHeaders;
  readonly certificates?: ClientCertificates;
  /** Tried in order. */
  readonly tokens: readonly TokenAuthenticator[];
  /** Users of requests without credentials; absent: such requests are Unauthorized. */
  readonly anonymous?: Authenticator;
  readonly logger: Logger;
}

/**
 * The whole chain: the headers of a proxy, client certificate, then bearer token, then anonymous. A request whose credentials are all wrong is
 * Unauthorized, never anonymous. Everyone known gets the group system:authenticated.
 */
export function newAuthenticator(deps: AuthenticationDeps): Authenticator {
  return {
    async authenticate(credentials) {
      const failures: unknown[] = [];
      const known =
        fromProxy(deps, credentials, failures) ??
        fromCertificate(deps, credentials, failures) ??
        (await fromToken(deps.tokens, credentials, failures));
      if (known !== undefined) return withAuthenticatedGroup(known);
      if (failures.length > 0) {
        deps.logger.debug({ err: failures[0], remoteAddress: credentials.remoteAddress }, 'request not authenticated');
        throw unauthorized();
      }
      const anonymous = await deps.anonymous?.authenticate(credentials);
      if (anonymous === undefined || anonymous.remarks !== undefined || !hasSpaceBeforeToken(credentials))
        return anonymous;
      return { ...anonymous, remarks: { warnings: [SPACE_WARNING], annotations: [] } };
    },
  };
}

const SPACE_WARNING = 'the provided Authorization header contains extra space before the bearer token, and is ignored';

function fromProxy(
  { requestHeaders }: AuthenticationDeps,
  credentials: Credentials,
  failures: unknown[],
): AuthenticatedUser | undefined {
  try {
    return requestHeaders?.authenticate(credentials);
  } catch (error) {
    failures.push(error);
    return undefined;
  }
}

function fromCertificate(
  { certificates }: AuthenticationDeps,
  credentials: Credentials,
  failures: unknown[],
): AuthenticatedUser | undefined {
  if (certificates === undefined || credentials.peerCertificate === undefined) return undefined;
  try {
    return certificates.verify(credentials.peerCertificate);
  } catch (error) {
    failures.push(error);
    return undefined;
  }
}

async function fromToken(
  authenticators: readonly TokenAuthenticator[],
  credentials: Credentials,
  failures: unknown[],
): Promise<AuthenticatedUser | undefined> {
  const token = bearerToken(credentials);
  if (token === undefined) return undefined;
  const user = await firstKnown(authenticators, token, [], failures);
  if (user === undefined) failures.push(new Error('no authenticator knows the bearer token'));
  return user;
}

/** The user of a token by the first authenticator that knows it; what the others found wrong goes into `failures`. */
export async function firstKnown(
  authenticators: readonly TokenAuthenticator[],
  token: string,
  audiences: readonly string[],
  failures: unknown[],
): Promise<AuthenticatedUser | undefined> {
  for (const authenticator of authenticators) {
    try {
      const user = await authenticator.authenticateToken(token, audiences);
      if (user !== undefined) return user;
    } catch (error) {
      failures.push(error);
    }
  }
  return undefined;
}

export function withAuthenticatedGroup(known: AuthenticatedUser): AuthenticatedUser {
  const { groups } = known.user;
  if (groups.includes(AUTHENTICATED_GROUP) || groups.includes(UNAUTHENTICATED_GROUP)) return known;
  return { ...known, user: { ...known.user, groups: [...groups, AUTHENTICATED_GROUP] } };
}
