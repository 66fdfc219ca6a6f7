import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readIfExists, writeAtomically } from './files.ts';
import { splitPEM } from './inspect.ts';

/** One key that ServiceAccount tokens may be signed with. */
export interface VerificationKey {
  /** The `kid` of the JWT header: base64url(SHA-256(SubjectPublicKeyInfo)), as upstream has it. */
  readonly id: string;
  readonly publicKey: KeyObject;
  readonly algorithm: 'ES256' | 'RS256';
}

/** The first key signs; all of them verify. */
export interface ServiceAccountKeys {
  readonly signingKey: KeyObject;
  readonly signer: VerificationKey;
  readonly verifiers: readonly VerificationKey[];
}

/** Reads one or more PEM private keys; the first one signs, so a new key is put in front when keys are rotated. */
export function serviceAccountKeysFromPEM(pem: string): ServiceAccountKeys {
  const blocks = [
    ...splitPEM(pem, 'PRIVATE KEY'),
    ...splitPEM(pem, 'EC PRIVATE KEY'),
    ...splitPEM(pem, 'RSA PRIVATE KEY'),
  ];
  const keys = blocks.map((block) => createPrivateKey(block));
  const verifiers = keys.map(verificationKey);
  const [signingKey, signer] = [keys[0], verifiers[0]];
  if (signingKey === undefined || signer === undefined)
    throw new Error('there is no private key in the service account key file');
  return { signingKey, signer, verifiers };
}

/** Loads the key file, or creates it with a new ECDSA P-256 key. */
export async function ensureServiceAccountKeys(path: string): Promise<ServiceAccountKeys> {
  const existing = await readIfExists(path);
  if (existing !== undefined) return serviceAccountKeysFromPEM(existing);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await writeAtomically(path, pem, 0o600);
  return serviceAccountKeysFromPEM(pem);
}

function verificationKey(key: KeyObject): VerificationKey {
  const publicKey = createPublicKey(key);
  const id = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  if (key.asymmetricKeyType === 'rsa') return { id, publicKey, algorithm: 'RS256' };
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1')
    return { id, publicKey, algorithm: 'ES256' };
  throw new Error('service account keys must be RSA or ECDSA P-256');
}
