import { isIP } from 'node:net';
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Ingress, IngressBackend, IngressClass, IngressRule } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import {
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  isValidPortName,
  isWildcardDNS1123Subdomain,
} from '../validation/names.ts';
import { checkName, domainPrefixedPath, immutable, ipAddress, portNumber } from '../validation/values.ts';
import { childObject, defaultPointer, dropZero } from './shape.ts';

type Object = DeepReadonly<Ingress>;

const classAnnotation = 'kubernetes.io/ingress.class';
const notIPText = 'must be a DNS name, not an IP address';
const badInPath = ['//', '/./', '/../', '%2f', '%2F'];
const badAtEnd = ['/..', '/.'];

export const ingressStrategy: Strategy = {
  default(object) {
    dropZero(childObject(object, 'spec'), ['rules', 'tls']);
    childObject(childObject(object, 'status'), 'loadBalancer');
  },
  prepareForCreate(object) {
    object.status = { loadBalancer: {} };
  },
  validate(object) {
    const { metadata, spec } = object as unknown as Object;
    const errors = validateSpec(spec ?? {});
    const annotation = metadata.annotations?.[classAnnotation];
    if (annotation !== undefined && spec?.ingressClassName !== undefined && annotation !== spec.ingressClassName) {
      const detail = 'must match `ingressClassName` when both are specified';
      errors.push(field.invalid(`annotations.${classAnnotation}`, annotation, detail));
    }
    return errors;
  },
  validateUpdate(object, old, { subresource }) {
    const { spec, status } = object as unknown as Object;
    if (subresource === 'status') return validateStatus(status?.loadBalancer?.ingress);
    const before = (old as unknown as Object).spec ?? {};
    const secretNames = before.tls?.some(({ secretName }) => secretName && isDNS1123Subdomain(secretName).length > 0);
    const wildcards = before.rules?.some(
      (rule) => rule.host?.includes('*') === true && validatePaths(rule, '').length > 0,
    );
    return validateSpec(spec ?? {}, { secretNames: secretNames === true, wildcards: wildcards === true });
  },
  warnings(object, old) {
    const { metadata, spec } = object as unknown as Object;
    if (old !== undefined || spec?.ingressClassName !== undefined) return [];
    if (metadata.annotations?.[classAnnotation] === undefined) return [];
    return [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`];
  },
};

/** Mistakes that are tolerated because the object had them before. */
interface Tolerated {
  readonly secretNames?: boolean;
  /** Whatever rules for hosts with a wildcard say. */
  readonly wildcards?: boolean;
}

function validateSpec(spec: DeepReadonly<NonNullable<Ingress['spec']>>, tolerated: Tolerated = {}): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const rules = spec.rules ?? [];
  if (rules.length === 0 && !spec.defaultBackend) {
    errors.push(field.invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (spec.defaultBackend) errors.push(...validateBackend(spec.defaultBackend, 'spec.defaultBackend'));
  for (let i = 0; i < rules.length; i++) errors.push(...validateRule(rules[i] ?? {}, tolerated, `spec.rules[${i}]`));
  const tls = spec.tls ?? [];
  for (let i = 0; i < tls.length; i++) {
    const hosts = tls[i]?.hosts ?? [];
    for (let j = 0; j < hosts.length; j++) errors.push(...validateHost(hosts[j] ?? '', `spec.tls[${i}].hosts[${j}]`));
    if (tls[i]?.secretName && tolerated.secretNames !== true) {
      errors.push(...checkName(isDNS1123Subdomain, tls[i]?.secretName, `spec.tls[${i}].secretName`));
    }
  }
  if (spec.ingressClassName !== undefined && spec.ingressClassName !== null) {
    errors.push(...checkName(isDNS1123Subdomain, spec.ingressClassName, 'spec.ingressClassName'));
  }
  return errors;
}

function validateStatus(
  addresses: readonly DeepReadonly<{ ip?: string; hostname?: string }>[] | undefined,
): field.FieldError[] {
  const errors: field.FieldError[] = [];
  for (let i = 0; i < (addresses?.length ?? 0); i++) {
    const { ip, hostname } = addresses?.[i] ?? {};
    const at = `status.loadBalancer.ingress[${i}]`;
    if (ip) errors.push(...ipAddress(ip, `${at}.ip`));
    if (!hostname) continue;
    errors.push(...checkName(isDNS1123Subdomain, hostname, `${at}.hostname`));
    if (isIP(hostname) !== 0) errors.push(field.invalid(`${at}.hostname`, hostname, notIPText));
  }
  return errors;
}

function validateHost(host: string, path: string): field.FieldError[] {
  return checkName(host.includes('*') ? isWildcardDNS1123Subdomain : isDNS1123Subdomain, host, path);
}

function validateRule(rule: DeepReadonly<IngressRule>, tolerated: Tolerated, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (rule.host) {
    if (isIP(rule.host) !== 0) errors.push(field.invalid(`${path}.host`, rule.host, notIPText));
    errors.push(...validateHost(rule.host, `${path}.host`));
  }
  if (tolerated.wildcards === true && rule.host?.includes('*')) return errors;
  return [...errors, ...validatePaths(rule, path)];
}

function validatePaths(rule: DeepReadonly<IngressRule>, path: string): field.FieldError[] {
  if (!rule.http) return [];
  const errors: field.FieldError[] = [];
  const paths = rule.http.paths ?? [];
  if (paths.length === 0) errors.push(field.required(`${path}.http.paths`));
  for (let i = 0; i < paths.length; i++) {
    const at = `${path}.http.paths[${i}]`;
    const { pathType, path: value = '', backend = {} } = paths[i] ?? {};
    if (pathType === undefined || pathType === null) {
      errors.push(field.required(`${at}.pathType`, 'pathType must be specified'));
      continue;
    }
    errors.push(...validatePath(pathType, value, at), ...validateBackend(backend, `${at}.backend`));
  }
  return errors;
}

function validatePath(type: string, value: string, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const at = `${path}.path`;
  if (type === 'Exact' || type === 'Prefix') {
    if (!value.startsWith('/')) errors.push(field.invalid(at, value, 'must be an absolute path'));
    for (const bad of badInPath) {
      if (value.includes(bad)) errors.push(field.invalid(at, value, `must not contain '${bad}'`));
    }
    for (const bad of badAtEnd) {
      if (value.endsWith(bad)) errors.push(field.invalid(at, value, `cannot end with '${bad}'`));
    }
  } else if (type === 'ImplementationSpecific') {
    if (value !== '' && !value.startsWith('/')) errors.push(field.invalid(at, value, 'must be an absolute path'));
  } else {
    const supported = ['Exact', 'ImplementationSpecific', 'Prefix'];
    errors.push(field.notSupported(`${path}.pathType`, type, supported));
  }
  return errors;
}

function validateBackend(backend: DeepReadonly<IngressBackend>, path: string): field.FieldError[] {
  const { resource, service } = backend;
  if (resource && service) return [field.invalid(path, '', 'cannot set both resource and service backends')];
  const errors: field.FieldError[] = [];
  if (resource) return validateReference(resource, `${path}.resource`);
  if (!service) return [field.invalid(path, '', 'resource or service backend is required')];
  if (!service.name) errors.push(field.required(`${path}.service.name`));
  else errors.push(...checkName(isDNS1035Label, service.name, `${path}.service.name`));
  const { name, number } = service.port ?? {};
  if (name && number) errors.push(field.invalid(path, '', 'cannot set both port name & port number'));
  else if (name) errors.push(...checkName(isValidPortName, name, `${path}.service.port.name`));
  else if (number) errors.push(...portNumber(number, `${path}.service.port.number`));
  else errors.push(field.required(path, 'port name or number is required'));
  return errors;
}

export const ingressClassStrategy: Strategy = {
  default(object) {
    const parameters = (object as unknown as IngressClass).spec?.parameters;
    if (parameters) defaultPointer(parameters, 'scope', 'Cluster');
    childObject(object, 'spec');
  },
  validate: (object) => validateClass((object as unknown as DeepReadonly<IngressClass>).spec ?? {}),
  validateUpdate(object, old) {
    const { spec } = object as unknown as DeepReadonly<IngressClass>;
    const before = (old as unknown as DeepReadonly<IngressClass>).spec;
    return [...immutable(spec?.controller, before?.controller, 'spec.controller'), ...validateClass(spec ?? {})];
  },
};

function validateClass(spec: DeepReadonly<NonNullable<IngressClass['spec']>>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const controller = spec.controller ?? '';
  if (controller.length > 250) errors.push(field.tooLong('spec.controller', 250));
  errors.push(...domainPrefixedPath(controller, 'spec.controller'));
  if (!spec.parameters) return errors;
  const path = 'spec.parameters';
  errors.push(...validateReference(spec.parameters, path));
  const { scope, namespace } = spec.parameters;
  const hasNamespace = namespace !== undefined && namespace !== null;
  if (scope === 'Namespace') {
    if (hasNamespace) errors.push(...checkName(isDNS1123Label, namespace, `${path}.namespace`));
    else errors.push(field.required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  } else if (scope !== 'Cluster') {
    errors.push(field.notSupported(`${path}.scope`, scope ?? '', ['Cluster', 'Namespace']));
  } else if (hasNamespace) {
    errors.push(field.forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
}

/** An object named by group, kind and name. */
function validateReference(
  reference: DeepReadonly<{ apiGroup?: string | null; kind?: string; name?: string }>,
  path: string,
): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { apiGroup } = reference;
  if (apiGroup !== undefined && apiGroup !== null) {
    errors.push(...checkName(isDNS1123Subdomain, apiGroup, `${path}.apiGroup`));
  }
  for (const name of ['kind', 'name'] as const) {
    if (reference[name]) errors.push(...checkName(isPathSegmentName, reference[name], `${path}.${name}`));
    else errors.push(field.required(`${path}.${name}`, `${name} is required`));
  }
  return errors;
}
