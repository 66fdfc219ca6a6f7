import { type JoinToken, verifyJoinToken } from '../../pki/index.ts';
import type { AuthenticatedUser } from '../contract.ts';
import type { TokenAuthenticator } from './bearer-token.ts';

/** Machines that join with the cluster's own token, which does not end, are what those with a bootstrap token are. */
export class JoinTokens implements TokenAuthenticator {
  readonly #expected: JoinToken;

  constructor(expected: JoinToken) {
    this.#expected = expected;
  }

  authenticateToken(token: string): AuthenticatedUser | undefined {
    if (!verifyJoinToken(token, this.#expected)) return undefined;
    return { user: { username: 'system:bootstrap:kube-lite', groups: ['system:bootstrappers'] } };
  }
}
