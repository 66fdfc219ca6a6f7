/**
 * Issues certificates. Imported only on the way to issuing one: the X.509 library takes 90 ms to load.
 *
 * Subjects are handed on as `Name` objects or built from typed ASN.1 strings, never from text that would be parsed again:
 * in text form `a"system:masters"` would become the group system:masters.
 */
import 'reflect-metadata';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import type { KeyPair } from './authority.ts';

/** Clocks of other machines may be behind by this much. */
const BACKDATE_MS = 5 * 60 * 1000;
const OID_SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

export interface AuthorityRequest {
  readonly commonName: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Use this key instead of a new one. */
  readonly keyPEM?: string;
  /** Keep the subject of this certificate. */
  readonly renewedPEM?: string;
}

export interface CertificateTemplate {
  readonly subject: x509.Name;
  readonly publicKey: x509.PublicKeyType;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly keyUsages: number;
  /** OIDs. */
  readonly extendedKeyUsages: readonly string[];
  readonly alternativeNames?: x509.Extension;
  readonly isAuthority?: boolean;
}

/** A new ECDSA P-256 key as PKCS #8 PEM. */
export function newKeyPEM(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
}

/** A subject whose values are taken as they are. */
export function subjectName(commonName: string, organizations: readonly string[]): x509.Name {
  const parts: x509.JsonName = organizations.map((value) => ({ O: [{ utf8String: value }] }) as never);
  parts.push({ CN: [{ utf8String: commonName }] } as never);
  return new x509.Name(parts);
}

export function alternativeNames(names: readonly string[]): x509.SubjectAlternativeNameExtension {
  return new x509.SubjectAlternativeNameExtension(
    names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
  );
}

/** Self-signs a CA certificate. */
export async function createAuthority(request: AuthorityRequest): Promise<KeyPair> {
  const keyPEM = request.keyPEM ?? newKeyPEM();
  const key = createPrivateKey(keyPEM);
  const subject =
    request.renewedPEM === undefined
      ? subjectName(request.commonName, [])
      : new x509.X509Certificate(request.renewedPEM).subjectName;
  const certificatePEM = await sign({ subject, keyPEM }, undefined, {
    subject,
    publicKey: publicKeyDER(key),
    notBeforeMs: request.notBeforeMs,
    notAfterMs: request.notAfterMs,
    keyUsages: x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
    extendedKeyUsages: [],
    isAuthority: true,
  });
  return { certificatePEM, keyPEM };
}

/** Signs a certificate with an authority; returns the PEM of the certificate alone. */
export async function issue(authority: KeyPair, template: CertificateTemplate): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificatePEM);
  return sign({ subject: issuer.subjectName, keyPEM: authority.keyPEM }, issuer, template);
}

async function sign(
  signer: { readonly subject: x509.Name; readonly keyPEM: string },
  issuer: x509.X509Certificate | undefined,
  template: CertificateTemplate,
): Promise<string> {
  const extensions: x509.Extension[] = [
    new x509.KeyUsagesExtension(template.keyUsages, true),
    new x509.BasicConstraintsExtension(template.isAuthority === true, undefined, true),
    await x509.SubjectKeyIdentifierExtension.create(template.publicKey, false, webcrypto as never),
  ];
  if (template.extendedKeyUsages.length > 0)
    extensions.push(new x509.ExtendedKeyUsageExtension([...template.extendedKeyUsages]));
  if (issuer !== undefined) extensions.push(authorityKeyIdentifier(issuer));
  if (template.alternativeNames !== undefined) extensions.push(template.alternativeNames);
  const { key, algorithm } = await signingKey(signer.keyPEM);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: template.subject,
      issuer: signer.subject,
      notBefore: new Date(template.notBeforeMs - BACKDATE_MS),
      notAfter: new Date(template.notAfterMs),
      publicKey: template.publicKey,
      signingKey: key as never,
      signingAlgorithm: algorithm,
      extensions,
    },
    webcrypto as never,
  );
  return `${certificate.toString('pem')}\n`;
}

/** The issuer's subject key identifier as it is in its certificate (a user's own CA may compute it in another way). */
function authorityKeyIdentifier(issuer: x509.X509Certificate): x509.Extension {
  const identifier = issuer.getExtension(x509.SubjectKeyIdentifierExtension);
  if (identifier === null) throw new Error('the certificate authority has no subject key identifier');
  return new x509.AuthorityKeyIdentifierExtension(identifier.keyId);
}

/** 127 random bits, positive. */
function serialNumber(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

async function signingKey(
  keyPEM: string,
): Promise<{ key: webcrypto.CryptoKey; algorithm: { name: string; hash: string } }> {
  const key = createPrivateKey(keyPEM);
  const der = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }));
  const kind = signingAlgorithm(key);
  return {
    key: await webcrypto.subtle.importKey('pkcs8', der, kind.importAs, false, ['sign']),
    algorithm: kind.signWith,
  };
}

function signingAlgorithm(key: KeyObject): {
  importAs: { name: string; namedCurve?: string; hash?: string };
  signWith: { name: string; hash: string };
} {
  const curves: Readonly<Record<string, readonly [string, string]>> = {
    prime256v1: ['P-256', 'SHA-256'],
    secp384r1: ['P-384', 'SHA-384'],
    secp521r1: ['P-521', 'SHA-512'],
  };
  if (key.asymmetricKeyType === 'ec') {
    const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
    if (curve !== undefined)
      return { importAs: { name: 'ECDSA', namedCurve: curve[0] }, signWith: { name: 'ECDSA', hash: curve[1] } };
  }
  if (key.asymmetricKeyType === 'rsa') {
    const name = 'RSASSA-PKCS1-v1_5';
    return { importAs: { name, hash: 'SHA-256' }, signWith: { name, hash: 'SHA-256' } };
  }
  throw new Error(
    `cannot sign certificates with a key of type ${key.asymmetricKeyType ?? 'unknown'}: use ECDSA or RSA`,
  );
}

/** The SubjectPublicKeyInfo of a private key. */
export function publicKeyDER(key: KeyObject): x509.PublicKeyType {
  return new x509.PublicKey(new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' })));
}

/** A PEM certificate request for a key, signed with it. */
export async function createRequest(request: {
  readonly subject: x509.Name;
  readonly alternativeNames: readonly string[];
  readonly keyPEM: string;
}): Promise<string> {
  const { key: privateKey, algorithm } = await signingKey(request.keyPEM);
  const key = createPrivateKey(request.keyPEM);
  const der = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  const publicKey = await webcrypto.subtle.importKey('spki', der, signingAlgorithm(key).importAs, true, ['verify']);
  const created = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: request.subject,
      keys: { privateKey, publicKey } as never,
      signingAlgorithm: algorithm,
      extensions: request.alternativeNames.length === 0 ? [] : [alternativeNames(request.alternativeNames)],
    },
    webcrypto as never,
  );
  return `${created.toString('pem')}\n`;
}

/** A parsed request whose own signature has been verified. */
export async function parseRequest(pem: string): Promise<{
  readonly subject: x509.Name;
  readonly publicKey: x509.PublicKeyType;
  readonly alternativeNames: x509.SubjectAlternativeNameExtension | undefined;
}> {
  const request = new x509.Pkcs10CertificateRequest(pem);
  if (!(await request.verify(webcrypto as never))) throw new Error('the signature of the certificate request is wrong');
  const names = request.extensions.find((extension) => extension.type === OID_SUBJECT_ALTERNATIVE_NAME);
  return {
    subject: request.subjectName,
    publicKey: request.publicKey,
    alternativeNames: names === undefined ? undefined : new x509.SubjectAlternativeNameExtension(names.rawData),
  };
}

export const KeyUsage = x509.KeyUsageFlags;
