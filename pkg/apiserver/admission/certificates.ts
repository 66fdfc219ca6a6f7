import type { CertificateSigningRequest, ClusterTrustBundle } from '../../api/generated/types.ts';
import type { UserInfo } from '../../api/user.ts';
import { MASTERS_GROUP } from '../../api/user.ts';
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import { inspectCertificateRequest } from '../../pki/index.ts';
import type { AdmissionAttributes, AdmissionPlugin, Authorizer } from '../contract.ts';
import { refuse } from './refuse.ts';

const GROUP = 'certificates.k8s.io';

function forRequests(subresource: string, operation: string): Pick<AdmissionPlugin, 'handles'> {
  return {
    handles: (actual, { type }, actualSubresource) =>
      actual === operation &&
      type.group === GROUP &&
      type.resource === 'certificatesigningrequests' &&
      actualSubresource === subresource,
  };
}

/** Approving or denying needs the verb `approve` on the signer. */
export function certificateApproval({ authorizer }: { readonly authorizer: Authorizer }): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    ...forRequests('approval', 'UPDATE'),
    async validate(attributes) {
      const signerName = signerOf(attributes);
      if (!(await mayUse(authorizer, attributes.user, 'approve', signerName)))
        throw refuse(attributes, `user not permitted to approve requests with signerName "${signerName}"`);
    },
  };
}

/** Setting the certificate needs the verb `sign` on the signer. */
export function certificateSigning({ authorizer }: { readonly authorizer: Authorizer }): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    ...forRequests('status', 'UPDATE'),
    async validate(attributes) {
      const request = attributes.object as unknown as CertificateSigningRequest;
      const old = attributes.oldObject as unknown as DeepReadonly<CertificateSigningRequest>;
      const failed = (from: DeepReadonly<CertificateSigningRequest>): unknown =>
        (from.status?.conditions ?? []).filter((condition) => condition.type === 'Failed');
      if (request.status?.certificate === old.status?.certificate && equalJSON(failed(request), failed(old))) return;
      const signerName = signerOf(attributes);
      if (!(await mayUse(authorizer, attributes.user, 'sign', signerName)))
        throw refuse(attributes, `user not permitted to sign requests with signerName "${signerName}"`);
    },
  };
}

/** What is said to be a signer's authorities needs the verb `attest` on the signer. */
export function trustBundleAttestation({ authorizer }: { readonly authorizer: Authorizer }): AdmissionPlugin {
  const signer = (bundle: unknown): string => (bundle as DeepReadonly<ClusterTrustBundle>).spec.signerName ?? '';
  return {
    name: 'ClusterTrustBundleAttest',
    handles: (operation, { type }, subresource) =>
      (operation === 'CREATE' || operation === 'UPDATE') &&
      type.group === GROUP &&
      type.resource === 'clustertrustbundles' &&
      subresource === '',
    async validate(attributes) {
      const { object, oldObject, user } = attributes;
      const signerName = signer(object);
      if (oldObject !== undefined && signer(oldObject) !== signerName)
        throw refuse(attributes, 'changing signerName is forbidden');
      if (signerName !== '' && !(await mayUse(authorizer, user, 'attest', signerName)))
        throw refuse(attributes, `user not permitted to attest for signerName "${signerName}"`);
    },
  };
}

/** Nobody gets a certificate of the group system:masters by a request. */
export function certificateSubjectRestriction(): AdmissionPlugin {
  return {
    name: 'CertificateSubjectRestriction',
    ...forRequests('', 'CREATE'),
    async validate(attributes) {
      const { spec } = attributes.object as unknown as CertificateSigningRequest;
      if (spec.signerName !== 'kubernetes.io/kube-apiserver-client') return;
      const { organizations } = await inspectCertificateRequest(Buffer.from(spec.request, 'base64').toString('utf8'));
      if (organizations.includes(MASTERS_GROUP))
        throw refuse(attributes, `use of ${spec.signerName} signer with ${MASTERS_GROUP} group is not allowed`);
    },
  };
}

function signerOf(attributes: AdmissionAttributes): string {
  return (attributes.oldObject as unknown as DeepReadonly<CertificateSigningRequest>).spec.signerName;
}

/** `verb` on the signer itself or on `<domain>/*`. */
async function mayUse(authorizer: Authorizer, user: UserInfo, verb: string, signerName: string): Promise<boolean> {
  for (const name of [signerName, `${signerName.split('/')[0]}/*`]) {
    const { decision } = await authorizer.authorize({
      user,
      isResourceRequest: true,
      path: '',
      verb,
      group: GROUP,
      version: '*',
      resource: 'signers',
      subresource: '',
      namespace: '',
      name,
      subpath: '',
    });
    if (decision === 'allow') return true;
  }
  return false;
}
