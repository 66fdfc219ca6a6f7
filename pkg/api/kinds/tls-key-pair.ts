import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

interface Block {
  readonly type: string;
  readonly pem: string;
}

const pemBlock = /-----BEGIN ([^-\n]+)-----\r?\n[\s\S]*?\r?\n?-----END \1-----/g;

/** What Go's crypto/tls finds wrong with a certificate and its key, both in PEM; undefined when they belong together. */
export function keyPairProblem(certificate: string, key: string): string | undefined {
  const certificates = blocksOf(certificate);
  const own = certificates.find(({ type }) => type === 'CERTIFICATE');
  if (own === undefined) return noCertificate(certificates);
  const keys = blocksOf(key);
  const secret = keys.find(({ type }) => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY'));
  if (secret === undefined) return noKey(keys);
  const parsed = parse(() => new X509Certificate(own.pem));
  if (parsed === undefined) return 'x509: malformed certificate';
  const privateKey = parse(() => createPrivateKey(secret.pem));
  if (privateKey === undefined) return 'tls: failed to parse private key';
  return mismatch(parsed, privateKey);
}

function blocksOf(text: string): Block[] {
  return [...text.matchAll(pemBlock)].map(([pem, type = '']) => ({ type, pem }));
}

function noCertificate(skipped: readonly Block[]): string {
  const [only] = skipped;
  if (only === undefined) return 'tls: failed to find any PEM data in certificate input';
  if (skipped.length === 1 && only.type.endsWith('PRIVATE KEY')) {
    return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
  }
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${typesOf(skipped)}`;
}

function noKey(skipped: readonly Block[]): string {
  const [only] = skipped;
  if (only === undefined) return 'tls: failed to find any PEM data in key input';
  if (skipped.length === 1 && only.type === 'CERTIFICATE') {
    return 'tls: found a certificate rather than a key in the PEM for the private key';
  }
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${typesOf(skipped)}`;
}

function typesOf(blocks: readonly Block[]): string {
  return `[${blocks.map(({ type }) => type).join(' ')}]`;
}

/** What does not parse is undefined. */
function parse<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function mismatch(certificate: X509Certificate, key: KeyObject): string | undefined {
  if (certificate.checkPrivateKey(key)) return undefined;
  return certificate.publicKey.asymmetricKeyType === key.asymmetricKeyType
    ? 'tls: private key does not match public key'
    : 'tls: private key type does not match public key type';
}
