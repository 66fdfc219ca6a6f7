import { sign, verify } from 'node:crypto';
import type { ServiceAccountKeys } from '../../pki/index.ts';

/** The claims of a JWT, as decoded. */
export type Claims = Readonly<Record<string, unknown>>;

/** Signs claims as a compact JWS with the cluster's signing key. */
export function signJWT(keys: ServiceAccountKeys, claims: Claims): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${part({ alg: keys.signer.algorithm, kid: keys.signer.id })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(body), { key: keys.signingKey, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}

/** The claims of a compact JWS without looking at its signature; undefined when it is not one. */
export function decodeJWT(token: string): Claims | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  return decodePart(parts[1] ?? '');
}

/** Whether one of the keys made the signature. The key decides on the algorithm, the header only has to agree. */
export function verifyJWT(keys: ServiceAccountKeys, token: string): boolean {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const fields = decodePart(header);
  if (fields === undefined) return false;
  const data = Buffer.from(`${header}.${payload}`);
  const bytes = Buffer.from(signature, 'base64url');
  for (const key of keys.verifiers) {
    if (fields['alg'] !== key.algorithm) continue;
    if (fields['kid'] !== undefined && fields['kid'] !== key.id) continue;
    if (verify('sha256', data, { key: key.publicKey, dsaEncoding: 'ieee-p1363' }, bytes)) return true;
  }
  return false;
}

function decodePart(part: string): Claims | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(part)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}
