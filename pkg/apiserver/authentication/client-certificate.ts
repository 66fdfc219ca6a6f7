import { AUTHENTICATED_GROUP } from '../../api/user.ts';
import type { Clock } from '../../base/clock.ts';
import type { X509Subject } from '../../pki/index.ts';
import type { AuthenticatedUser } from '../contract.ts';
import { CertificateVerifier } from './certificate-verifier.ts';

/** Users by client certificate: the CN is the user, every O a group, Kubernetes' own attribute the uid (from the DER, not from text). */
export class ClientCertificates {
  readonly #verifier: CertificateVerifier<AuthenticatedUser>;

  /** `caBundlePEM`: one or more CA certificates. */
  constructor(caBundlePEM: string, deps: { readonly clock: Clock }) {
    this.#verifier = new CertificateVerifier(caBundlePEM, { clock: deps.clock, describe: userOf });
  }

  /** The user of a DER certificate. Throws an Error that says why it is refused. */
  verify(der: Uint8Array): AuthenticatedUser {
    return this.#verifier.verify(der);
  }
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
