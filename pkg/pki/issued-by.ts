import { X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Whether one of the authorities (PEM) issued a certificate directly, by name and signature, and both are valid at a time
 * in milliseconds. OpenSSL takes a certificate whose subject and issuer are the same name for its own issuer and looks no
 * further, also when both are empty; Go tries the authorities all the same, and certificates are made that need it.
 */
export function issuedByAny(certificate: X509Certificate, authorities: string, now: number): boolean {
  return (authorities.match(CERTIFICATE) ?? []).some((pem) => {
    const authority = new X509Certificate(pem);
    return (
      authority.ca &&
      isValidAt(authority, now) &&
      isValidAt(certificate, now) &&
      certificate.checkIssued(authority) &&
      certificate.verify(authority.publicKey)
    );
  });
}

function isValidAt({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validFrom) <= now && now <= Date.parse(validTo);
}
