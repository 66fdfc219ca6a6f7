import { isIP } from 'node:net';
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { EndpointAddress, EndpointPort, Endpoints } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { ipWarnings } from '../validation/ip.ts';
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName } from '../validation/names.ts';
import { checkName, ipAddress, oneOf, portNumber } from '../validation/values.ts';
import { specialAddress } from './service-validation.ts';
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
  validate: (object) => validateEndpoints(object as unknown as Object),
  validateUpdate: (object) => validateEndpoints(object as unknown as Object),
  warnings(object) {
    const { subsets } = object as unknown as Object;
    return (subsets ?? []).flatMap((subset, i) =>
      (['addresses', 'notReadyAddresses'] as const).flatMap((list) =>
        (subset[list] ?? []).flatMap(({ ip }, j) => ipWarnings(ip, `subsets[${i}].${list}[${j}].ip`)),
      ),
    );
  },
  allowCreateOnUpdate: true,
};

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
  const ip = address?.ip ?? '';
  const errors = ipAddress(ip, `${path}.ip`);
  if (address?.hostname) errors.push(...checkName(isDNS1123Label, address.hostname, `${path}.hostname`));
  if (address?.nodeName !== undefined && address.nodeName !== null) {
    errors.push(...checkName(isDNS1123Subdomain, address.nodeName, `${path}.nodeName`));
  }
  // Upstream says twice of what is no address that it is none.
  const special = isIP(ip) === 0 ? ['must be a valid IP address'] : specialAddress(ip);
  return [...errors, ...special.map((text) => field.invalid(`${path}.ip`, ip, text))];
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
