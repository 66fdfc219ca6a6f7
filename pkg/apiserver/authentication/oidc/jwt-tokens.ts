import type { JSONWebKeySet } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../base/clock.ts';
import type { AuthenticatedUser } from '../../contract.ts';
import type { TokenAuthenticator } from '../bearer-token.ts';
import { type Claims, decodeJWT } from '../jwt.ts';
import type { KeySet } from './issuer-keys.ts';
import { mapClaims } from './map-claims.ts';
import type { IssuerSettings } from './settings.ts';

export interface JWTTokensDeps {
  readonly clock: Clock;
  /** The issuer's keys; `isStale`: those that are known do not verify a token. */
  keys(isStale: boolean): Promise<KeySet>;
}

interface Verified {
  readonly known: AuthenticatedUser;
  readonly expirySeconds: number;
}

const REMEMBERED = 4096;
const NOT_BEFORE_LEEWAY_SECONDS = 300;

/** Users by the ID tokens of one issuer (OpenID Connect). */
export class JWTTokens implements TokenAuthenticator {
  readonly #settings: IssuerSettings;
  readonly #deps: JWTTokensDeps;
  readonly #verified = new LRUCache<string, Verified>({ max: REMEMBERED });

  constructor(settings: IssuerSettings, deps: JWTTokensDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  async authenticateToken(token: string): Promise<AuthenticatedUser | undefined> {
    const nowSeconds = this.#deps.clock.now() / 1000;
    const before = this.#verified.get(token);
    if (before !== undefined && nowSeconds < before.expirySeconds) return before.known;
    if (decodeJWT(token)?.['iss'] !== this.#settings.url) return undefined;
    const claims = await this.#verify(token);
    const expirySeconds = this.#check(claims, nowSeconds);
    const known = { user: mapClaims(claims, this.#settings) };
    this.#verified.set(token, { known, expirySeconds });
    return known;
  }

  /** The claims of a token with a good signature; throws an Error otherwise. */
  async #verify(token: string): Promise<Claims> {
    try {
      return await this.#verifyWith(token, await this.#deps.keys(false));
    } catch (error) {
      if (!isUnknownKey(error)) throw error;
    }
    return this.#verifyWith(token, await this.#deps.keys(true));
  }

  async #verifyWith(token: string, keys: KeySet): Promise<Claims> {
    const { compactVerify, createLocalJWKSet, errors } = await import('jose');
    const options = { algorithms: [...this.#settings.algorithms] };
    const read = (payload: Uint8Array): Claims => JSON.parse(Buffer.from(payload).toString('utf8')) as Claims;
    try {
      const { payload } = await compactVerify(token, createLocalJWKSet(keys as unknown as JSONWebKeySet), options);
      return read(payload);
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      for await (const key of error) {
        const verified = await compactVerify(token, key, options).catch(() => undefined);
        if (verified !== undefined) return read(verified.payload);
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  }

  /** The time until which the token is good. */
  #check(claims: Claims, nowSeconds: number): number {
    const { exp, nbf, aud } = claims as { exp?: unknown; nbf?: unknown; aud?: unknown };
    if (typeof exp !== 'number') throw new Error('the token has no expiry');
    if (nowSeconds >= exp) throw new Error(`the token has expired`);
    if (typeof nbf === 'number' && nowSeconds + NOT_BEFORE_LEEWAY_SECONDS < nbf)
      throw new Error('the token is not yet valid');
    const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
    if (!this.#settings.audiences.some((audience) => audiences.includes(audience)))
      throw new Error(
        `expected audience in ${JSON.stringify(this.#settings.audiences)} got ${JSON.stringify(audiences)}`,
      );
    return exp;
  }
}

/** The issuer may have new keys. */
function isUnknownKey(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return code === 'ERR_JWKS_NO_MATCHING_KEY' || code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED';
}
