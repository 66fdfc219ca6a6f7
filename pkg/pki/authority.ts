import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { readIfExists, writeAtomically } from './files.ts';

/** A certificate (chain) and its private key. */
export interface KeyPair {
  readonly certificatePEM: string;
  readonly keyPEM: string;
}

/** A certificate authority that can issue. */
export interface Authority extends KeyPair {
  readonly certificate: X509Certificate;
}

export const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_LIFE_MS = 10 * 365 * DAY_MS;
const RENEW_AUTHORITY_BEFORE_MS = 365 * DAY_MS;

/** Wraps a CA certificate and key. Throws when the certificate cannot be parsed. */
export function authorityFromPEM(certificatePEM: string, keyPEM: string): Authority {
  return { certificatePEM, keyPEM, certificate: new X509Certificate(certificatePEM) };
}

/**
 * Loads `<directory>/<name>.crt` and `.key`, or creates them. A CA near its end is issued again with the same name and
 * key, so that what it signed stays valid.
 */
export async function ensureAuthority(directory: string, name: string, clock: Clock): Promise<Authority> {
  const certificatePath = join(directory, `${name}.crt`);
  const keyPath = join(directory, `${name}.key`);
  const [certificatePEM, keyPEM] = await Promise.all([readIfExists(certificatePath), readIfExists(keyPath)]);
  if (certificatePEM !== undefined) {
    if (keyPEM === undefined)
      throw new Error(`${keyPath} is missing: put it back, or remove ${certificatePath} as well`);
    const loaded = authorityFromPEM(certificatePEM, keyPEM);
    if (loaded.certificate.validToDate.getTime() - clock.now() > RENEW_AUTHORITY_BEFORE_MS) return loaded;
  }
  const { createAuthority } = await import('./issue.ts');
  const created = await createAuthority({
    commonName: `kube-lite-${name}@${Math.floor(clock.now() / 1000)}`,
    notBeforeMs: clock.now(),
    notAfterMs: clock.now() + AUTHORITY_LIFE_MS,
    ...(keyPEM === undefined ? {} : { keyPEM }),
    ...(certificatePEM === undefined ? {} : { renewedPEM: certificatePEM }),
  });
  await writeAtomically(keyPath, created.keyPEM, 0o600);
  await writeAtomically(certificatePath, created.certificatePEM, 0o600);
  return authorityFromPEM(created.certificatePEM, created.keyPEM);
}
