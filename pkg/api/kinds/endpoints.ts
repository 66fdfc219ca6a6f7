import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName } from '../validation/names.ts';
import { checkName, oneOf, portNumber } from '../validation/values.ts';
import { publicAddress } from './service-validation.ts';
import { defaultPlain, dropZero } from './shape.ts';

type Object = DeepReadonly<Endpoints>;

export const endpointsStrategy: Strategy = {
  default(object) {
    dropZero(object, ['subsets']);
    for (const subset of (object as unknown as Endpoints).subsets ?? []) {
      dropZero(subset, ['addresses', 'notReadyAddresses', 'ports']);
      for (const port of subset.ports ?? []) {
        dropZero(port, ['name']);
        defaultPlain(port, 'protocol', 'TCP');
      }
    }
  },
  prepareForCreate: (object) => canonicalize(object as unknown as Endpoints),
  prepareForUpdate: (object) => canonicalize(object as unknown as Endpoints),
  validate: (object) => validateEndpoints(object as unknown as Object),
  validateUpdate: (object) => validateEndpoints(object as unknown as Object),
  allowCreateOnUpdate: true,
};

interface Group {
  readonly ports: EndpointPort[];
  readonly ready: EndpointAddress[];
  readonly notReady: EndpointAddress[];
}

/** Addresses with the same ports come together in one subset; an address that is ready and not is not. */
function canonicalize(endpoints: Endpoints): void {
  if ((endpoints.subsets?.length ?? 0) === 0 || validateEndpoints(endpoints).length > 0) return;
  const addresses = new Map<string, EndpointAddress>();
  const byPort = new Map<string, { port: EndpointPort | undefined; ready: Map<string, boolean> }>();
  for (const subset of endpoints.subsets ?? []) mapSubset(subset, addresses, byPort);
  const groups = new Map<string, Group>();
  for (const { port, ready } of byPort.values()) {
    const keys = [...ready.keys()].sort();
    const key = keys.map((name) => `${name}=${ready.get(name)}`).join(',');
    const group = groups.get(key) ?? { ports: [], ready: [], notReady: [] };
    if (group.ready.length + group.notReady.length === 0) {
      for (const name of keys) {
        const address = addresses.get(name);
        if (address) (ready.get(name) ? group.ready : group.notReady).push(address);
      }
    }
    if (port) group.ports.push(port);
    groups.set(key, group);
  }
  endpoints.subsets = [...groups.values()].map(({ ports, ready, notReady }) => ({
    ...(ready.length > 0 ? { addresses: ready } : {}),
    ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
    ...(ports.length > 0 ? { ports } : {}),
  }));
}

function mapSubset(
  subset: EndpointSubset,
  addresses: Map<string, EndpointAddress>,
  byPort: Map<string, { port: EndpointPort | undefined; ready: Map<string, boolean> }>,
): void {
  const ports: (EndpointPort | undefined)[] = subset.ports && subset.ports.length > 0 ? subset.ports : [undefined];
  for (const port of ports) {
    const portKey = `${port?.name ?? ''}/${port?.port}/${port?.protocol}/${port?.appProtocol}`;
    const entry = byPort.get(portKey) ?? { port, ready: new Map<string, boolean>() };
    byPort.set(portKey, entry);
    for (const list of ['addresses', 'notReadyAddresses'] as const) {
      for (const address of subset[list] ?? []) {
        const key = `${address.ip}/${address.targetRef?.uid ?? ''}`;
        addresses.set(key, address);
        const isReady = list === 'addresses' && entry.ready.get(key) !== false;
        entry.ready.set(key, isReady);
      }
    }
  }
}

function validateEndpoints(endpoints: Object): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const subsets = endpoints.subsets ?? [];
  for (let i = 0; i < subsets.length; i++) {
    const path = `subsets[${i}]`;
    const ready = subsets[i]?.addresses ?? [];
    const notReady = subsets[i]?.notReadyAddresses ?? [];
    if (ready.length + notReady.length === 0) {
      errors.push(field.required(path, 'must specify `addresses` or `notReadyAddresses`'));
    }
    for (let j = 0; j < ready.length; j++) errors.push(...validateAddress(ready[j], `${path}.addresses[${j}]`));
    for (let j = 0; j < notReady.length; j++) {
      errors.push(...validateAddress(notReady[j], `${path}.notReadyAddresses[${j}]`));
    }
    const ports = subsets[i]?.ports ?? [];
    for (let j = 0; j < ports.length; j++) {
      errors.push(...validatePort(ports[j], ports.length > 1, `${path}.ports[${j}]`));
    }
  }
  return errors;
}

function validateAddress(address: DeepReadonly<EndpointAddress> | undefined, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (address?.hostname) errors.push(...checkName(isDNS1123Label, address.hostname, `${path}.hostname`));
  if (address?.nodeName !== undefined && address.nodeName !== null) {
    errors.push(...checkName(isDNS1123Subdomain, address.nodeName, `${path}.nodeName`));
  }
  errors.push(...publicAddress(address?.ip ?? '', `${path}.ip`));
  return errors;
}

function validatePort(
  port: DeepReadonly<EndpointPort> | undefined,
  requireName: boolean,
  path: string,
): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (requireName && !port?.name) errors.push(field.required(`${path}.name`));
  else if (port?.name) errors.push(...checkName(isDNS1123Label, port.name, `${path}.name`));
  errors.push(...portNumber(port?.port, `${path}.port`));
  errors.push(...oneOf(port?.protocol, ['SCTP', 'TCP', 'UDP'], `${path}.protocol`));
  if (port?.appProtocol !== undefined && port.appProtocol !== null) {
    errors.push(...checkName(isQualifiedName, port.appProtocol, `${path}.appProtocol`));
  }
  return errors;
}
