import { AUTHENTICATED_GROUP } from '../../api/user.ts';
import type { Clock } from '../../base/clock.ts';
import type { Metrics } from '../../base/metrics.ts';
import { type HistogramSeries, TallyHistogram } from '../../base/tallies.ts';
import type { X509Subject } from '../../pki/index.ts';
import type { AuthenticatedUser } from '../contract.ts';
import { CertificateVerifier } from './certificate-verifier.ts';

/** Users by client certificate: the CN is the user, every O a group, Kubernetes' own attribute the uid (from the DER, not from text). */
export class ClientCertificates {
  readonly #verifier: CertificateVerifier<AuthenticatedUser>;

  /** `caBundlePEM`: one or more CA certificates. */
  constructor(caBundlePEM: string, deps: { readonly clock: Clock; readonly metrics?: Metrics }) {
    const expiration = deps.metrics && expirationSeries(deps.metrics);
    this.#verifier = new CertificateVerifier(caBundlePEM, {
      clock: deps.clock,
      describe: userOf,
      ...(expiration === undefined
        ? {}
        : { accepted: (remainingMs: number) => expiration.observe(remainingMs / 1000) }),
    });
  }

  /** The user of a DER certificate. Throws an Error that says why it is refused. */
  verify(der: Uint8Array): AuthenticatedUser {
    return this.#verifier.verify(der);
  }
}

const DAY_S = 86_400;
const HOUR_S = 3600;

function expirationSeries(metrics: Metrics): HistogramSeries {
  return new TallyHistogram(
    {
      name: 'apiserver_client_certificate_expiration_seconds',
      help: 'How long the certificates that clients show are still good for.',
      labelNames: [],
      buckets: [
        ...[0, HOUR_S / 2, HOUR_S, 2 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S],
        ...[1, 2, 4, 7, 30, 90, 180, 365].map((days) => days * DAY_S),
      ],
    },
    metrics,
  ).labels({});
}

function userOf({ commonName, organizations, uids = [] }: X509Subject, hash: string): AuthenticatedUser {
  if (commonName === '') throw new Error('the client certificate has no common name');
  const [uid, ...more] = uids;
  if (more.length > 0) throw new Error('the client certificate has several UIDs');
  return {
    user: {
      username: commonName,
      ...(uid === undefined || uid === '' ? {} : { uid }),
      groups: organizations.includes(AUTHENTICATED_GROUP) ? organizations : [...organizations, AUTHENTICATED_GROUP],
      extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${hash}`] },
    },
  };
}
