import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../generated/types.ts';
import { cidrWarnings, isStrictlyInside, parseCIDR } from '../validation/cidr.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { isValidPortName } from '../validation/names.ts';
import { checkName, portNumber } from '../validation/values.ts';
import { childObject, defaultPointer, dropZero, isZero } from './shape.ts';

type Spec = NonNullable<NetworkPolicy['spec']>;
type Check = (object: unknown) => field.FieldError[];

const protocols = ['TCP', 'UDP', 'SCTP'];

const validate: Check = (object) => validateSpec((object as DeepReadonly<NetworkPolicy>).spec);

export const networkPolicyStrategy: Strategy = {
  default(object) {
    const spec = childObject<Spec>(object, 'spec');
    childObject(spec, 'podSelector');
    dropZero(spec, ['ingress', 'egress']);
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) defaultPointer(port, 'protocol', 'TCP');
    }
    if (isZero(spec.policyTypes)) spec.policyTypes = isZero(spec.egress) ? ['Ingress'] : ['Ingress', 'Egress'];
  },
  validate,
  validateUpdate: validate,
  warnings: (object) => rangeWarnings((object as unknown as DeepReadonly<NetworkPolicy>).spec),
};

function validateSpec(spec: DeepReadonly<Spec> | undefined): field.FieldError[] {
  const errors = validateLabelSelector(spec?.podSelector, 'spec.podSelector');
  const ingress = spec?.ingress ?? [];
  for (let i = 0; i < ingress.length; i++) {
    errors.push(...validateRule(ingress[i]?.ports, ingress[i]?.from, `spec.ingress[${i}]`, 'from'));
  }
  const egress = spec?.egress ?? [];
  for (let i = 0; i < egress.length; i++) {
    errors.push(...validateRule(egress[i]?.ports, egress[i]?.to, `spec.egress[${i}]`, 'to'));
  }
  const types = spec?.policyTypes ?? [];
  if (types.length > 2) {
    errors.push(field.invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'));
    return errors;
  }
  for (let i = 0; i < types.length; i++) {
    const type = types[i] ?? '';
    if (type === 'Ingress' || type === 'Egress') continue;
    errors.push(field.notSupported(`spec.policyTypes[${i}]`, type, ['Ingress', 'Egress']));
  }
  return errors;
}

function validateRule(
  ports: readonly DeepReadonly<NetworkPolicyPort>[] | undefined,
  peers: readonly DeepReadonly<NetworkPolicyPeer>[] | undefined,
  path: string,
  side: 'from' | 'to',
): field.FieldError[] {
  const errors: field.FieldError[] = [];
  for (let i = 0; i < (ports?.length ?? 0); i++) errors.push(...validatePort(ports?.[i] ?? {}, `${path}.ports[${i}]`));
  for (let i = 0; i < (peers?.length ?? 0); i++)
    errors.push(...validatePeer(peers?.[i] ?? {}, `${path}.${side}[${i}]`));
  return errors;
}

function validatePort(port: DeepReadonly<NetworkPolicyPort>, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (port.protocol !== undefined && !protocols.includes(port.protocol)) {
    errors.push(field.notSupported(`${path}.protocol`, port.protocol, protocols));
  }
  const end = port.endPort;
  const hasEnd = typeof end === 'number';
  const at = `${path}.endPort`;
  if (port.port === undefined || port.port === null) {
    if (hasEnd) errors.push(field.invalid(at, end, 'may not be specified when `port` is not specified'));
  } else if (typeof port.port === 'string') {
    if (hasEnd) errors.push(field.invalid(at, end, 'may not be specified when `port` is non-numeric'));
    errors.push(...checkName(isValidPortName, port.port, `${path}.port`));
  } else {
    errors.push(...portNumber(port.port, `${path}.port`));
    if (hasEnd && end < port.port) errors.push(field.invalid(at, port.port, 'must be greater than or equal to `port`'));
    if (hasEnd) errors.push(...portNumber(end, at));
  }
  return errors;
}

function validatePeer(peer: DeepReadonly<NetworkPolicyPeer>, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (podSelector) errors.push(...validateLabelSelector(podSelector, `${path}.podSelector`));
  if (namespaceSelector) errors.push(...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`));
  if (ipBlock) errors.push(...validateIPBlock(ipBlock, `${path}.ipBlock`));
  if (!podSelector && !namespaceSelector && !ipBlock) errors.push(field.required(path, 'must specify a peer'));
  else if (ipBlock && (podSelector || namespaceSelector)) {
    errors.push(field.forbidden(path, 'may not specify both ipBlock and another peer'));
  }
  return errors;
}

function validateIPBlock(block: DeepReadonly<IPBlock>, path: string): field.FieldError[] {
  const cidr = block.cidr ?? '';
  const detail = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
  if (cidr === '') return [field.required(`${path}.cidr`)];
  const range = parseCIDR(cidr);
  if (range === undefined) return [field.invalid(`${path}.cidr`, cidr, detail)];
  return (block.except ?? []).flatMap((value, i) => {
    const exception = parseCIDR(value);
    if (exception === undefined) return [field.invalid(`${path}.except[${i}]`, value, detail)];
    if (isStrictlyInside(exception, range)) return [];
    return [field.invalid(`${path}.except[${i}]`, value, 'must be a strict subset of `cidr`')];
  });
}

function rangeWarnings(spec: DeepReadonly<Spec> | undefined): string[] {
  const warnings: string[] = [];
  const peersWarnings = (peers: readonly DeepReadonly<NetworkPolicyPeer>[] | undefined, path: string): void => {
    for (let i = 0; i < (peers?.length ?? 0); i++) {
      const block = peers?.[i]?.ipBlock;
      if (!block) continue;
      const at = `${path}[${i}].ipBlock`;
      warnings.push(...cidrWarnings(block.cidr ?? '', `${at}.cidr`));
      warnings.push(...(block.except ?? []).flatMap((value, j) => cidrWarnings(value, `${at}.except[${j}]`)));
    }
  };
  for (let i = 0; i < (spec?.ingress?.length ?? 0); i++)
    peersWarnings(spec?.ingress?.[i]?.from, `spec.ingress[${i}].from`);
  for (let i = 0; i < (spec?.egress?.length ?? 0); i++) peersWarnings(spec?.egress?.[i]?.to, `spec.egress[${i}].to`);
  return warnings;
}
