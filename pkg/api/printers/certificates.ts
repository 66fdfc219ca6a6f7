import type { CertificateSigningRequest, ClusterTrustBundle, PodCertificateRequest } from '../generated/types.ts';
import { humanDuration } from './human-duration.ts';
import { age, ageColumn, definePrinter, nameColumn, type Printable, type PrinterTable, text } from './printer.ts';

const signingRequestPrinter = definePrinter<CertificateSigningRequest>(
  [
    nameColumn,
    ageColumn,
    text('SignerName', 'The signer that is asked.'),
    text('Requestor', 'Who asks.'),
    text('RequestedDuration', 'How long the certificate should be valid.'),
    text('Condition', 'Whether it is approved and issued.'),
  ],
  (request, nowMs) => {
    const seconds = request.spec?.expirationSeconds;
    return [
      request.metadata.name,
      age(request, nowMs),
      request.spec?.signerName ?? '<none>',
      request.spec?.username ?? '',
      seconds === undefined ? '<none>' : humanDuration(seconds * 1000),
      condition(request),
    ];
  },
);

function condition(request: Printable<CertificateSigningRequest>): string {
  const types = new Set((request.status?.conditions ?? []).map(({ type }) => type));
  const parts = [types.has('Denied') ? 'Denied' : types.has('Approved') ? 'Approved' : 'Pending'];
  if (types.has('Failed')) parts.push('Failed');
  if (request.status?.certificate) parts.push('Issued');
  return parts.join(',');
}

const trustBundlePrinter = definePrinter<ClusterTrustBundle>(
  [nameColumn, text('SignerName', 'The signer whose certificates it verifies.')],
  (bundle) => [bundle.metadata.name, bundle.spec?.signerName || '<none>'],
);

const podCertificatePrinter = definePrinter<PodCertificateRequest>(
  [
    nameColumn,
    text('PodName', 'The pod that gets the certificate.'),
    text('ServiceAccountName', 'The service account of the pod.'),
    text('NodeName', 'The node of the pod.'),
    text('SignerName', 'The signer that is asked.'),
    text('State', 'Whether it is issued, denied or failed.'),
  ],
  ({ metadata, spec, status }) => [
    metadata.name,
    spec?.podName ?? '',
    spec?.serviceAccountName ?? '',
    spec?.nodeName ?? '',
    spec?.signerName ?? '',
    status?.conditions?.find(({ type }) => type === 'Issued' || type === 'Denied' || type === 'Failed')?.type ??
      'Pending',
  ],
);

export const certificatesPrinters: PrinterTable = {
  CertificateSigningRequest: signingRequestPrinter,
  ClusterTrustBundle: trustBundlePrinter,
  PodCertificateRequest: podCertificatePrinter,
};
