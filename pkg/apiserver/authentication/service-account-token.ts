import { LRUCache } from 'lru-cache';
import { resources } from '../../api/generated/resources.ts';
import type { ObjectKey, ResourceType, StoredMeta } from '../../api/object.ts';
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

  authenticateToken(token: string, audiences: readonly string[]): AuthenticatedUser | undefined {
    let verified = this.#verified.get(token);
    if (verified === undefined) {
      const claims = decodeJWT(token);
      if (claims === undefined || !this.#isOurs(claims)) return undefined;
      if (!verifyJWT(this.#deps.keys, token)) throw new Error('the signature of the ServiceAccount token is wrong');
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
    if (audiences.length === 0) throw new Error('the ServiceAccount token is for another audience');
    const nowSeconds = this.#deps.clock.now() / 1000;
    if (nowSeconds > token.expiry + LEEWAY_SECONDS) throw new Error('the ServiceAccount token has expired');
    if (nowSeconds < token.notBefore - LEEWAY_SECONDS) throw new Error('the ServiceAccount token is not yet valid');
    const { namespace, serviceaccount, pod, secret, node } = token.bound;
    this.#mustLive(resources.serviceaccounts, { namespace, name: serviceaccount.name }, serviceaccount.uid);
    if (pod !== undefined) this.#mustLive(resources.pods, { namespace, name: pod.name }, pod.uid);
    if (secret !== undefined) this.#mustLive(resources.secrets, { namespace, name: secret.name }, secret.uid);
    // A token bound to a pod only names the pod's node; without a pod the node is what it is bound to.
    if (node !== undefined && pod === undefined) this.#mustLive(resources.nodes, { name: node.name }, node.uid);
    return {
      user: {
        username: serviceAccountUsername(namespace, serviceaccount.name),
        uid: serviceaccount.uid,
        groups: serviceAccountGroups(namespace),
        extra: extraOf(token.id, pod, node),
      },
      audiences,
    };
  }

  #checkLegacy(token: LegacyToken, text: string, wanted: readonly string[]): AuthenticatedUser {
    const audiences = wanted.filter((audience) => this.#options.audiences.includes(audience));
    if (wanted.length > 0 && audiences.length === 0)
      throw new Error('the ServiceAccount token is for another audience');
    const { namespace, secretName, serviceAccount } = token;
    const secret = this.#mustLive(resources.secrets, { namespace, name: secretName });
    if (Buffer.from(secret.data?.['token'] ?? '', 'base64').toString('utf8') !== text)
      throw new Error('the Secret of the ServiceAccount token holds another token');
    if (secret.metadata.labels?.['kubernetes.io/legacy-token-invalid-since'])
      throw new Error('the ServiceAccount token has been marked invalid');
    this.#mustLive(resources.serviceaccounts, { namespace, name: serviceAccount.name }, serviceAccount.uid);
    return {
      user: {
        username: serviceAccountUsername(namespace, serviceAccount.name),
        uid: serviceAccount.uid,
        groups: serviceAccountGroups(namespace),
      },
      audiences: audiences.length === 0 ? this.#options.audiences : audiences,
    };
  }

  #mustLive<T extends { readonly metadata: StoredMeta }>(
    type: ResourceType<T>,
    key: ObjectKey,
    uid?: string,
  ): DeepReadonly<T> {
    const object = this.#deps.reader.get(type, key);
    const metadata = object?.metadata as DeepReadonly<StoredMeta> | undefined;
    if (object === undefined || (uid !== undefined && metadata?.uid !== uid))
      throw new Error(`the ${type.kind} of the ServiceAccount token no longer exists`);
    const deleted = metadata?.deletionTimestamp;
    if (deleted !== undefined && Date.parse(deleted) + DELETION_LEEWAY_MS < this.#deps.clock.now())
      throw new Error(`the ${type.kind} of the ServiceAccount token has been deleted`);
    return object;
  }
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
