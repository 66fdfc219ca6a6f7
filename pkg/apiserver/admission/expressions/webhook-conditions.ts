import type { AdmissionExpressions, Expression } from '../../../api/admission/index.ts';
import { MATCH_CONDITIONS_BUDGET } from '../../../api/cel/limits.ts';
import { forbidden } from '../../../api/errors.ts';
import { Counter, type Metrics } from '../../../base/metrics.ts';
import type { AdmissionAttributes, Authorizer } from '../../contract.ts';
import type { RequestForm } from '../webhook/admission-review.ts';
import type { Hook, Webhook } from '../webhook/hooks.ts';
import type { HookConditions } from '../webhook/webhook-plugin.ts';

export interface WebhookConditionsDeps {
  readonly authorizer: Authorizer;
  readonly metrics: Metrics;
  loadExpressions(): Promise<AdmissionExpressions>;
}

/** Evaluates `matchConditions` of webhooks; what they need is loaded with the first ones. */
export class WebhookConditions implements HookConditions {
  readonly #deps: WebhookConditionsDeps;
  readonly #compiled = new WeakMap<Webhook, Promise<readonly Expression[]>>();
  readonly #errors: Counter;
  readonly #exclusions: Counter;

  constructor(deps: WebhookConditionsDeps) {
    this.#deps = deps;
    const options = { labelNames: ['name', 'kind', 'operation'], registers: [deps.metrics] };
    this.#errors = new Counter({
      name: 'apiserver_admission_match_condition_evaluation_errors_total',
      help: 'Match conditions of webhooks that could not be evaluated.',
      ...options,
    });
    this.#exclusions = new Counter({
      name: 'apiserver_admission_match_condition_exclusions_total',
      help: 'Requests that webhooks were not asked about because of their match conditions.',
      ...options,
    });
  }

  async check({ webhook }: Hook, attributes: AdmissionAttributes, form: RequestForm): Promise<boolean> {
    const { Evaluator, evaluateConditions } = await import('../../../api/admission/index.ts');
    const { AuthorizerHost } = await import('./authorizer-host.ts');
    const { requestValues } = await import('./request-values.ts');
    const conditions = await this.#conditions(webhook);
    const authorizer = new AuthorizerHost(this.#deps.authorizer, attributes.user);
    const values = requestValues(attributes, form, { authorizer });
    const result = await authorizer.settle(() =>
      evaluateConditions(conditions, new Evaluator(values, MATCH_CONDITIONS_BUDGET), webhook.failurePolicy),
    );
    const labels = { name: webhook.name, kind: 'webhook', operation: attributes.operation };
    if ('error' in result) {
      this.#errors.inc(labels);
      throw forbidden(attributes.definition.type, attributes.name ?? '', result.error);
    }
    if (!result.matches) this.#exclusions.inc(labels);
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
