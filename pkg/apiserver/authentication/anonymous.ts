import { ANONYMOUS_USER, UNAUTHENTICATED_GROUP } from '../../api/user.ts';
import type { AuthenticatedUser, Authenticator } from '../contract.ts';

const anonymous: AuthenticatedUser = { user: { username: ANONYMOUS_USER, groups: [UNAUTHENTICATED_GROUP] } };

/** The user of a request without credentials. */
export class AnonymousAuthenticator implements Authenticator {
  async authenticate(): Promise<AuthenticatedUser> {
    return anonymous;
  }
}
