import { createHash, X509Certificate } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../base/clock.ts';
import { splitPEM, subjectOf, type X509Subject } from '../../pki/index.ts';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ANY_USAGE = '2.5.29.37.0';

interface Verified<T> {
  readonly value: T;
  readonly validFromMs: number;
  readonly validToMs: number;
}

export interface CertificateVerifierDeps<T> {
  readonly clock: Clock;
  /** What a good certificate stands for. `hash`: SHA-256 of the DER, in hex. Throws for one that is not wanted. */
  describe(subject: X509Subject, hash: string): T;
  /** Told how long a certificate that was shown is still good for, in milliseconds. */
  accepted?(remainingMs: number): void;
}

/** Verifies client certificates. What was verified is kept by its hash; only its time is checked again. */
export class CertificateVerifier<T> {
  readonly #authorities: readonly X509Certificate[];
  readonly #deps: CertificateVerifierDeps<T>;
  readonly #verified = new LRUCache<string, Verified<T>>({ max: 1000 });
  /** A connection presents the same array with every request. */
  readonly #seen = new WeakMap<Uint8Array, Verified<T>>();

  /** `caBundlePEM`: one or more CA certificates. */
  constructor(caBundlePEM: string, deps: CertificateVerifierDeps<T>) {
    this.#authorities = splitPEM(caBundlePEM, 'CERTIFICATE').map((pem) => new X509Certificate(pem));
    this.#deps = deps;
  }

  /** Takes a DER certificate. Throws an Error that says why it is refused. */
  verify(der: Uint8Array): T {
    let verified = this.#seen.get(der);
    if (verified === undefined) {
      const hash = createHash('sha256').update(der).digest('hex');
      verified = this.#verified.get(hash) ?? this.#check(new X509Certificate(der), hash);
      this.#verified.set(hash, verified);
      this.#seen.set(der, verified);
    }
    const now = this.#deps.clock.now();
    if (now < verified.validFromMs) throw new Error('the client certificate is not yet valid');
    if (now > verified.validToMs) throw new Error('the client certificate has expired');
    this.#deps.accepted?.(verified.validToMs - now);
    return verified.value;
  }

  #check(certificate: X509Certificate, hash: string): Verified<T> {
    const authority = this.#authorities.find(
      (ca) => ca.ca && certificate.checkIssued(ca) && certificate.verify(ca.publicKey),
    );
    if (authority === undefined) throw new Error('the client certificate is signed by an unknown authority');
    const usages = certificate.keyUsage as readonly string[] | undefined;
    if (usages !== undefined && !usages.includes(CLIENT_AUTH) && !usages.includes(ANY_USAGE))
      throw new Error('the client certificate is not for client authentication');
    return {
      value: this.#deps.describe(subjectOf(certificate), hash),
      validFromMs: Math.max(certificate.validFromDate.getTime(), authority.validFromDate.getTime()),
      validToMs: Math.min(certificate.validToDate.getTime(), authority.validToDate.getTime()),
    };
  }
}
