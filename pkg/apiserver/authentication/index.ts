/**
 * Who makes a request: the headers of a proxy, client certificates, ServiceAccount tokens, bootstrap and static tokens, anonymous; impersonation;
 * and the issuing of ServiceAccount tokens. It does not decide what a user may do (../authorization). Corresponds to
 * upstream's apiserver/pkg/authentication and pkg/serviceaccount.
 */
export { AnonymousAuthenticator, type AnonymousOptions } from './anonymous.ts';
export { type AuthenticationConfig, ensureAuthenticationConfigMap } from './authentication-config-map.ts';
export { type AuthenticationDeps, newAuthenticator } from './authenticator.ts';
export { bearerToken, type TokenAuthenticator } from './bearer-token.ts';
export { BootstrapTokens } from './bootstrap-token.ts';
export { ClientCertificates } from './client-certificate.ts';
export { Impersonator } from './impersonation.ts';
export { JoinTokens } from './join-token.ts';
export { forOwnAudiences } from './own-audiences.ts';
export { RequestHeaders, type TrustedProxies } from './request-header.ts';
export { type ServiceAccountTokenOptions, ServiceAccountTokens } from './service-account-token.ts';
export {
  parseServiceAccountUsername,
  serviceAccountGroups,
  serviceAccountUser,
  serviceAccountUsername,
} from './service-account-user.ts';
export { parseTokenFile, StaticTokens } from './static-token.ts';
export { TokenIssuer, type TokenIssuerOptions } from './token-issuer.ts';
export { tokenReview } from './token-review.ts';
export { TokenTracking } from './token-tracking.ts';
export { TokenUses } from './token-uses.ts';
export { WebhookTokens } from './webhook-tokens.ts';
