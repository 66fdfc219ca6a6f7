import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** What Kubernetes reads from a certificate's subject: every value exactly as encoded, in order. */
export interface X509Subject {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Of Kubernetes' own attribute 1.3.6.1.4.1.57683.2. */
  readonly uids?: readonly string[];
}

const UID = '1.3.6.1.4.1.57683.2';

/**
 * The subject of a certificate from its DER values, never from a printed form: a value such as `a"system:masters"` or one
 * with a newline stays one value. Several CNs: the last one counts, as in Go.
 */
export function subjectOf(certificate: X509Certificate): X509Subject {
  const subject = certificate.toLegacyObject().subject as unknown as Record<string, string | string[] | undefined>;
  const uids = values(subject[UID]);
  return {
    commonName: values(subject['CN']).at(-1) ?? '',
    organizations: values(subject['O']),
    ...(uids.length === 0 ? {} : { uids }),
  };
}

function values(field: string | string[] | undefined): readonly string[] {
  if (field === undefined) return [];
  return Array.isArray(field) ? field : [field];
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\s+([A-Za-z0-9+/=\s]+?)-----END \1-----/g;

/** The PEM blocks of one label in a text, each as a text of its own. */
export function splitPEM(text: string, label: string): string[] {
  const blocks: string[] = [];
  for (const match of text.matchAll(BLOCK)) if (match[1] === label) blocks.push(`${match[0]}\n`);
  return blocks;
}

/** The bytes of the first PEM block with this label; undefined when there is none. */
export function pemToDER(text: string, label: string): Buffer | undefined {
  for (const match of text.matchAll(BLOCK)) {
    if (match[1] === label) return Buffer.from((match[2] ?? '').replace(/\s+/g, ''), 'base64');
  }
  return undefined;
}

/** What a certificate on disk must be to stay in use. */
export interface Expectation {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** DNS names and IP addresses: exactly these. */
  readonly alternativeNames: readonly string[];
  /** Absent: whoever signed it. */
  readonly authority?: X509Certificate;
  readonly keyPEM: string;
  readonly nowMs: number;
  /** Renewed when less than this is left. */
  readonly renewBeforeMs: number;
}

/** Whether a certificate can go on being used; anything unreadable counts as no. */
export function stillGood(certificatePEM: string, expected: Expectation): boolean {
  try {
    const certificate = new X509Certificate(certificatePEM);
    if (certificate.validToDate.getTime() - expected.nowMs < expected.renewBeforeMs) return false;
    if (certificate.validFromDate.getTime() > expected.nowMs) return false;
    if (expected.authority !== undefined && !certificate.verify(expected.authority.publicKey)) return false;
    if (!matchesKey(certificate, expected.keyPEM)) return false;
    const subject = subjectOf(certificate);
    if (subject.commonName !== expected.commonName) return false;
    if (subject.organizations.join('\n') !== expected.organizations.join('\n')) return false;
    return hasExactlyNames(certificate, expected.alternativeNames);
  } catch {
    return false;
  }
}

function hasExactlyNames(certificate: X509Certificate, names: readonly string[]): boolean {
  const printed = certificate.subjectAltName ?? '';
  const count = printed === '' ? 0 : printed.split(', ').length;
  if (count !== names.length) return false;
  return names.every((name) =>
    isIP(name) === 0
      ? certificate.checkHost(name, { subject: 'never', wildcards: false }) !== undefined
      : certificate.checkIP(name) !== undefined,
  );
}

function matchesKey(certificate: X509Certificate, keyPEM: string): boolean {
  return certificate.checkPrivateKey(privateKey(keyPEM));
}

/** Parses a PEM private key. */
export function privateKey(pem: string): KeyObject {
  return createPrivateKey(pem);
}
