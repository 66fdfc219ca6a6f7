/**
 * Calls of the API server to webhooks: connections that are kept and bounded, and errors in the words of Go's client. What is
 * asked and what an answer means belongs to admission, conversion, authentication and authorization. Corresponds to upstream's
 * k8s.io/apiserver/pkg/util/webhook.
 */

export { KubeconfigWebhook, type KubeconfigWebhookDeps } from './kubeconfig-webhook.ts';
export { decodeReview, type Review } from './review.ts';
export { WebhookCallError, WebhookClient, type WebhookClientDeps, type WebhookTarget } from './webhook-client.ts';
