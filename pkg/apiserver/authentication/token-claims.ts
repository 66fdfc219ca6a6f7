import type { Claims } from './jwt.ts';

/** Another object that a token is tied to: it is valid only as long as that object lives. */
export interface BoundReference {
  readonly name: string;
  readonly uid: string;
}

/** The `kubernetes.io` claim of a token from serviceaccounts/token. */
export interface BoundClaims {
  readonly namespace: string;
  readonly serviceaccount: BoundReference;
  readonly pod?: BoundReference;
  readonly secret?: BoundReference;
  readonly node?: BoundReference;
  /** Seconds since 1970 from which on the use of an extended token is worth a warning. */
  readonly warnafter?: number;
}

/** A token from serviceaccounts/token. Times are seconds since 1970. */
export interface BoundToken {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly id: string;
  readonly expiry: number;
  readonly notBefore: number;
  readonly bound: BoundClaims;
}

/** A token kept in a Secret of type kubernetes.io/service-account-token. */
export interface LegacyToken {
  readonly namespace: string;
  readonly secretName: string;
  readonly serviceAccount: BoundReference;
}

export const LEGACY_ISSUER = 'kubernetes/serviceaccount';

/** Reads the claims of a bound token; undefined when a needed one is missing or of the wrong type. */
export function readBoundToken(claims: Claims): BoundToken | undefined {
  const { iss, aud, jti, exp, nbf } = claims;
  const bound = readBoundClaims(claims['kubernetes.io']);
  if (typeof iss !== 'string' || typeof exp !== 'number' || bound === undefined) return undefined;
  const audiences = Array.isArray(aud) ? aud.filter((value) => typeof value === 'string') : [];
  return {
    issuer: iss,
    audiences: typeof aud === 'string' ? [aud] : audiences,
    id: typeof jti === 'string' ? jti : '',
    expiry: exp,
    notBefore: typeof nbf === 'number' ? nbf : 0,
    bound,
  };
}

/** Reads the claims of a legacy token; undefined when one is missing. */
export function readLegacyToken(claims: Claims): LegacyToken | undefined {
  const value = (key: string): string => {
    const claim = claims[`kubernetes.io/serviceaccount/${key}`];
    return typeof claim === 'string' ? claim : '';
  };
  const token = {
    namespace: value('namespace'),
    secretName: value('secret.name'),
    serviceAccount: { name: value('service-account.name'), uid: value('service-account.uid') },
  };
  const complete = token.namespace && token.secretName && token.serviceAccount.name && token.serviceAccount.uid;
  return complete ? token : undefined;
}

function readBoundClaims(value: unknown): BoundClaims | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const serviceaccount = readReference(fields['serviceaccount']);
  const namespace = fields['namespace'];
  if (typeof namespace !== 'string' || serviceaccount === undefined) return undefined;
  const [pod, secret, node] = [
    readReference(fields['pod']),
    readReference(fields['secret']),
    readReference(fields['node']),
  ];
  return {
    namespace,
    serviceaccount,
    ...(pod === undefined ? {} : { pod }),
    ...(secret === undefined ? {} : { secret }),
    ...(node === undefined ? {} : { node }),
    ...(typeof fields['warnafter'] === 'number' ? { warnafter: fields['warnafter'] } : {}),
  };
}

function readReference(value: unknown): BoundReference | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, uid } = value as Record<string, unknown>;
  return typeof name === 'string' && typeof uid === 'string' ? { name, uid } : undefined;
}
