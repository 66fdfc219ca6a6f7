import { randomUUID } from 'node:crypto';
import { badRequest, conflict, type FieldError, invalid, notFound } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { ServiceAccount, TokenRequest } from '../../api/generated/types.ts';
import type { ResourceType, StoredMeta } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import * as field from '../../api/validation/field-error.ts';
import type { Clock } from '../../base/clock.ts';
import { cloneJSON, type DeepReadonly } from '../../base/json.ts';
import type { ServiceAccountKeys } from '../../pki/index.ts';
import type { ObjectReader } from '../contract.ts';
import { signJWT } from './jwt.ts';
import { serviceAccountUsername } from './service-account-user.ts';
import { type BoundReference, LEGACY_ISSUER } from './token-claims.ts';

export interface TokenIssuerOptions {
  /** `https://kubernetes.default.svc.cluster.local`. */
  readonly issuer: string;
  /** The audiences of a token for which none are asked: the API server's own. */
  readonly audiences: readonly string[];
  /** Where clients find the keys; default `<issuer>/openid/v1/jwks`. */
  readonly jwksURI?: string;
}

export interface TokenIssuerDeps {
  readonly keys: ServiceAccountKeys;
  readonly reader: ObjectReader;
  readonly clock: Clock;
}

/** How long a token is good for when nothing is said. */
export const DEFAULT_TOKEN_SECONDS = 3600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
/** What the ServiceAccount admission plugin asks for; such tokens live longer for clients that never read them again. */
const WARN_ONLY_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;

const requestKind = { group: 'authentication.k8s.io', kind: 'TokenRequest' };

/** Issues ServiceAccount tokens and publishes the keys that verify them. */
export class TokenIssuer {
  readonly #options: TokenIssuerOptions;
  readonly #deps: TokenIssuerDeps;

  constructor(options: TokenIssuerOptions, deps: TokenIssuerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Answers a POST to serviceaccounts/token. Throws StatusError for what upstream refuses. */
  request(key: { readonly namespace: string; readonly name: string }, body: DeepReadonly<TokenRequest>): TokenRequest {
    const account = this.#deps.reader.get(resources.serviceaccounts, key);
    if (account === undefined) throw notFound({ group: '', resource: 'serviceaccounts' }, key.name);
    const named = body.metadata as DeepReadonly<StoredMeta> | undefined;
    if (named?.name && named.name !== key.name) {
      const error = field.invalid('metadata.name', named.name, 'must match the service account name if specified');
      throw invalid(requestKind, key.name, [error]);
    }
    if (named?.namespace && named.namespace !== key.namespace)
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    const { uid } = account.metadata;
    if (named?.uid && named.uid !== uid) {
      const problem = `the UID in the token request (${named.uid}) does not match the UID of the service account (${uid})`;
      throw conflict({ group: requestKind.group, resource: requestKind.kind }, key.name, problem);
    }
    const seconds = body.spec?.expirationSeconds ?? DEFAULT_TOKEN_SECONDS;
    const audiences = body.spec?.audiences?.length ? [...body.spec.audiences] : [...this.#options.audiences];
    const errors = validateSeconds(seconds);
    if (errors.length > 0) throw invalid(requestKind, named?.name ?? '', errors);
    const bound = this.#bind(account, body.spec?.boundObjectRef);
    const { token, expiresAt } = this.#sign(account, audiences, seconds, bound);
    return {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {
        ...cloneJSON(body.metadata ?? {}),
        name: key.name,
        namespace: key.namespace,
        uid,
        creationTimestamp: formatTime(this.#deps.clock.now()),
      } as TokenRequest['metadata'],
      spec: {
        audiences,
        expirationSeconds: seconds,
        // Upstream writes it where there is none, too.
        boundObjectRef: (body.spec?.boundObjectRef ?? null) as BoundObjectReference,
      },
      status: { token, expirationTimestamp: expiresAt },
    };
  }

  /** The token for a Secret of type kubernetes.io/service-account-token; it does not expire. */
  legacyToken(account: DeepReadonly<ServiceAccount>, secretName: string): string {
    const { name, namespace, uid } = account.metadata;
    return signJWT(this.#deps.keys, {
      iss: LEGACY_ISSUER,
      'kubernetes.io/serviceaccount/namespace': namespace,
      'kubernetes.io/serviceaccount/secret.name': secretName,
      'kubernetes.io/serviceaccount/service-account.name': name,
      'kubernetes.io/serviceaccount/service-account.uid': uid,
      sub: serviceAccountUsername(namespace, name),
    });
  }

  /** The document at /openid/v1/jwks. */
  jwks(): { readonly keys: readonly Record<string, unknown>[] } {
    return {
      keys: this.#deps.keys.verifiers.map((key) => ({
        use: 'sig',
        kid: key.id,
        alg: key.algorithm,
        ...key.publicKey.export({ format: 'jwk' }),
      })),
    };
  }

  /** The document at /.well-known/openid-configuration. */
  discovery(): Record<string, unknown> {
    return {
      issuer: this.#options.issuer,
      jwks_uri: this.#options.jwksURI ?? `${this.#options.issuer}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [...new Set(this.#deps.keys.verifiers.map((key) => key.algorithm))],
    };
  }

  #sign(
    account: DeepReadonly<ServiceAccount>,
    audiences: readonly string[],
    seconds: number,
    bound: Bound,
  ): { token: string; expiresAt: string } {
    const now = Math.floor(this.#deps.clock.now() / 1000);
    const forServer = audiences.every((audience) => this.#options.audiences.includes(audience));
    const extended = seconds === WARN_ONLY_SECONDS && bound.pod !== undefined && forServer;
    const { name, namespace, uid } = account.metadata;
    const token = signJWT(this.#deps.keys, {
      aud: audiences,
      exp: now + (extended ? EXTENDED_SECONDS : seconds),
      iat: now,
      iss: this.#options.issuer,
      jti: randomUUID(),
      'kubernetes.io': {
        namespace,
        ...bound,
        serviceaccount: { name, uid },
        ...(extended ? { warnafter: now + seconds } : {}),
      },
      nbf: now,
      sub: serviceAccountUsername(namespace, name),
    });
    return { token, expiresAt: formatTime((now + seconds) * 1000) };
  }

  #bind(account: DeepReadonly<ServiceAccount>, reference: BoundObjectReference | undefined): Bound {
    if (reference === undefined) return {};
    const { namespace, name: accountName } = account.metadata;
    const name = reference.name ?? '';
    const kind = `${reference.apiVersion ?? ''}, Kind=${reference.kind ?? ''}`;
    switch (kind) {
      case 'v1, Kind=Pod': {
        const pod = this.#find(resources.pods, namespace, name, reference.uid);
        if ((pod.spec.serviceAccountName ?? '') !== accountName)
          throw badRequest(
            `cannot bind token for serviceaccount "${accountName}" to pod running with different serviceaccount name.`,
          );
        const nodeName = pod.spec.nodeName ?? '';
        const node = nodeName === '' ? undefined : this.#deps.reader.get(resources.nodes, { name: nodeName });
        return { pod: referenceTo(pod), ...(node === undefined ? {} : { node: referenceTo(node) }) };
      }
      case 'v1, Kind=Secret':
        return { secret: referenceTo(this.#find(resources.secrets, namespace, name, reference.uid)) };
      case 'v1, Kind=Node':
        return { node: referenceTo(this.#find(resources.nodes, '', name, reference.uid)) };
      default:
        throw badRequest(`cannot bind token to object of type /${kind}`);
    }
  }

  #find<T extends { readonly metadata: StoredMeta }>(
    type: ResourceType<T>,
    namespace: string,
    name: string,
    uid: string | undefined,
  ): DeepReadonly<T> {
    const object = this.#deps.reader.get(type, { namespace, name });
    if (object === undefined) throw notFound(type, name);
    const actual = (object.metadata as DeepReadonly<StoredMeta>).uid;
    if (uid && uid !== actual)
      throw conflict(
        { group: type.group, resource: type.kind },
        name,
        `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      );
    return object;
  }
}

type BoundObjectReference = DeepReadonly<NonNullable<TokenRequest['spec']['boundObjectRef']>>;

interface Bound {
  readonly pod?: BoundReference;
  readonly secret?: BoundReference;
  readonly node?: BoundReference;
}

function referenceTo(object: { readonly metadata: { readonly name: string; readonly uid: string } }): BoundReference {
  return { name: object.metadata.name, uid: object.metadata.uid };
}

function validateSeconds(seconds: number): FieldError[] {
  const error = (text: string): FieldError[] => [
    { type: 'FieldValueInvalid', field: 'spec.expirationSeconds', message: `Invalid value: ${seconds}: ${text}` },
  ];
  if (seconds < MIN_SECONDS) return error('may not specify a duration less than 10 minutes');
  if (seconds > MAX_SECONDS) return error('may not specify a duration larger than 2^32 seconds');
  return [];
}
