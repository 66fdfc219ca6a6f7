import type { Authority } from './authority.ts';

/** What a certificate request asks for, as the approver and the signers need it. */
export interface CertificateRequestInfo {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

export interface SignOptions {
  /** Kubernetes key usages: `digital signature`, `client auth`, ... */
  readonly usages: readonly string[];
  readonly durationMs: number;
  readonly nowMs: number;
}

const EXTENDED: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};

/** Reads a PEM certificate request. Throws when it is malformed or its own signature is wrong. */
export async function inspectCertificateRequest(pem: string): Promise<CertificateRequestInfo> {
  const { parseRequest } = await import('./issue.ts');
  const { subject, alternativeNames } = await parseRequest(pem);
  const of = (type: string): string[] =>
    alternativeNames === undefined
      ? []
      : alternativeNames.names.items.filter((name) => name.type === type).map((name) => name.value);
  return {
    commonName: subject.getField('CN').at(-1) ?? '',
    organizations: subject.getField('O'),
    dnsNames: of('dns'),
    ipAddresses: of('ip'),
    emailAddresses: of('email'),
    uris: of('url'),
  };
}

/**
 * Signs a PEM certificate request: its subject, public key and alternative names as they are, the usages and the time
 * as given (never beyond the CA's own end). Whether it may be signed is the caller's decision.
 */
export async function signCertificateRequest(authority: Authority, pem: string, options: SignOptions): Promise<string> {
  const { issue, KeyUsage, parseRequest } = await import('./issue.ts');
  const request = await parseRequest(pem);
  const basic: Readonly<Record<string, number>> = {
    signing: KeyUsage.digitalSignature,
    'digital signature': KeyUsage.digitalSignature,
    'content commitment': KeyUsage.nonRepudiation,
    'key encipherment': KeyUsage.keyEncipherment,
    'key agreement': KeyUsage.keyAgreement,
    'data encipherment': KeyUsage.dataEncipherment,
    'cert sign': KeyUsage.keyCertSign,
    'crl sign': KeyUsage.cRLSign,
    'encipher only': KeyUsage.encipherOnly,
    'decipher only': KeyUsage.decipherOnly,
  };
  let keyUsages = 0;
  const extendedKeyUsages = new Set<string>();
  for (const usage of options.usages) {
    const bit = basic[usage];
    const oid = EXTENDED[usage];
    if (bit !== undefined) keyUsages |= bit;
    else if (oid !== undefined) extendedKeyUsages.add(oid);
    else throw new Error(`unknown key usage "${usage}"`);
  }
  return issue(authority, {
    subject: request.subject,
    publicKey: request.publicKey,
    notBeforeMs: options.nowMs,
    notAfterMs: Math.min(options.nowMs + options.durationMs, authority.certificate.validToDate.getTime()),
    keyUsages,
    extendedKeyUsages: [...extendedKeyUsages],
    ...(request.alternativeNames === undefined ? {} : { alternativeNames: request.alternativeNames }),
  });
}
