import type { AdmissionExpressions, Expression } from '../../../api/admission/index.ts';
import { MATCH_CONDITIONS_BUDGET } from '../../../api/cel/limits.ts';
import { forbidden } from '../../../api/errors.ts';
import type { Clock } from '../../../base/clock.ts';
import type { AdmissionAttributes, Authorizer } from '../../contract.ts';
import type { RequestForm } from '../webhook/admission-review.ts';
import type { Hook, Webhook } from '../webhook/hooks.ts';
import type { WebhookType } from '../webhook/webhook-metrics.ts';
import type { HookConditions } from '../webhook/webhook-plugin.ts';
import type { MatchConditionMetrics } from './match-condition-metrics.ts';

export interface WebhookConditionsDeps {
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly metrics: MatchConditionMetrics;
  loadExpressions(): Promise<AdmissionExpressions>;
}

/** Evaluates `matchConditions` of webhooks; what they need is loaded with the first ones. */
export class WebhookConditions implements HookConditions {
  readonly #deps: WebhookConditionsDeps;
  readonly #compiled = new WeakMap<Webhook, Promise<readonly Expression[]>>();

  constructor(deps: WebhookConditionsDeps) {
    this.#deps = deps;
  }

  async check(
    type: WebhookType,
    { webhook }: Hook,
    attributes: AdmissionAttributes,
    form: RequestForm,
  ): Promise<boolean> {
    const { Evaluator, evaluateConditions } = await import('../../../api/admission/index.ts');
    const { AuthorizerHost } = await import('./authorizer-host.ts');
    const { requestValues } = await import('./request-values.ts');
    const conditions = await this.#conditions(webhook);
    const authorizer = new AuthorizerHost(this.#deps.authorizer, attributes.user);
    const values = requestValues(attributes, form, { authorizer });
    const { clock, metrics } = this.#deps;
    const started = clock.monotonic();
    const result = await authorizer.settle(() =>
      evaluateConditions(conditions, new Evaluator(values, MATCH_CONDITIONS_BUDGET), webhook.failurePolicy),
    );
    const owner = { name: webhook.name, kind: 'webhook', type } as const;
    metrics.observe(owner, attributes.operation, result, (clock.monotonic() - started) / 1000);
    if ('error' in result) throw forbidden(attributes.definition.type, attributes.name ?? '', result.error);
    return result.matches;
  }

  #conditions(webhook: Webhook): Promise<readonly Expression[]> {
    let compiled = this.#compiled.get(webhook);
    if (compiled === undefined) {
      compiled = this.#compile(webhook);
      this.#compiled.set(webhook, compiled);
    }
    return compiled;
  }

  async #compile({ matchConditions }: Webhook): Promise<readonly Expression[]> {
    const { compileConditions } = await import('../../../api/admission/index.ts');
    const expressions = await this.#deps.loadExpressions();
    return compileConditions(expressions.environment({ params: false, authorizer: true }), matchConditions);
  }
}
