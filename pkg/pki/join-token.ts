import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { readIfExists, writeAtomically } from './files.ts';
import { pemToDER } from './inspect.ts';

/** `K10<SHA-256 of the server CA>::server:<secret>`, the form that k3s users know. */
export interface JoinToken {
  /** Lower-case hex of SHA-256 over the DER of the server CA's certificate. */
  readonly caHash: string;
  readonly secret: string;
}

const TOKEN = /^K10([0-9a-f]{64})::server:([\x21-\x7e]+)$/;

export function formatJoinToken(token: JoinToken): string {
  return `K10${token.caHash}::server:${token.secret}`;
}

/** undefined: not a join token. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const match = TOKEN.exec(text.trim());
  if (match === null) return undefined;
  return { caHash: match[1] ?? '', secret: match[2] ?? '' };
}

export function caHash(certificatePEM: string): string {
  const der = pemToDER(certificatePEM, 'CERTIFICATE');
  if (der === undefined) throw new Error('the server CA is not a PEM certificate');
  return createHash('sha256').update(der).digest('hex');
}

/** Compares in constant time what a joining machine presents with the cluster's token. */
export function verifyJoinToken(presented: string, expected: JoinToken): boolean {
  const token = parseJoinToken(presented);
  if (token === undefined) return false;
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(formatJoinToken(token)), digest(formatJoinToken(expected)));
}

/**
 * Loads `<directory>/token` or creates it. The secret stays when the CA changes; `wanted` (a secret, or a whole token)
 * replaces it.
 */
export async function ensureJoinToken(directory: string, serverCAPEM: string, wanted?: string): Promise<JoinToken> {
  const path = join(directory, 'token');
  const existing = parseJoinToken((await readIfExists(path)) ?? '');
  const given = wanted === undefined ? undefined : (parseJoinToken(wanted)?.secret ?? wanted);
  const token = {
    caHash: caHash(serverCAPEM),
    secret: given ?? existing?.secret ?? randomBytes(16).toString('hex'),
  };
  if (parseJoinToken(formatJoinToken(token)) === undefined)
    throw new Error('the token may hold printable ASCII characters only, and no spaces');
  if (existing?.caHash !== token.caHash || existing.secret !== token.secret)
    await writeAtomically(path, `${formatJoinToken(token)}\n`, 0o600);
  return token;
}
