import type { Lease, LeaseCandidate } from '../generated/types.ts';
import { age, ageColumn, definePrinter, nameColumn, type PrinterTable, text } from './printer.ts';

const leasePrinter = definePrinter<Lease>(
  [nameColumn, text('Holder', 'Who holds the lease.'), ageColumn],
  (lease, nowMs) => [lease.metadata.name, lease.spec?.holderIdentity ?? '', age(lease, nowMs)],
);

const leaseCandidatePrinter = definePrinter<LeaseCandidate>(
  [
    nameColumn,
    text('LeaseName', 'The lease that it runs for.'),
    text('BinaryVersion', 'The version of the candidate.'),
    text('EmulationVersion', 'The version that the candidate behaves as.'),
    text('Strategy', 'How the leader is chosen.'),
    ageColumn,
  ],
  (candidate, nowMs) => [
    candidate.metadata.name,
    candidate.spec?.leaseName ?? '',
    candidate.spec?.binaryVersion ?? '',
    candidate.spec?.emulationVersion ?? '',
    candidate.spec?.strategy ?? '',
    age(candidate, nowMs),
  ],
);

export const coordinationPrinters: PrinterTable = { Lease: leasePrinter, LeaseCandidate: leaseCandidatePrinter };
