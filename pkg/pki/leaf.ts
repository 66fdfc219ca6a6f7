import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { type Authority, DAY_MS, type KeyPair } from './authority.ts';
import { readIfExists, writeAtomically } from './files.ts';
import { stillGood } from './inspect.ts';

/** A certificate that kube-lite issues for itself. */
export interface LeafProfile {
  /** The name of its files: `<name>.crt` and `<name>.key`. */
  readonly name: string;
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly usage: 'server' | 'client';
  /** DNS names and IP addresses. */
  readonly alternativeNames: readonly string[];
}

const LEAF_LIFE_MS = 365 * DAY_MS;
const RENEW_LEAF_BEFORE_MS = 90 * DAY_MS;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/**
 * Loads a certificate and its key from `directory`, or issues it: when it is missing, near its end, from another CA, or
 * when its subject or names are not what the profile says. The key is kept when there is one.
 */
export async function ensureLeaf(
  directory: string,
  authority: Authority,
  profile: LeafProfile,
  clock: Clock,
): Promise<KeyPair> {
  const certificatePath = join(directory, `${profile.name}.crt`);
  const keyPath = join(directory, `${profile.name}.key`);
  const [certificatePEM, oldKeyPEM] = await Promise.all([readIfExists(certificatePath), readIfExists(keyPath)]);
  const names = [...new Set(profile.alternativeNames)];
  if (certificatePEM !== undefined && oldKeyPEM !== undefined) {
    const good = stillGood(certificatePEM, {
      commonName: profile.commonName,
      organizations: profile.organizations,
      alternativeNames: names,
      authority: authority.certificate,
      keyPEM: oldKeyPEM,
      nowMs: clock.now(),
      renewBeforeMs: RENEW_LEAF_BEFORE_MS,
    });
    if (good) return { certificatePEM, keyPEM: oldKeyPEM };
  }
  const { alternativeNames, issue, KeyUsage, newKeyPEM, publicKeyDER, subjectName } = await import('./issue.ts');
  const keyPEM = oldKeyPEM ?? newKeyPEM();
  const issued = await issue(authority, {
    subject: subjectName(profile.commonName, profile.organizations),
    publicKey: publicKeyDER(createPrivateKey(keyPEM)),
    notBeforeMs: clock.now(),
    notAfterMs: Math.min(clock.now() + LEAF_LIFE_MS, authority.certificate.validToDate.getTime()),
    keyUsages: KeyUsage.digitalSignature,
    extendedKeyUsages: [profile.usage === 'server' ? SERVER_AUTH : CLIENT_AUTH],
    ...(names.length === 0 ? {} : { alternativeNames: alternativeNames(names) }),
  });
  if (oldKeyPEM === undefined) await writeAtomically(keyPath, keyPEM, 0o600);
  await writeAtomically(certificatePath, issued, 0o600);
  return { certificatePEM: issued, keyPEM };
}
