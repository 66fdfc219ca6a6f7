import { LRUCache } from 'lru-cache';
import { resources } from '../../api/generated/resources.ts';
import type { ServiceAccount } from '../../api/generated/types.ts';
import { INVALID_SINCE_LABEL } from '../../api/legacy-tokens.ts';
import type { ResourceType, StoredMeta } from '../../api/object.ts';
import { goQuote } from '../../api/validation/go-format.ts';
import type { Clock } from '../../base/clock.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { ServiceAccountKeys } from '../../pki/index.ts';
import type { AuthenticatedUser, ObjectReader } from '../contract.ts';
import type { TokenAuthenticator } from './bearer-token.ts';
import { type Claims, decodeJWT, verifyJWT } from './jwt.ts';
import { serviceAccountGroups, serviceAccountUsername } from './service-account-user.ts';
import {
  type BoundReference,
  type BoundToken,
  LEGACY_ISSUER,
  type LegacyToken,
  readBoundToken,
  readLegacyToken,
} from './token-claims.ts';
import type { TokenUses } from './token-uses.ts';

export interface ServiceAccountTokenOptions {
  /** The issuers whose tokens are accepted; new ones carry the first. */
  readonly issuers: readonly string[];
  /** The API server's own audiences. */
  readonly audiences: readonly string[];
}

export interface ServiceAccountTokenDeps {
  readonly keys: ServiceAccountKeys;
  readonly reader: ObjectReader;
  readonly clock: Clock;
  readonly uses: TokenUses;
}

/** Clocks of other machines may differ by this much. */
const LEEWAY_SECONDS = 60;
/** A deleted object's tokens still work this long, for what its containers do while they stop. */
const DELETION_LEEWAY_MS = 60_000;

type Verified = { readonly bound: BoundToken } | { readonly legacy: LegacyToken };

/**
 * ServiceAccount tokens: those from serviceaccounts/token and those kept in Secrets. The signature of a token is checked
 * once; its time and the objects it is bound to are checked for every request.
 */
export class ServiceAccountTokens implements TokenAuthenticator {
  readonly #options: ServiceAccountTokenOptions;
  readonly #deps: ServiceAccountTokenDeps;
  readonly #verified = new LRUCache<string, Verified>({ max: 4096 });

  constructor(options: ServiceAccountTokenOptions, deps: ServiceAccountTokenDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  authenticateToken(
    token: string,
    audiences: readonly string[],
  ): AuthenticatedUser | undefined | Promise<AuthenticatedUser> {
    let verified = this.#verified.get(token);
    if (verified === undefined) {
      const claims = decodeJWT(token);
      if (claims === undefined || !this.#isOurs(claims)) return undefined;
      if (!verifyJWT(this.#deps.keys, token)) throw new Error('go-jose/go-jose: error in cryptographic primitive');
      verified = parse(claims);
      this.#verified.set(token, verified);
    }
    return 'bound' in verified
      ? this.#checkBound(verified.bound, audiences.length === 0 ? this.#options.audiences : audiences)
      : this.#checkLegacy(verified.legacy, token, audiences);
  }

  #isOurs(claims: Claims): boolean {
    const issuer = claims['iss'];
    return typeof issuer === 'string' && (issuer === LEGACY_ISSUER || this.#options.issuers.includes(issuer));
  }

  #checkBound(token: BoundToken, wanted: readonly string[]): AuthenticatedUser {
    const audiences = wanted.filter((audience) => token.audiences.includes(audience));
    if (audiences.length === 0) throw otherAudience(token.audiences, wanted);
    const nowSeconds = this.#deps.clock.now() / 1000;
    if (nowSeconds > token.expiry + LEEWAY_SECONDS) throw new Error('service account token has expired');
    if (nowSeconds < token.notBefore - LEEWAY_SECONDS) throw new Error('service account token is not valid yet');
    const { namespace, serviceaccount, pod, secret, node } = token.bound;
    this.#account(namespace, serviceaccount, 'service account', DELETION_LEEWAY_MS);
    if (pod !== undefined) this.#mustLive(resources.pods, namespace, pod);
    if (secret !== undefined) this.#mustLive(resources.secrets, namespace, secret);
    // A token bound to a pod only names the pod's node; without a pod the node is what it is bound to.
    if (node !== undefined && pod === undefined) this.#mustLive(resources.nodes, '', node);
    const username = serviceAccountUsername(namespace, serviceaccount.name);
    const remarks = this.#deps.uses.bound(token, username);
    return {
      user: {
        username,
        uid: serviceaccount.uid,
        groups: serviceAccountGroups(namespace),
        extra: extraOf(token.id, pod, node),
      },
      audiences,
      ...(remarks === undefined ? {} : { remarks }),
    };
  }

  #checkLegacy(
    token: LegacyToken,
    text: string,
    wanted: readonly string[],
  ): AuthenticatedUser | Promise<AuthenticatedUser> {
    const own = this.#options.audiences;
    const audiences = wanted.filter((audience) => own.includes(audience));
    if (wanted.length > 0 && audiences.length === 0) throw otherAudience(own, wanted);
    const { namespace, secretName, serviceAccount } = token;
    const { uses, reader } = this.#deps;
    const secret = reader.get(resources.secrets, { namespace, name: secretName });
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined)
      throw new Error('Token has been invalidated');
    if (Buffer.from(secret.data?.['token'] ?? '', 'base64').toString('utf8') !== text)
      throw new Error("Token does not match server's copy");
    const account = this.#account(namespace, serviceAccount, 'ServiceAccount', 0);
    const labelled = uses.label(secret);
    if (secret.metadata.labels?.[INVALID_SINCE_LABEL]) {
      uses.invalid();
      const error = new Error(
        `the token in secret ${namespace}/${secretName} for service account ${namespace}/${serviceAccount.name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE_LABEL}' label from the secret to temporarily allow use of this token`,
      );
      if (labelled === undefined) throw error;
      return labelled.then(() => Promise.reject(error));
    }
    const username = serviceAccountUsername(namespace, serviceAccount.name);
    const known: AuthenticatedUser = {
      user: { username, uid: serviceAccount.uid, groups: serviceAccountGroups(namespace) },
      audiences: audiences.length === 0 ? own : audiences,
      remarks: uses.legacy(secret, account, username),
    };
    return labelled === undefined ? known : labelled.then(() => known);
  }

  /** `word`: what upstream calls it in what it says of this kind of token. */
  #account(
    namespace: string,
    { name, uid }: BoundReference,
    word: string,
    leewayMs: number,
  ): DeepReadonly<ServiceAccount> {
    const account = this.#deps.reader.get(resources.serviceaccounts, { namespace, name });
    if (account === undefined) throw new Error(`serviceaccounts "${name}" not found`);
    if (this.#isGone(account.metadata, leewayMs)) throw new Error(`${word} ${namespace}/${name} has been deleted`);
    const present = account.metadata.uid;
    if (present !== uid) throw new Error(`${word} UID (${present}) does not match claim (${uid})`);
    return account;
  }

  /** The object of this name that a token is bound to has to be the one that it was. */
  #mustLive<T extends { readonly metadata: StoredMeta }>(
    type: ResourceType<T>,
    namespace: string,
    { name, uid }: BoundReference,
  ): void {
    const object = this.#deps.reader.get(type, namespace === '' ? { name } : { namespace, name });
    const metadata = object?.metadata as DeepReadonly<StoredMeta> | undefined;
    if (metadata === undefined || this.#isGone(metadata, DELETION_LEEWAY_MS))
      throw new Error('service account token has been invalidated');
    if (metadata.uid === uid) return;
    const kind = type.kind.toLowerCase();
    throw new Error(`${kind} UID (${metadata.uid}) does not match service account ${kind} ref claim (${uid})`);
  }

  #isGone({ deletionTimestamp }: DeepReadonly<StoredMeta>, leewayMs: number): boolean {
    return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + leewayMs < this.#deps.clock.now();
  }
}

function otherAudience(own: readonly string[], wanted: readonly string[]): Error {
  const shown = (list: readonly string[]): string => `[${list.map(goQuote).join(' ')}]`;
  return new Error(`token audiences ${shown(own)} is invalid for the target audiences ${shown(wanted)}`);
}

function parse(claims: Claims): Verified {
  if (claims['iss'] === LEGACY_ISSUER) {
    const legacy = readLegacyToken(claims);
    if (legacy !== undefined) return { legacy };
  } else {
    const bound = readBoundToken(claims);
    if (bound !== undefined) return { bound };
  }
  throw new Error('the ServiceAccount token lacks claims');
}

function extraOf(
  id: string,
  pod: BoundReference | undefined,
  node: BoundReference | undefined,
): Record<string, readonly string[]> {
  const prefix = 'authentication.kubernetes.io/';
  return {
    ...(id === '' ? {} : { [`${prefix}credential-id`]: [`JTI=${id}`] }),
    ...(node === undefined ? {} : { [`${prefix}node-name`]: [node.name], [`${prefix}node-uid`]: [node.uid] }),
    ...(pod === undefined ? {} : { [`${prefix}pod-name`]: [pod.name], [`${prefix}pod-uid`]: [pod.uid] }),
  };
}
