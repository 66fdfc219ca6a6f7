/**
 * The cluster's certificates, keys and tokens: creates them on the first start, renews them near their end and signs
 * certificate requests. It does not decide who may have a certificate (the CSR approver does) nor what one allows
 * (pkg/apiserver/authentication and authorization). Corresponds to kubeadm's certs phase and k3s' deps package.
 * Nothing here loads the X.509 library unless something has to be issued.
 */
export { type Authority, authorityFromPEM, type KeyPair } from './authority.ts';
export { ensurePKI, FRONT_PROXY_USER, KUBELET_CLIENT_USER, type PKI, type PKIOptions } from './ensure.ts';
export { pemToDER, splitPEM, subjectOf, type X509Subject } from './inspect.ts';
export { caHash, formatJoinToken, type JoinToken, parseJoinToken, verifyJoinToken } from './join-token.ts';
export { type KubeconfigOptions, renderKubeconfig, writeKubeconfig } from './kubeconfig.ts';
export { ensureLeaf, type LeafProfile } from './leaf.ts';
export { ensureLocalLeaf } from './local-leaf.ts';
export { type CertificateRequester, ensureRequestedLeaf, renewalMs } from './requested-leaf.ts';
export { type ServiceAccountKeys, serviceAccountKeysFromPEM } from './service-account-keys.ts';
export {
  type CertificateRequestInfo,
  inspectCertificateRequest,
  type SignOptions,
  signCertificateRequest,
} from './sign.ts';
