import type { CertificateSigningRequest, Node } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';

/** What a certificate request asks for: its subject and alternative names. */
export interface RequestedCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

export const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';
export const KUBELET_CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';
export const KUBELET_SERVING_SIGNER = 'kubernetes.io/kubelet-serving';
export const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';

const USAGES: readonly string[] = ['digital signature', 'key encipherment'];

/** Why a signer must not sign; undefined: it may. Upstream: the signers' rules in pkg/controller/certificates/signer. */
export function refusal(signer: string, request: RequestedCertificate, usages: readonly string[]): string | undefined {
  switch (signer) {
    case CLIENT_SIGNER:
      return clientUsagesRefusal(usages);
    case KUBELET_CLIENT_SIGNER:
      return nodeRefusal(request) ?? namesRefusal(request) ?? usagesRefusal(usages, 'client auth');
    case KUBELET_SERVING_SIGNER:
      if (request.dnsNames.length + request.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required';
      return nodeRefusal(request) ?? otherNamesRefusal(request) ?? usagesRefusal(usages, 'server auth');
    default:
      return undefined;
  }
}

/**
 * Whether a node asks to serve under its own name. Upstream leaves serving certificates to whoever runs the cluster; here the
 * API server is to trust every kubelet without a person.
 */
export function isOwnServing(
  { spec }: DeepReadonly<CertificateSigningRequest>,
  { commonName, dnsNames }: RequestedCertificate,
): boolean {
  if (spec.username !== commonName || !spec.groups?.includes('system:nodes')) return false;
  return dnsNames.every((dnsName) => dnsName === nodeNameOf(commonName));
}

/** What a node asks to serve under that another node has. */
export interface TakenAddress {
  readonly address: string;
  readonly node: string;
}

/** The names and addresses of a request that are those of other nodes. */
export function takenAddresses(
  { commonName, dnsNames, ipAddresses }: RequestedCertificate,
  nodes: Iterable<DeepReadonly<Node>>,
): TakenAddress[] {
  const wanted = new Set([...dnsNames, ...ipAddresses]);
  const taken: TakenAddress[] = [];
  for (const { metadata, status } of nodes) {
    if (metadata.name === nodeNameOf(commonName)) continue;
    const found = status?.addresses?.find(({ address }) => wanted.has(address));
    if (found !== undefined) taken.push({ address: found.address, node: metadata.name });
  }
  return taken;
}

function nodeNameOf(commonName: string): string {
  return commonName.slice('system:node:'.length);
}

function nodeRefusal({ commonName, organizations }: RequestedCertificate): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes') {
    return 'subject organization is not system:nodes';
  }
  return commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node: ';
}

function namesRefusal(request: RequestedCertificate): string | undefined {
  if (request.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (request.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
  return otherNamesRefusal(request);
}

function otherNamesRefusal({ emailAddresses, uris }: RequestedCertificate): string | undefined {
  if (emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  return uris.length > 0 ? 'URI subjectAltNames are not allowed' : undefined;
}

function usagesRefusal(usages: readonly string[], required: string): string | undefined {
  const given = new Set(usages);
  // An RSA key may be used to encipher keys too.
  given.delete('key encipherment');
  const isFine = given.size === 2 && given.has('digital signature') && given.has(required);
  const all = required < 'digital signature' ? [required, ...USAGES] : [...USAGES, required];
  return isFine ? undefined : `usages did not match [${all.join(' ')}]`;
}

function clientUsagesRefusal(usages: readonly string[]): string | undefined {
  const other = usages.find((usage) => usage !== 'client auth' && !USAGES.includes(usage));
  if (other !== undefined) return `invalid usage for client certificate: ${other}`;
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
}
