import { isIP } from 'node:net';
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Ingress, IngressBackend, IngressClass, IngressRule } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import {
  isDNS1035Label,
  isDNS1123Subdomain,
  isValidPortName,
  isWildcardDNS1123Subdomain,
} from '../validation/names.ts';
import { checkName, domainPrefixedPath, immutable, portNumber } from '../validation/values.ts';
import { validateLoadBalancerStatus } from './service-validation.ts';
import { childObject, defaultPointer, dropZero } from './shape.ts';

type Object = DeepReadonly<Ingress>;

const classAnnotation = 'kubernetes.io/ingress.class';
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
    const annotation = metadata.annotations?.[classAnnotation];
    const errors: field.FieldError[] = [];
    if (annotation !== undefined && spec?.ingressClassName !== undefined && annotation !== spec.ingressClassName) {
      const detail = 'must match `ingressClassName` when both are specified';
      errors.push(field.invalid(`annotations.${classAnnotation}`, annotation, detail));
    }
    return [...errors, ...validateSpec(spec ?? {})];
  },
  validateUpdate(object, _old, { subresource }) {
    const { spec, status } = object as unknown as Object;
    if (subresource !== 'status') return validateSpec(spec ?? {});
    return validateLoadBalancerStatus(status?.loadBalancer?.ingress, 'status.loadBalancer.ingress');
  },
};

function validateSpec(spec: DeepReadonly<NonNullable<Ingress['spec']>>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const rules = spec.rules ?? [];
  for (let i = 0; i < rules.length; i++) errors.push(...validateRule(rules[i] ?? {}, `spec.rules[${i}]`));
  if (spec.defaultBackend) errors.push(...validateBackend(spec.defaultBackend, 'spec.defaultBackend'));
  else if (rules.length === 0) {
    errors.push(field.invalid('spec', rules, 'either `defaultBackend` or `rules` must be specified'));
  }
  const tls = spec.tls ?? [];
  for (let i = 0; i < tls.length; i++) {
    const hosts = tls[i]?.hosts ?? [];
    for (let j = 0; j < hosts.length; j++) errors.push(...validateHost(hosts[j] ?? '', `spec.tls[${i}].hosts[${j}]`));
    if (tls[i]?.secretName) {
      errors.push(...checkName(isDNS1123Subdomain, tls[i]?.secretName, `spec.tls[${i}].secretName`));
    }
  }
  if (spec.ingressClassName !== undefined && spec.ingressClassName !== null) {
    errors.push(...checkName(isDNS1123Subdomain, spec.ingressClassName, 'spec.ingressClassName'));
  }
  return errors;
}

function validateHost(host: string, path: string): field.FieldError[] {
  return checkName(host.includes('*') ? isWildcardDNS1123Subdomain : isDNS1123Subdomain, host, path);
}

function validateRule(rule: DeepReadonly<IngressRule>, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (rule.host) {
    if (isIP(rule.host) !== 0) {
      errors.push(field.invalid(`${path}.host`, rule.host, 'must be a DNS name, not an IP address'));
    } else errors.push(...validateHost(rule.host, `${path}.host`));
  }
  if (!rule.http) return errors;
  const paths = rule.http.paths ?? [];
  if (paths.length === 0) errors.push(field.required(`${path}.http.paths`));
  for (let i = 0; i < paths.length; i++) {
    const at = `${path}.http.paths[${i}]`;
    errors.push(...validatePath(paths[i]?.pathType, paths[i]?.path ?? '', at));
    errors.push(...validateBackend(paths[i]?.backend ?? {}, `${at}.backend`));
  }
  return errors;
}

function validatePath(type: string | undefined, value: string, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (type === undefined || type === null) return [field.required(`${path}.pathType`, 'pathType must be specified')];
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
  if (resource) {
    if (!resource.kind) errors.push(field.required(`${path}.resource.kind`));
    if (!resource.name) errors.push(field.required(`${path}.resource.name`));
    return errors;
  }
  if (!service) return [field.required(path, 'resource or service backend is required')];
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
  const { parameters } = spec;
  if (!parameters) return errors;
  const path = 'spec.parameters';
  if (!parameters.kind) errors.push(field.required(`${path}.kind`, 'kind is required'));
  if (!parameters.name) errors.push(field.required(`${path}.name`, 'name is required'));
  if (parameters.scope !== 'Cluster' && parameters.scope !== 'Namespace') {
    errors.push(field.notSupported(`${path}.scope`, parameters.scope ?? '', ['Cluster', 'Namespace']));
  } else if (parameters.scope === 'Namespace' && !parameters.namespace) {
    errors.push(field.required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  } else if (parameters.scope === 'Cluster' && parameters.namespace) {
    errors.push(field.forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
}
