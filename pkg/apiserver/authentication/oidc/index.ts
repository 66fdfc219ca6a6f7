/**
 * Tokens of OpenID Connect issuers: what is configured about an issuer, its keys, and how claims become a user. It knows nothing
 * of the cluster's own tokens. Loaded when issuers are configured. Corresponds to upstream's plugin/pkg/authenticator/token/oidc.
 */
export {
  type AnonymousSettings,
  AUTHENTICATION_KIND,
  AUTHENTICATION_VERSIONS,
  type AuthenticationSettings,
  readAuthenticationConfig,
} from './authentication-config.ts';
export { ConfiguredTokens } from './configured-tokens.ts';
export { type IssuerSettings, SIGNING_ALGORITHMS } from './settings.ts';
