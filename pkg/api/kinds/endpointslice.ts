import { isIPv4, isIPv6 } from 'node:net';
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Endpoint, EndpointSlice } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabels } from '../validation/label-selector.ts';
import { isDNS1123Label, isDNS1123Subdomain, isLabelValue, isQualifiedName } from '../validation/names.ts';
import { checkName, immutable, oneOf, supportedValue } from '../validation/values.ts';
import { specialAddress } from './service-validation.ts';
import { childObject, defaultPointer, dropZero, isZero } from './shape.ts';

type Object = DeepReadonly<EndpointSlice>;

const maxEndpoints = 1000;
const maxPorts = 20_000;
const maxAddresses = 100;
const maxHints = 8;
const maxTopologyLabels = 16;

export const endpointSliceStrategy: Strategy = {
  default(object) {
    const slice = object as unknown as EndpointSlice;
    for (const list of ['endpoints', 'ports'] as const) {
      if (isZero(slice[list])) object[list] = null;
    }
    for (const endpoint of slice.endpoints ?? []) {
      childObject(endpoint, 'conditions');
      dropZero(endpoint, ['deprecatedTopology']);
    }
    for (const port of slice.ports ?? []) {
      defaultPointer(port, 'name', '');
      defaultPointer(port, 'protocol', 'TCP');
    }
  },
  prepareForCreate: (object) => dropTopology(object as unknown as EndpointSlice),
  prepareForUpdate(object, old) {
    if (!equalJSON(object.endpoints ?? [], old.endpoints ?? [])) dropTopology(object as unknown as EndpointSlice);
  },
  specChanged(object, old) {
    const slice = object as unknown as Object;
    const before = old as unknown as Object;
    return (
      !equalJSON(slice.endpoints ?? [], before.endpoints ?? []) ||
      !equalJSON(slice.ports ?? [], before.ports ?? []) ||
      slice.addressType !== before.addressType ||
      !equalJSON(slice.metadata.labels ?? {}, before.metadata.labels ?? {})
    );
  },
  validate: (object) => validateSlice(object as unknown as Object),
  validateUpdate(object, old) {
    const slice = object as unknown as Object;
    const before = old as unknown as Object;
    return [...validateSlice(slice, before), ...immutable(slice.addressType, before.addressType, 'addressType')];
  },
  warnings: (object, old) =>
    old === undefined && (object as unknown as Object).addressType === 'FQDN'
      ? ['spec.addressType: FQDN endpoints are deprecated']
      : [],
};

/** Labels of endpoints are of an older version: v1 has fields instead. */
function dropTopology(slice: EndpointSlice): void {
  for (const endpoint of slice.endpoints ?? []) delete endpoint.deprecatedTopology;
}

/** Endpoints that an update leaves as they are may be of an older version's rules. */
function validateSlice(slice: Object, old?: Object): field.FieldError[] {
  const errors = oneOf(slice.addressType, ['FQDN', 'IPv4', 'IPv6'], 'addressType');
  errors.push(...validatePorts(slice));
  const wrong = validateEndpoints(slice.endpoints ?? [], slice.addressType ?? '');
  if (wrong.length > 0 && !equalJSON(slice.endpoints ?? [], old?.endpoints)) errors.push(...wrong);
  return errors;
}

function validateEndpoints(endpoints: readonly DeepReadonly<Endpoint>[], addressType: string): field.FieldError[] {
  if (endpoints.length > maxEndpoints) return [field.tooMany('endpoints', endpoints.length, maxEndpoints)];
  return endpoints.flatMap((endpoint, i) => validateEndpoint(endpoint, addressType, `endpoints[${i}]`));
}

function validatePorts(slice: Object): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const ports = slice.ports ?? [];
  if (ports.length > maxPorts) return [field.tooMany('ports', ports.length, maxPorts)];
  const names = new Set<string>();
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i];
    const path = `ports[${i}]`;
    const name = port?.name ?? '';
    if (name !== '') errors.push(...checkName(isDNS1123Label, name, `${path}.name`));
    if (names.has(name)) errors.push(field.duplicate(`${path}.name`, name));
    names.add(name);
    errors.push(...supportedValue(port?.protocol, ['SCTP', 'TCP', 'UDP'], `${path}.protocol`));
    if (port?.appProtocol !== undefined && port.appProtocol !== null) {
      errors.push(...checkName(isQualifiedName, port.appProtocol, `${path}.appProtocol`));
    }
  }
  return errors;
}

function validateEndpoint(endpoint: DeepReadonly<Endpoint>, type: string, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const addresses = endpoint.addresses ?? [];
  if (addresses.length === 0) errors.push(field.required(`${path}.addresses`, 'must contain at least 1 address'));
  if (addresses.length > maxAddresses) errors.push(field.tooMany(`${path}.addresses`, addresses.length, maxAddresses));
  for (let i = 0; i < addresses.length; i++) {
    errors.push(...validateAddress(addresses[i] ?? '', type, `${path}.addresses[${i}]`));
  }
  if (endpoint.nodeName !== undefined && endpoint.nodeName !== null) {
    errors.push(...checkName(isDNS1123Subdomain, endpoint.nodeName, `${path}.nodeName`));
  }
  const topology = endpoint.deprecatedTopology ?? {};
  const labels = Object.keys(topology).length;
  if (labels > maxTopologyLabels) {
    errors.push(field.tooMany(`${path}.deprecatedTopology`, labels, maxTopologyLabels));
  }
  errors.push(...validateLabels(topology, `${path}.deprecatedTopology`));
  if (endpoint.hostname !== undefined && endpoint.hostname !== null) {
    errors.push(...checkName(isDNS1123Label, endpoint.hostname, `${path}.hostname`));
  }
  for (const list of ['forZones', 'forNodes'] as const) {
    const hints = endpoint.hints?.[list] ?? [];
    const seen = new Set<string>();
    if (hints.length > maxHints) return [...errors, field.tooMany(`${path}.hints.${list}`, hints.length, maxHints)];
    for (let i = 0; i < hints.length; i++) {
      const name = hints[i]?.name ?? '';
      const at = `${path}.hints.${list}[${i}].name`;
      if (seen.has(name)) errors.push(field.duplicate(at, name));
      seen.add(name);
      errors.push(...checkName(list === 'forZones' ? isLabelValue : isDNS1123Subdomain, name, at));
    }
  }
  return errors;
}

/** A host name of at least two labels; a dot at its end does not count. */
function qualifiedDomainName(address: string, path: string): field.FieldError[] {
  if (address === '') return [field.required(path)];
  const name = address.replace(/\.$/, '');
  const wrong = isDNS1123Subdomain(name);
  if (wrong.length > 0) return [field.invalid(path, name, wrong.join(','))];
  const labels = name.split('.');
  if (labels.length < 2) {
    return [field.invalid(path, name, 'should be a domain with at least two segments separated by dots')];
  }
  const bad = labels.find((label) => isDNS1123Label(label).length > 0);
  return bad === undefined ? [] : [field.invalid(path, bad, isDNS1123Label(bad).join(','))];
}

function validateAddress(address: string, type: string, path: string): field.FieldError[] {
  if (type === 'FQDN') return qualifiedDomainName(address, path);
  if (type !== 'IPv4' && type !== 'IPv6') return [];
  if (!(type === 'IPv4' ? isIPv4(address) : isIPv6(address))) {
    return [field.invalid(path, address, `must be a valid ${type} address`)];
  }
  return specialAddress(address).map((detail) => field.invalid(path, address, detail));
}
