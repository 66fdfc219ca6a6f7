import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { KeyPair } from './authority.ts';
import { ensurePrivateDirectory, readIfExists, writeAtomically } from './files.ts';
import { stillGood } from './inspect.ts';
import type { LeafProfile } from './leaf.ts';

/** Has a PEM certificate request signed by the cluster; resolves to the PEM certificate. */
export type CertificateRequester = (requestPEM: string, usage: LeafProfile['usage']) => Promise<string>;

/** A certificate is asked for anew when this part of its life is left. */
const RENEW_AT = 0.25;

/**
 * Loads `<name>.crt` and `<name>.key` from `directory`, or asks for a certificate: when it is missing, near its end, from
 * another CA than `authorityPEM` (when that is known), or not what the profile says. The key is new for each request, and is on disk only when
 * the certificate is.
 */
export async function ensureRequestedLeaf(
  directory: string,
  authorityPEM: string | undefined,
  profile: LeafProfile,
  deps: { readonly clock: Clock; readonly request: CertificateRequester },
): Promise<KeyPair> {
  const certificatePath = join(directory, `${profile.name}.crt`);
  const keyPath = join(directory, `${profile.name}.key`);
  await ensurePrivateDirectory(directory);
  const [certificatePEM, keyPEM] = await Promise.all([readIfExists(certificatePath), readIfExists(keyPath)]);
  const nowMs = deps.clock.now();
  if (certificatePEM !== undefined && keyPEM !== undefined) {
    const pair = { certificatePEM, keyPEM };
    const { commonName, organizations, alternativeNames } = profile;
    const names = { commonName, organizations, alternativeNames: [...new Set(alternativeNames)] };
    const authority = authorityPEM === undefined ? {} : { authority: new X509Certificate(authorityPEM) };
    const wanted = { ...names, ...authority, keyPEM };
    const renewBeforeMs = lifeMs(certificatePEM) * RENEW_AT;
    if (stillGood(certificatePEM, { ...wanted, nowMs, renewBeforeMs })) return pair;
  }
  const { createRequest, newKeyPEM, subjectName } = await import('./issue.ts');
  const fresh = newKeyPEM();
  const subject = subjectName(profile.commonName, profile.organizations);
  const request = await createRequest({
    subject,
    alternativeNames: [...new Set(profile.alternativeNames)],
    keyPEM: fresh,
  });
  const issued = await deps.request(request, profile.usage);
  await writeAtomically(keyPath, fresh, 0o600);
  await writeAtomically(certificatePath, issued, 0o600);
  return { certificatePEM: issued, keyPEM: fresh };
}

/** When a certificate has to be asked for anew, in milliseconds since 1970. */
export function renewalMs(certificatePEM: string): number {
  return new X509Certificate(certificatePEM).validToDate.getTime() - lifeMs(certificatePEM) * RENEW_AT;
}

function lifeMs(certificatePEM: string): number {
  const { validFromDate, validToDate } = new X509Certificate(certificatePEM);
  return validToDate.getTime() - validFromDate.getTime();
}
