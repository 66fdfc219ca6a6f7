import { badRequest } from '../../api/errors.ts';
import type { TokenReview } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { firstKnown, withAuthenticatedGroup } from './authenticator.ts';
import type { TokenAuthenticator } from './bearer-token.ts';

/**
 * Answers a POST to tokenreviews. Throws BadRequest without a token; a token that is wrong is an answer, not an error.
 * @param serverAudiences what the token must be for when the review names no audiences.
 */
export async function tokenReview(
  body: DeepReadonly<TokenReview>,
  authenticators: readonly TokenAuthenticator[],
  serverAudiences: readonly string[],
): Promise<TokenReview> {
  if (!body.spec?.token) throw badRequest('token is required for TokenReview in authentication');
  const audiences = body.spec.audiences?.length ? body.spec.audiences : serverAudiences;
  const failures: unknown[] = [];
  const known = await firstKnown(authenticators, body.spec.token, audiences, failures);
  const answer = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    metadata: { ...(body.metadata ?? {}) } as TokenReview['metadata'],
    spec: body.spec.audiences?.length
      ? { token: body.spec.token, audiences: [...audiences] }
      : { token: body.spec.token },
  };
  if (known === undefined) {
    const [failure] = failures;
    const error = failure instanceof Error ? `[invalid bearer token, ${failure.message}]` : 'invalid bearer token';
    return { ...answer, status: { user: {}, error } };
  }
  const { user } = withAuthenticatedGroup(known);
  return {
    ...answer,
    status: {
      authenticated: true,
      user: {
        username: user.username,
        ...(user.uid === undefined ? {} : { uid: user.uid }),
        groups: [...user.groups],
        ...(user.extra === undefined
          ? {}
          : { extra: Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]])) }),
      },
      audiences: [...(known.audiences ?? audiences)],
    },
  };
}
