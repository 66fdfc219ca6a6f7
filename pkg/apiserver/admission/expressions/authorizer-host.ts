import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuthorizationCheck, AuthorizationDecision, AuthorizationHost } from '../../../api/cel/index.ts';
import type { UserInfo } from '../../../api/user.ts';
import { serviceAccountGroups, serviceAccountUsername } from '../../authentication/service-account-user.ts';
import type { AuthorizationAttributes, AuthorizationResult, Authorizer } from '../../contract.ts';
import { readSelectors } from '../../request/request-info.ts';

/** An expression has asked for a decision that has to be waited for. */
class Pending {
  readonly decided: Promise<void>;

  constructor(decided: Promise<void>) {
    this.decided = decided;
  }
}

/** Answers the `authorizer` of expressions; each question is asked once in a request. */
export class AuthorizerHost implements AuthorizationHost {
  readonly #authorizer: Authorizer;
  readonly #user: UserInfo;
  readonly #decisions = new Map<string, AuthorizationDecision>();

  constructor(authorizer: Authorizer, user: UserInfo) {
    this.#authorizer = authorizer;
    this.#user = user;
  }

  check(check: AuthorizationCheck): AuthorizationDecision {
    const key = JSON.stringify(check);
    const known = this.#decisions.get(key);
    if (known !== undefined) return known;
    const result = this.#authorizer.authorize(attributesOf(check, this.#user));
    if (!(result instanceof Promise)) return this.#remember(key, decisionOf(result));
    const decided = result.then(
      (later) => void this.#remember(key, decisionOf(later)),
      (error: unknown) => {
        const text = error instanceof Error ? error.message : String(error);
        this.#remember(key, { allowed: false, reason: '', error: text });
      },
    );
    throw new Pending(decided);
  }

  /** Runs what evaluates expressions, again after each decision that it had to wait for. */
  async settle<T>(evaluate: () => T): Promise<T> {
    for (;;) {
      try {
        return evaluate();
      } catch (pending) {
        if (!(pending instanceof Pending)) throw pending;
        await pending.decided;
      }
    }
  }

  /** The same for work that gives others their turn where it yields. */
  async settleInTurns<T>(evaluate: () => Generator<undefined, T>): Promise<T> {
    for (;;) {
      const work = evaluate();
      try {
        let step = work.next();
        while (step.done !== true) {
          await nextTurn();
          step = work.next();
        }
        return step.value;
      } catch (pending) {
        if (!(pending instanceof Pending)) throw pending;
        await pending.decided;
      }
    }
  }

  #remember(key: string, decision: AuthorizationDecision): AuthorizationDecision {
    this.#decisions.set(key, decision);
    return decision;
  }
}

function decisionOf({ decision, reason }: AuthorizationResult): AuthorizationDecision {
  return { allowed: decision === 'allow', reason };
}

function attributesOf(check: AuthorizationCheck, requester: UserInfo): AuthorizationAttributes {
  const {
    serviceAccount,
    verb,
    path = '',
    group = '',
    resource = '',
    subresource = '',
    namespace = '',
    name = '',
    fieldSelector = '',
    labelSelector = '',
  } = check;
  const isResourceRequest = check.path === undefined;
  return {
    user: serviceAccount === undefined ? requester : userOf(serviceAccount),
    isResourceRequest,
    path,
    verb,
    group,
    version: isResourceRequest ? '*' : '',
    resource,
    subresource,
    namespace,
    name,
    subpath: '',
    ...readSelectors(fieldSelector, labelSelector),
  };
}

function userOf({ namespace, name }: { readonly namespace: string; readonly name: string }): UserInfo {
  return { username: serviceAccountUsername(namespace, name), groups: serviceAccountGroups(namespace) };
}
