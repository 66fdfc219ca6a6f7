import { isIP } from 'node:net';
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaimConsumerReference,
  ResourceResourceClaim,
} from '../generated/types.ts';
import { parseCIDR } from '../validation/cidr.ts';
import { validateConditions } from '../validation/conditions.ts';
import * as field from '../validation/field-error.ts';
import { byteLength } from '../validation/names.ts';
import { immutableText } from '../validation/values.ts';
import { validateDeviceDriverName } from './csi-name-validation.ts';
import { maxConfigs, requestNames, validateReference, validateReferences } from './device-claim-validation.ts';
import {
  validateBinding,
  validateEach,
  validateLabelName,
  validateOpaque,
  validatePoolName,
  validateRaw,
  validateSet,
} from './device-validation.ts';
import { validateNodeSelector } from './scheduling-validation.ts';

type FieldError = field.FieldError;
type Claim = DeepReadonly<ResourceResourceClaim>;
type Names = ReadonlySet<string>;

const maxReserved = 256;
const maxResults = 32;
const maxConditions = 8;
const maxDataBytes = 10 * 1024;
const maxIPs = 16;
const maxInterfaceNameBytes = 256;
const maxHardwareAddressBytes = 128;

export function validateClaimStatus(claim: Claim, old: Claim): FieldError[] {
  const status = claim.status ?? {};
  const before = old.status ?? {};
  const reserved = status.reservedFor ?? [];
  const path = 'status.reservedFor';
  const errors = validateSet(reserved, maxReserved, validateConsumer, ({ uid }) => uid ?? '', path);
  const allocated = new Set(status.allocation?.devices?.results?.map(deviceKey));
  const checkDevice = (device: DeepReadonly<AllocatedDeviceStatus>, at: string): FieldError[] =>
    validateDeviceStatus(device, allocated, at);
  errors.push(...validateSet(status.devices, Number.POSITIVE_INFINITY, checkDevice, deviceKey, 'status.devices'));
  if (reserved.length > 0 && !status.allocation) {
    errors.push(field.forbidden(path, 'may not be specified when `allocated` is not set'));
  } else if (claim.metadata?.deletionTimestamp !== undefined) {
    const known = before.reservedFor ?? [];
    if (reserved.some((consumer) => !known.some((one) => equalJSON(one, consumer)))) {
      const detail = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
      errors.push(field.forbidden(path, detail));
    }
  }
  if (!status.allocation) return errors;
  if (!before.allocation) {
    return [
      ...errors,
      ...validateAllocation(status.allocation, requestNames(claim.spec?.devices), 'status.allocation'),
    ];
  }
  if (equalJSON(status.allocation, before.allocation)) return errors;
  return [...errors, field.invalid('status.allocation', status.allocation, immutableText)];
}

function deviceKey(device: { driver?: string; pool?: string; device?: string; shareID?: string }): string {
  const { driver = '', pool = '', device: name = '', shareID } = device;
  return shareID === undefined ? `${driver}/${pool}/${name}` : `${driver}/${pool}/${name}/${shareID}`;
}

function validateConsumer(consumer: DeepReadonly<ResourceClaimConsumerReference>, path: string): FieldError[] {
  return (['resource', 'name', 'uid'] as const)
    .filter((name) => !consumer[name])
    .map((name) => field.required(`${path}.${name}`));
}

function validateAllocation(allocation: DeepReadonly<AllocationResult>, names: Names, path: string): FieldError[] {
  const errors = [
    ...validateEach(
      allocation.devices?.results,
      maxResults,
      (result, at) => validateResult(result, names, at),
      `${path}.devices.results`,
    ),
    // Settings of the class and of the claim.
    ...validateEach(
      allocation.devices?.config,
      2 * maxConfigs,
      (config, at) => validateConfig(config, names, at),
      `${path}.devices.config`,
    ),
  ];
  if (!allocation.nodeSelector) return errors;
  return [...errors, ...validateNodeSelector(allocation.nodeSelector, `${path}.nodeSelector`)];
}

function validateResult(result: DeepReadonly<DeviceRequestAllocationResult>, names: Names, path: string): FieldError[] {
  return [
    ...validateReference(result.request ?? '', names, `${path}.request`),
    ...validateDeviceDriverName(result.driver, `${path}.driver`),
    ...validatePoolName(result.pool, `${path}.pool`),
    ...validateLabelName(result.device, `${path}.device`),
    ...validateBinding(result.bindingConditions, result.bindingFailureConditions, path),
    ...validateShare(result.shareID, `${path}.shareID`),
  ];
}

function validateShare(id: string | undefined, path: string): FieldError[] {
  if (id === undefined || id === null) return [];
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return [];
  const detail =
    'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters';
  return [field.invalid(path, id, detail)];
}

function validateConfig(config: DeepReadonly<DeviceAllocationConfiguration>, names: Names, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const sources = ['FromClaim', 'FromClass'];
  if (!config.source) errors.push(field.required(`${path}.source`));
  else if (!sources.includes(config.source)) errors.push(field.notSupported(`${path}.source`, config.source, sources));
  return [
    ...errors,
    ...validateReferences(config.requests, names, `${path}.requests`),
    ...validateOpaque(config.opaque, `${path}.opaque`),
  ];
}

function validateDeviceStatus(
  device: DeepReadonly<AllocatedDeviceStatus>,
  allocated: Names,
  path: string,
): FieldError[] {
  const errors = [
    ...validateDeviceDriverName(device.driver, `${path}.driver`),
    ...validatePoolName(device.pool, `${path}.pool`),
    ...validateLabelName(device.device, `${path}.device`),
    ...validateShare(device.shareID, `${path}.shareID`),
  ];
  if (!allocated.has(deviceKey(device))) {
    errors.push(field.invalid(path, deviceKey(device), 'must be an allocated device in the claim'));
  }
  const count = device.conditions?.length ?? 0;
  if (count > maxConditions) errors.push(field.tooMany(`${path}.conditions`, count, maxConditions));
  errors.push(...validateConditions(device.conditions, `${path}.conditions`));
  if (device.data !== undefined) errors.push(...validateRaw(device.data, maxDataBytes, `${path}.data`));
  if (device.networkData) errors.push(...validateNetworkData(device.networkData, `${path}.networkData`));
  return errors;
}

function validateNetworkData(data: DeepReadonly<NetworkDeviceData>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const limits = [
    ['interfaceName', maxInterfaceNameBytes],
    ['hardwareAddress', maxHardwareAddressBytes],
  ] as const;
  for (const [name, max] of limits) {
    if (byteLength(data[name] ?? '') > max) errors.push(field.tooLong(`${path}.${name}`, max));
  }
  return [...errors, ...validateSet(data.ips, maxIPs, validateInterfaceAddress, (address) => address, `${path}.ips`)];
}

/** An address with the length of its network. */
function validateInterfaceAddress(address: string, path: string): FieldError[] {
  if (parseCIDR(address) !== undefined && isIP(address.split('/')[0] ?? '') !== 0) return [];
  const detail = 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)';
  return [field.invalid(path, address, detail)];
}
