import { createHash } from 'node:crypto';
import type { UserInfo } from '../../api/user.ts';
import type { Clock } from '../../base/clock.ts';
import type { AuthenticatedUser } from '../contract.ts';
import { AnswerCache } from '../webhooks/answer-cache.ts';
import type { TokenAuthenticator } from './bearer-token.ts';

export interface WebhookTokensOptions {
  /** The API server's own audiences. */
  readonly audiences: readonly string[];
  /** How long answers hold, good ones and bad ones. */
  readonly cacheTTLMs: number;
  /** `v1`, `v1beta1` of authentication.k8s.io. */
  readonly version: string;
}

export interface WebhookTokensDeps {
  readonly clock: Clock;
  /** Posts a TokenReview; rejects when there is no answer. */
  post(review: unknown, timeoutMs: number): Promise<Readonly<Record<string, unknown>>>;
}

const TIMEOUT_MS = 30_000;

type Answer = { readonly known: AuthenticatedUser } | { readonly problem: string };

/** Users by what a webhook says of their tokens. */
export class WebhookTokens implements TokenAuthenticator {
  readonly #options: WebhookTokensOptions;
  readonly #deps: WebhookTokensDeps;
  readonly #answers: AnswerCache<Answer>;

  constructor(options: WebhookTokensOptions, deps: WebhookTokensDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#answers = new AnswerCache({ clock: deps.clock, ttlMs: () => options.cacheTTLMs });
  }

  async authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedUser | undefined> {
    const wanted = audiences.length === 0 ? this.#options.audiences : audiences;
    // Tokens are not kept, only what tells them apart.
    const key = createHash('sha256')
      .update(JSON.stringify([token, wanted]))
      .digest('base64');
    const answer = await this.#answers.get(key, () => this.#ask(token, wanted));
    if ('known' in answer) return answer.known;
    if (answer.problem !== '') throw new Error(answer.problem);
    return undefined;
  }

  async #ask(token: string, audiences: readonly string[]): Promise<Answer> {
    const review = {
      apiVersion: `authentication.k8s.io/${this.#options.version}`,
      kind: 'TokenReview',
      metadata: { creationTimestamp: null },
      spec: { token, audiences },
      status: { user: {} },
    };
    const answer = await this.#deps.post(review, TIMEOUT_MS);
    const status = objectOf(answer['status']);
    const problem = typeof status['error'] === 'string' ? status['error'] : '';
    if (status['authenticated'] !== true) return { problem };
    const user = readUser(objectOf(status['user']));
    const granted = texts(status['audiences']);
    // Who does not speak of audiences means the API server's own.
    const meant = granted.length === 0 ? this.#options.audiences : granted;
    const shared = audiences.filter((audience) => meant.includes(audience));
    if (shared.length === 0) return { problem: 'the token is for another audience' };
    return { known: { user, audiences: shared } };
  }
}

function readUser(user: Readonly<Record<string, unknown>>): UserInfo {
  const { username, uid } = user;
  if (typeof username !== 'string') throw new Error('the webhook authenticated nobody');
  const extra: Record<string, readonly string[]> = {};
  for (const [key, values] of Object.entries(objectOf(user['extra']))) extra[key] = texts(values);
  return {
    username,
    groups: texts(user['groups']),
    ...(typeof uid === 'string' && uid !== '' ? { uid } : {}),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
