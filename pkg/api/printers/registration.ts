import type { APIService, RuntimeClass, StorageVersion } from '../generated/types.ts';
import { firstFew } from './format.ts';
import {
  age,
  ageColumn,
  createdAtPrinter,
  definePrinter,
  nameColumn,
  type Printable,
  type PrinterTable,
  text,
} from './printer.ts';

const apiServicePrinter = definePrinter<APIService>(
  [
    nameColumn,
    text('Service', 'The service that answers for the API, or Local.'),
    text('Available', 'Whether the API can be used, and why not.'),
    ageColumn,
  ],
  (apiService, nowMs) => {
    const service = apiService.spec?.service;
    return [
      apiService.metadata.name,
      service === undefined ? 'Local' : `${service.namespace ?? ''}/${service.name ?? ''}`,
      availability(apiService),
      age(apiService, nowMs),
    ];
  },
);

function availability(apiService: Printable<APIService>): string {
  const available = apiService.status?.conditions?.find((condition) => condition.type === 'Available');
  if (available === undefined) return 'Unknown';
  return available.status === 'True' ? 'True' : `${available.status} (${available.reason})`;
}

const storageVersionPrinter = definePrinter<StorageVersion>(
  [
    nameColumn,
    text('CommonEncodingVersion', 'The version in which all API servers store the resource.'),
    text('StorageVersions', 'The version of each API server.'),
    ageColumn,
  ],
  (version, nowMs) => {
    const servers = (version.status?.storageVersions ?? []).map(
      ({ apiServerID, encodingVersion }) => `${apiServerID}=${encodingVersion}`,
    );
    return [
      version.metadata.name,
      version.status?.commonEncodingVersion ?? '<unset>',
      servers.length === 0 ? '<unset>' : firstFew(servers, 3),
      age(version, nowMs),
    ];
  },
);

const runtimeClassPrinter = definePrinter<RuntimeClass>(
  [nameColumn, text('Handler', 'What the container runtime calls the configuration.'), ageColumn],
  (runtimeClass, nowMs) => [runtimeClass.metadata.name, runtimeClass.handler ?? '', age(runtimeClass, nowMs)],
);

export const apiextensionsPrinters: PrinterTable = { CustomResourceDefinition: createdAtPrinter };
export const apiregistrationPrinters: PrinterTable = { APIService: apiServicePrinter };
export const internalPrinters: PrinterTable = { StorageVersion: storageVersionPrinter };
export const nodePrinters: PrinterTable = { RuntimeClass: runtimeClassPrinter };
