import { createHash, X509Certificate } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { AUTHENTICATED_GROUP } from '../../api/user.ts';
import type { Clock } from '../../base/clock.ts';
import { splitPEM, subjectOf } from '../../pki/index.ts';
import type { AuthenticatedUser } from '../contract.ts';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ANY_USAGE = '2.5.29.37.0';

interface Verified {
  readonly known: AuthenticatedUser;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/**
 * Users by client certificate: the CN is the user, every O a group (both from the DER, not from text). Verified
 * certificates are kept by their hash; only their time is checked again.
 */
export class ClientCertificates {
  readonly #authorities: readonly X509Certificate[];
  readonly #clock: Clock;
  readonly #verified = new LRUCache<string, Verified>({ max: 1000 });
  /** A connection presents the same array with every request. */
  readonly #seen = new WeakMap<Uint8Array, Verified>();

  /** `caBundlePEM`: one or more CA certificates. */
  constructor(caBundlePEM: string, deps: { readonly clock: Clock }) {
    this.#authorities = splitPEM(caBundlePEM, 'CERTIFICATE').map((pem) => new X509Certificate(pem));
    this.#clock = deps.clock;
  }

  /** The user of a DER certificate. Throws an Error that says why it is refused. */
  verify(der: Uint8Array): AuthenticatedUser {
    let verified = this.#seen.get(der);
    if (verified === undefined) {
      const hash = createHash('sha256').update(der).digest('hex');
      verified = this.#verified.get(hash) ?? this.#check(new X509Certificate(der), hash);
      this.#verified.set(hash, verified);
      this.#seen.set(der, verified);
    }
    const now = this.#clock.now();
    if (now < verified.validFromMs) throw new Error('the client certificate is not yet valid');
    if (now > verified.validToMs) throw new Error('the client certificate has expired');
    return verified.known;
  }

  #check(certificate: X509Certificate, hash: string): Verified {
    const authority = this.#authorities.find(
      (ca) => ca.ca && certificate.checkIssued(ca) && certificate.verify(ca.publicKey),
    );
    if (authority === undefined) throw new Error('the client certificate is signed by an unknown authority');
    const usages = certificate.keyUsage as readonly string[] | undefined;
    if (usages !== undefined && !usages.includes(CLIENT_AUTH) && !usages.includes(ANY_USAGE))
      throw new Error('the client certificate is not for client authentication');
    const { commonName, organizations } = subjectOf(certificate);
    if (commonName === '') throw new Error('the client certificate has no common name');
    return {
      known: {
        user: {
          username: commonName,
          groups: organizations.includes(AUTHENTICATED_GROUP) ? organizations : [...organizations, AUTHENTICATED_GROUP],
          extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${hash}`] },
        },
      },
      validFromMs: Math.max(certificate.validFromDate.getTime(), authority.validFromDate.getTime()),
      validToMs: Math.min(certificate.validToDate.getTime(), authority.validToDate.getTime()),
    };
  }
}
