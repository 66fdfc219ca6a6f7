import { ANONYMOUS_USER, UNAUTHENTICATED_GROUP } from '../../api/user.ts';
import type { AuthenticatedUser, Authenticator, Credentials } from '../contract.ts';

export interface AnonymousOptions {
  readonly enabled: boolean;
  /** The only paths that anonymous requests may be for; empty: all. */
  readonly paths: readonly string[];
}

const anonymous: AuthenticatedUser = { user: { username: ANONYMOUS_USER, groups: [UNAUTHENTICATED_GROUP] } };

/** The user of a request without credentials. */
export class AnonymousAuthenticator implements Authenticator {
  #options: AnonymousOptions = { enabled: true, paths: [] };

  configure(options: AnonymousOptions): void {
    this.#options = options;
  }

  async authenticate({ path }: Credentials): Promise<AuthenticatedUser | undefined> {
    const { enabled, paths } = this.#options;
    return enabled && (paths.length === 0 || paths.includes(path)) ? anonymous : undefined;
  }
}
