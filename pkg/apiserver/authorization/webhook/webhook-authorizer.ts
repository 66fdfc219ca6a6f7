import type { Expression } from '../../../api/admission/index.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import type { AuthorizationAttributes, AuthorizationResult, Authorizer } from '../../contract.ts';
import { AnswerCache } from '../../webhooks/answer-cache.ts';
import { matches } from './webhook-conditions.ts';

export interface WebhookAuthorizerOptions {
  readonly name: string;
  /** `v1`, `v1beta1` of authorization.k8s.io. */
  readonly version: string;
  readonly timeoutMs: number;
  /** How long a yes and a no hold; 0: they are not kept. */
  readonly authorizedTTLMs: number;
  readonly unauthorizedTTLMs: number;
  /** What counts when the webhook gives no answer that can be used. */
  readonly failurePolicy: 'NoOpinion' | 'Deny';
  /** All must hold, or the webhook is not asked. */
  readonly conditions: readonly Expression[];
}

export interface WebhookAuthorizerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Posts a SubjectAccessReview; rejects when there is no answer. */
  post(review: unknown, timeoutMs: number): Promise<Readonly<Record<string, unknown>>>;
}

/** Longer questions are not worth keeping. */
const MAX_KEY_LENGTH = 10_000;

/** Asks a webhook what a user may do. */
export class WebhookAuthorizer implements Authorizer {
  readonly #options: WebhookAuthorizerOptions;
  readonly #deps: WebhookAuthorizerDeps;
  readonly #answers: AnswerCache<AuthorizationResult>;

  constructor(options: WebhookAuthorizerOptions, deps: WebhookAuthorizerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#answers = new AnswerCache({
      clock: deps.clock,
      ttlMs: ({ decision }) => (decision === 'allow' ? options.authorizedTTLMs : options.unauthorizedTTLMs),
    });
  }

  authorize(attributes: AuthorizationAttributes): AuthorizationResult | Promise<AuthorizationResult> {
    const spec = specOf(attributes);
    const { conditions } = this.#options;
    const matched = conditions.length === 0 ? true : matches(conditions, spec);
    if (matched === false) return { decision: 'no-opinion', reason: '' };
    if (matched !== true) return this.#failed(matched.error);
    const key = JSON.stringify(spec);
    const ask = (): Promise<AuthorizationResult> => this.#ask(spec);
    const answer = key.length > MAX_KEY_LENGTH ? ask() : this.#answers.get(key, ask);
    if (!(answer instanceof Promise)) return answer;
    return answer.catch((error: unknown) => this.#failed(error instanceof Error ? error.message : String(error)));
  }

  #failed(problem: string): AuthorizationResult {
    const { name, failurePolicy } = this.#options;
    this.#deps.logger.warn({ webhook: name, problem }, 'authorization webhook failed');
    return failurePolicy === 'Deny' ? { decision: 'deny', reason: '' } : { decision: 'no-opinion', reason: problem };
  }

  async #ask(spec: ReviewSpec): Promise<AuthorizationResult> {
    const review = {
      apiVersion: `authorization.k8s.io/${this.#options.version}`,
      kind: 'SubjectAccessReview',
      metadata: { creationTimestamp: null },
      spec,
      status: { allowed: false },
    };
    const { status } = await this.#deps.post(review, this.#options.timeoutMs);
    if (typeof status !== 'object' || status === null) throw new Error('the webhook answered without a status');
    const { allowed, denied, reason } = status as { allowed?: unknown; denied?: unknown; reason?: unknown };
    if (allowed === true && denied === true) throw new Error('the webhook both allowed and denied');
    const decision = denied === true ? 'deny' : allowed === true ? 'allow' : 'no-opinion';
    return { decision, reason: typeof reason === 'string' ? reason : '' };
  }
}

type ReviewSpec = Readonly<Record<string, unknown>>;

/** The spec of a SubjectAccessReview, without empty fields. */
function specOf(attributes: AuthorizationAttributes): ReviewSpec {
  const { user, verb, path, namespace, group, version, resource, subresource, name } = attributes;
  const asked = attributes.isResourceRequest
    ? {
        resourceAttributes: {
          ...withoutEmpty({ namespace, verb, group, version, resource, subresource, name }),
          ...selectorsOf(attributes),
        },
      }
    : { nonResourceAttributes: withoutEmpty({ path, verb }) };
  return {
    ...asked,
    ...withoutEmpty({ user: user.username, uid: user.uid ?? '' }),
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(user.extra === undefined || Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
  };
}

const LABEL_OPERATORS: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

/** What a list, watch or deletecollection is limited to, as far as a review has words for it. */
function selectorsOf({ fieldSelector = [], labelSelector = [] }: AuthorizationAttributes): Record<string, object> {
  const fields = fieldSelector.map(({ field, equal, value }) => ({
    key: field,
    operator: equal ? 'In' : 'NotIn',
    values: [value],
  }));
  const labels = labelSelector
    .filter(({ operator }) => LABEL_OPERATORS.has(operator))
    .map(({ key, operator, values }) => ({ key, operator, ...(values?.length ? { values: values.toSorted() } : {}) }));
  return {
    ...(fields.length === 0 ? {} : { fieldSelector: { requirements: fields } }),
    ...(labels.length === 0 ? {} : { labelSelector: { requirements: labels } }),
  };
}

function withoutEmpty(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}
