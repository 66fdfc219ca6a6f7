import type { DeviceClass, ResourceClaimTemplate, ResourceResourceClaim, ResourceSlice } from '../generated/types.ts';
import { age, ageColumn, definePrinter, nameColumn, type Printable, type PrinterTable, text } from './printer.ts';

const nameAndAgePrinter = definePrinter<DeviceClass | ResourceClaimTemplate>(
  [nameColumn, ageColumn],
  (object, nowMs) => [object.metadata.name, age(object, nowMs)],
);

const resourceClaimPrinter = definePrinter<ResourceResourceClaim>(
  [nameColumn, text('State', 'Whether it is allocated and in use.'), ageColumn],
  (claim, nowMs) => [claim.metadata.name, claimState(claim), age(claim, nowMs)],
);

function claimState(claim: Printable<ResourceResourceClaim>): string {
  const deleted = claim.metadata.deletionTimestamp !== undefined;
  const states = deleted ? ['deleted'] : [];
  if (claim.status?.allocation !== undefined) {
    states.push('allocated');
    if ((claim.status.reservedFor?.length ?? 0) > 0) states.push('reserved');
  } else if (!deleted) {
    states.push('pending');
  }
  return states.join(',');
}

const resourceSlicePrinter = definePrinter<ResourceSlice>(
  [
    nameColumn,
    text('Node', 'The node that has the devices.'),
    text('Driver', 'The driver that offers them.'),
    text('Pool', 'The pool that they belong to.'),
    ageColumn,
  ],
  (slice, nowMs) => [
    slice.metadata.name,
    slice.spec?.nodeName ?? '',
    slice.spec?.driver ?? '',
    slice.spec?.pool?.name ?? '',
    age(slice, nowMs),
  ],
);

export const resourcePrinters: PrinterTable = {
  DeviceClass: nameAndAgePrinter,
  DeviceTaintRule: nameAndAgePrinter,
  ResourceClaim: resourceClaimPrinter,
  ResourceClaimTemplate: nameAndAgePrinter,
  ResourceSlice: resourceSlicePrinter,
};
