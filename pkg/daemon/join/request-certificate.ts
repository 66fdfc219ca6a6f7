import { randomBytes } from 'node:crypto';
import { resources } from '../../api/generated/resources.ts';
import type { CertificateSigningRequest } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { Client } from '../../client/index.ts';
import { ConfigError } from '../../config/index.ts';

const TIMEOUT_MS = 60_000;

const SIGNERS = {
  client: { signerName: 'kubernetes.io/kube-apiserver-client-kubelet', usages: ['digital signature', 'client auth'] },
  server: { signerName: 'kubernetes.io/kubelet-serving', usages: ['digital signature', 'server auth'] },
} as const;

/** Nobody has approved or denied a request. */
export class UndecidedError extends Error {}

/**
 * Has a certificate request signed by way of the API. Resolves to the PEM certificate. Throws ConfigError when it is denied or
 * cannot be signed, UndecidedError when nobody decides within a minute.
 */
export async function requestCertificate(
  client: Client,
  nodeName: string,
  requestPEM: string,
  usage: keyof typeof SIGNERS,
  signal: AbortSignal,
): Promise<string> {
  const name = `node-csr-${nodeName}-${randomBytes(6).toString('hex')}`.slice(-253);
  const { signerName, usages } = SIGNERS[usage];
  const type = resources.certificatesigningrequests;
  const request = Buffer.from(requestPEM).toString('base64');
  await client.create(type, { metadata: { name }, spec: { request, signerName, usages: [...usages] } }, {}, signal);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const events = client.watch(type, { fieldSelector: `metadata.name=${name}` }, limit);
  for await (const event of events) {
    if (event.type === 'BOOKMARK' || event.type === 'DELETED') continue;
    const certificate = issued(event.object as DeepReadonly<CertificateSigningRequest>);
    if (certificate !== undefined) return certificate;
  }
  signal.throwIfAborted();
  throw new UndecidedError(
    `nobody decided on certificate request ${name} within ${TIMEOUT_MS / 1000} s; see kubectl get csr ${name}`,
  );
}

function issued({ metadata, status }: DeepReadonly<CertificateSigningRequest>): string | undefined {
  for (const { type, message = '' } of status?.conditions ?? []) {
    if (type === 'Denied' || type === 'Failed') {
      throw new ConfigError(
        `certificate request ${metadata.name} ${type === 'Denied' ? 'was denied' : 'failed'}: ${message}`,
      );
    }
  }
  const certificate = status?.certificate;
  return certificate === undefined || certificate === ''
    ? undefined
    : Buffer.from(certificate, 'base64').toString('latin1');
}
