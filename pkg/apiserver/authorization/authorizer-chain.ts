import type { AuthorizationAttributes, AuthorizationResult, Authorizer } from '../contract.ts';

/**
 * Asks one authorizer after the other until one allows or denies; stays synchronous while they do. The chain may become another
 * one while requests are under way.
 */
export class AuthorizerChain implements Authorizer {
  #authorizers: readonly Authorizer[];

  constructor(authorizers: readonly Authorizer[]) {
    this.#authorizers = authorizers;
  }

  configure(authorizers: readonly Authorizer[]): void {
    this.#authorizers = authorizers;
  }

  authorize(attributes: AuthorizationAttributes): AuthorizationResult | Promise<AuthorizationResult> {
    return ask(this.#authorizers, 0, attributes, []);
  }
}

function ask(
  authorizers: readonly Authorizer[],
  from: number,
  attributes: AuthorizationAttributes,
  reasons: string[],
): AuthorizationResult | Promise<AuthorizationResult> {
  for (let i = from; i < authorizers.length; i++) {
    const answer = authorizers[i]?.authorize(attributes);
    if (answer === undefined) continue;
    if (answer instanceof Promise) {
      return answer.then((result) =>
        decided(result, reasons) ? result : ask(authorizers, i + 1, attributes, reasons),
      );
    }
    if (decided(answer, reasons)) return answer;
  }
  return { decision: 'no-opinion', reason: reasons.join('\n') };
}

function decided(result: AuthorizationResult, reasons: string[]): boolean {
  if (result.decision !== 'no-opinion') return true;
  if (result.reason !== '') reasons.push(result.reason);
  return false;
}
