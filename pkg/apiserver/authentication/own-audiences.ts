import type { TokenAuthenticator } from './bearer-token.ts';

/** Tokens that say nothing of audiences are for the API server's own: no user for who asks about others. */
export function forOwnAudiences(authenticator: TokenAuthenticator, own: readonly string[]): TokenAuthenticator {
  return {
    async authenticateToken(token, wanted) {
      const audiences = wanted.length === 0 ? own : wanted.filter((audience) => own.includes(audience));
      if (audiences.length === 0) return undefined;
      const known = await authenticator.authenticateToken(token, audiences);
      return known && { ...known, audiences };
    },
  };
}
