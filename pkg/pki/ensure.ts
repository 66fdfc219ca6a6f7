import { join } from 'node:path';
import { MASTERS_GROUP } from '../api/user.ts';
import type { Clock } from '../base/clock.ts';
import { type Authority, ensureAuthority, type KeyPair } from './authority.ts';
import { ensurePrivateDirectory } from './files.ts';
import { ensureJoinToken, type JoinToken } from './join-token.ts';
import { ensureLeaf, type LeafProfile } from './leaf.ts';
import { ensureServiceAccountKeys, type ServiceAccountKeys } from './service-account-keys.ts';

export interface PKIOptions {
  readonly clock: Clock;
  readonly nodeName: string;
  /** The node's addresses: IPs, and host names if any. */
  readonly nodeAddresses: readonly string[];
  /** Addresses and names by which clients reach the API server, beside the built-in ones. */
  readonly serverNames: readonly string[];
  /** The cluster IPs of the `kubernetes` Service. */
  readonly serviceIPs: readonly string[];
  /** `cluster.local`. */
  readonly clusterDomain: string;
  /** The secret of the join token, or a whole token; default: kept, or random. */
  readonly joinSecret?: string;
}

/** Every key pair of a server. Certificates and keys are PEM; `<name>.crt` and `<name>.key` lie in `directory`. */
export interface PKI {
  readonly directory: string;
  /** Signs what servers show: the API server, kubelets. Clients trust it; pods get it as kube-root-ca.crt. */
  readonly serverCA: Authority;
  /** Signs client certificates (admin, kubelets, CertificateSigningRequests). */
  readonly clientCA: Authority;
  /** Signs the front proxy's certificate, which aggregated API servers trust for X-Remote-User. */
  readonly requestHeaderCA: Authority;
  readonly apiserver: KeyPair;
  /** user system:admin in system:masters. */
  readonly admin: KeyPair;
  readonly kubeletServing: KeyPair;
  readonly kubeletClient: KeyPair;
  /** What the API server shows to kubelets. */
  readonly apiserverKubeletClient: KeyPair;
  /** What the API server shows to aggregated API servers. */
  readonly frontProxyClient: KeyPair;
  readonly serviceAccountKeys: ServiceAccountKeys;
  readonly joinToken: JoinToken;
}

/** The user that the API server is for kubelets; bootstrap RBAC lets it use their API. */
export const KUBELET_CLIENT_USER = 'kube-apiserver-kubelet-client';
export const FRONT_PROXY_USER = 'front-proxy-client';

/**
 * Loads all of a server's certificates, keys and tokens from `<directory>/tls` and `<directory>/token`, creating and
 * renewing what is missing, near its end or no longer as the options say. Directories are 0700, files 0600; every file is
 * replaced atomically, so a crash at any point is repaired by the next call.
 */
export async function ensurePKI(directory: string, options: PKIOptions): Promise<PKI> {
  const tls = join(directory, 'tls');
  await ensurePrivateDirectory(directory);
  await ensurePrivateDirectory(tls);
  const { clock } = options;
  const [serverCA, clientCA, requestHeaderCA, serviceAccountKeys] = await Promise.all([
    ensureAuthority(tls, 'server-ca', clock),
    ensureAuthority(tls, 'client-ca', clock),
    ensureAuthority(tls, 'request-header-ca', clock),
    ensureServiceAccountKeys(join(tls, 'service-account.key')),
  ]);
  const leaf = (authority: Authority, profile: LeafProfile): Promise<KeyPair> =>
    ensureLeaf(tls, authority, profile, clock);
  const [apiserver, admin, kubeletServing, kubeletClient, apiserverKubeletClient, frontProxyClient, joinToken] =
    await Promise.all([
      leaf(serverCA, apiserverProfile(options)),
      leaf(clientCA, clientProfile('admin', 'system:admin', [MASTERS_GROUP])),
      leaf(serverCA, kubeletServingProfile(options.nodeName, options.nodeAddresses)),
      leaf(clientCA, clientProfile('kubelet-client', `system:node:${options.nodeName}`, ['system:nodes'])),
      leaf(clientCA, clientProfile('apiserver-kubelet-client', KUBELET_CLIENT_USER, [])),
      leaf(requestHeaderCA, clientProfile('front-proxy-client', FRONT_PROXY_USER, [])),
      ensureJoinToken(directory, serverCA.certificatePEM, options.joinSecret),
    ]);
  return {
    directory: tls,
    serverCA,
    clientCA,
    requestHeaderCA,
    apiserver,
    admin,
    kubeletServing,
    kubeletClient,
    apiserverKubeletClient,
    frontProxyClient,
    serviceAccountKeys,
    joinToken,
  };
}

function apiserverProfile(options: PKIOptions): LeafProfile {
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  return {
    name: 'apiserver',
    commonName: 'kube-apiserver',
    organizations: [],
    usage: 'server',
    alternativeNames: [
      ...service,
      `kubernetes.default.svc.${options.clusterDomain}`,
      'localhost',
      options.nodeName,
      '127.0.0.1',
      '::1',
      ...options.serviceIPs,
      ...options.nodeAddresses,
      ...options.serverNames,
    ],
  };
}

function clientProfile(name: string, commonName: string, organizations: readonly string[]): LeafProfile {
  return { name, commonName, organizations, usage: 'client', alternativeNames: [] };
}

function kubeletServingProfile(nodeName: string, addresses: readonly string[]): LeafProfile {
  return {
    name: 'kubelet-serving',
    commonName: `system:node:${nodeName}`,
    organizations: ['system:nodes'],
    usage: 'server',
    alternativeNames: [nodeName, 'localhost', '127.0.0.1', ...addresses],
  };
}
