/**
 * The admission plugins that ask webhooks: which ones a request concerns, what they are asked, and what their answers do to it.
 * The connections are pkg/apiserver/webhooks. Corresponds to upstream's k8s.io/apiserver/pkg/admission/plugin/webhook.
 */
export { mutatingWebhooks } from './mutating-webhooks.ts';
export { validatingWebhooks } from './validating-webhooks.ts';
export { webhookInstruments } from './webhook-metrics.ts';
export type { HookConditions, WebhookPluginDeps } from './webhook-plugin.ts';
