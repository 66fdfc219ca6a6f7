import type { StatusError } from '../../../api/errors.ts';
import { resources } from '../../../api/generated/resources.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../../contract.ts';
import { type HookMatch, Hooks } from './hooks.ts';
import { denied } from './refusals.ts';
import { RequestForms } from './request-forms.ts';
import { callWebhook, checkTime } from './webhook-caller.ts';
import { WebhookMetrics } from './webhook-metrics.ts';
import { failureOf, isConcerned, type WebhookPluginDeps } from './webhook-plugin.ts';

/** Calls the webhooks of ValidatingWebhookConfigurations, all that a request concerns at once. */
export function validatingWebhooks(deps: WebhookPluginDeps): AdmissionPlugin {
  const hooks = Hooks.watch(deps.reader, resources.validatingwebhookconfigurations, () => deps.versions);
  const metrics = new WebhookMetrics('validating', deps.instruments);
  return {
    name: 'ValidatingAdmissionWebhook',
    handles: (operation, definition, subresource) => hooks.matching(operation, definition, subresource).length > 0,
    async validate(attributes) {
      const { operation, definition, subresource } = attributes;
      const forms = new RequestForms(attributes, deps.versions);
      const concerned: HookMatch[] = [];
      for (const match of hooks.matching(operation, definition, subresource)) {
        if (await isConcerned('validating', match, attributes, forms, deps)) concerned.push(match);
      }
      if (concerned.length === 0) return;
      checkTime(attributes);
      const refusals: StatusError[] = [];
      const ask = async (match: HookMatch, index: number): Promise<void> => {
        const refusal = await judge(match, index, attributes, forms, { ...deps, metrics });
        if (refusal !== undefined) refusals.push(refusal);
      };
      const started = deps.clock.monotonic();
      await Promise.all(concerned.map(ask));
      attributes.waitedForWebhooks(deps.clock.monotonic() - started);
      if (refusals[0] !== undefined) throw refusals[0];
    },
  };
}

/** The refusal of one webhook, or that it could not be asked; undefined: it allows the request. */
async function judge(
  { hook, definition }: HookMatch,
  index: number,
  attributes: AdmissionAttributes,
  forms: RequestForms,
  deps: WebhookPluginDeps & { readonly metrics: WebhookMetrics },
): Promise<StatusError | undefined> {
  const { clock, client, metrics, logger } = deps;
  const { operation } = attributes;
  const { name } = hook.webhook;
  const started = clock.monotonic();
  let refusal: StatusError | undefined;
  let code = 200;
  try {
    const response = await callWebhook(client, hook, attributes, await forms.in(definition), false);
    if (!response.allowed) {
      refusal = denied(name, response.status);
      code = refusal.code;
      metrics.rejected(name, operation, 'no_error', code);
    }
  } catch (error) {
    const openAnnotation = `failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`;
    ({ refusal, code } = failureOf(error, { hook, attributes, metrics, logger, openAnnotation }));
  }
  const seconds = (clock.monotonic() - started) / 1000;
  metrics.observe({ name, operation, seconds, code, rejected: refusal !== undefined });
  return refusal;
}
