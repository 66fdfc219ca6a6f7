/**
 * Authorization by webhooks, and the configuration file that puts them in a chain with the other authorizers. Loaded when there is
 * either, since conditions need the expression language. Corresponds to upstream's plugin/pkg/authorizer/webhook.
 */
export {
  AUTHORIZATION_KIND,
  AUTHORIZATION_VERSIONS,
  type AuthorizerSettings,
  readAuthorizationConfig,
} from './authorization-config.ts';
export { WebhookAuthorizer } from './webhook-authorizer.ts';
