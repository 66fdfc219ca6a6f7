import type { Expression } from '../../../api/admission/index.ts';

/** A text from a claim, with what is put before it, or from an expression. */
export type TextMapping = { readonly claim: string; readonly prefix: string } | { readonly expression: Expression };

export type ClaimRule =
  | { readonly claim: string; readonly requiredValue: string }
  | { readonly expression: Expression; readonly message: string };

export interface UserRule {
  readonly expression: Expression;
  readonly message: string;
}

/** One issuer of tokens, and how its tokens name users: a JWTAuthenticator of AuthenticationConfiguration. */
export interface IssuerSettings {
  /** Must be the `iss` of tokens. */
  readonly url: string;
  /** Where the discovery document is, when not below `url`. */
  readonly discoveryURL: string | undefined;
  /** PEM; absent: the system's authorities. */
  readonly certificateAuthority: string | undefined;
  /** A token must be for one of them. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly claimRules: readonly ClaimRule[];
  readonly username: TextMapping;
  readonly groups: TextMapping | undefined;
  readonly uid: { readonly claim: string } | { readonly expression: Expression } | undefined;
  readonly extra: readonly { readonly key: string; readonly expression: Expression }[];
  readonly userRules: readonly UserRule[];
}

/** Every algorithm with a key pair that JWTs know and upstream accepts. */
export const SIGNING_ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
];
