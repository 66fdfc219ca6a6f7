/** CustomResourceDefinitions and APIServices: their defaults and what does not need the CRD's schemas. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { APIService, CustomResourceDefinition, CustomResourceDefinitionSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1035Label, isDNS1123Subdomain } from '../validation/names.ts';
import { checkName, oneOf } from '../validation/values.ts';
import { childObject, defaultPlain, defaultPointer, dropZero } from './shape.ts';

type Definition = DeepReadonly<CustomResourceDefinition>;

export const customResourceDefinitionStrategy: Strategy = {
  default(object) {
    const spec = childObject<CustomResourceDefinitionSpec>(object, 'spec');
    const names = childObject<CustomResourceDefinitionSpec['names']>(spec, 'names');
    dropZero(names, ['shortNames', 'categories']);
    if (!names.singular && names.kind) names.singular = names.kind.toLowerCase();
    if (!names.listKind && names.kind) names.listKind = `${names.kind}List`;
    defaultPlain(childObject(spec, 'conversion'), 'strategy', 'None');
    const service = spec.conversion?.webhook?.clientConfig?.service;
    if (service) defaultPointer(service, 'port', 443);
  },
  prepareForCreate(object) {
    const { spec } = object as unknown as CustomResourceDefinition;
    const stored = (spec.versions ?? []).filter((version) => version.storage).map((version) => version.name);
    object.status = { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: stored };
  },
  prepareForUpdate(object, _old, { subresource }) {
    if (subresource !== '') return;
    const { spec, status } = object as unknown as CustomResourceDefinition;
    const storage = (spec.versions ?? []).find((version) => version.storage)?.name;
    const stored = status?.storedVersions ?? [];
    if (storage === undefined || !status || stored.includes(storage)) return;
    (object as unknown as CustomResourceDefinition).status = { ...status, storedVersions: [...stored, storage] };
  },
  validate: (object) => validateDefinition(object as unknown as Definition),
  validateUpdate: (object, old, { subresource }) =>
    subresource === '' ? validateDefinitionUpdate(object as unknown as Definition, old as unknown as Definition) : [],
  allowUnconditionalUpdate: false,
};

function validateDefinition(definition: Definition): field.FieldError[] {
  const { spec, metadata } = definition;
  const errors: field.FieldError[] = [];
  const expected = `${spec.names?.plural ?? ''}.${spec.group ?? ''}`;
  if (metadata.name !== expected) {
    errors.push(field.invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (!spec.group) errors.push(field.required('spec.group'));
  else errors.push(...checkName(isDNS1123Subdomain, spec.group, 'spec.group'));
  if (spec.group && !spec.group.includes('.')) {
    errors.push(field.invalid('spec.group', spec.group, 'should be a domain with at least one dot'));
  }
  errors.push(...oneOf(spec.scope, ['Cluster', 'Namespaced'], 'spec.scope'));
  const versions = spec.versions ?? [];
  const storage = versions.filter((version) => version.storage).length;
  if (storage !== 1) {
    const detail = 'must have exactly one version marked as storage version';
    errors.push(
      field.invalid(
        'spec.versions',
        versions.map((version) => version.name),
        detail,
      ),
    );
  }
  const seen = new Set<string>();
  for (let i = 0; i < versions.length; i++) {
    const version = versions[i];
    const path = `spec.versions[${i}]`;
    for (const text of isDNS1035Label(version?.name ?? '')) {
      errors.push(field.invalid(`${path}.name`, version?.name ?? '', text));
    }
    if (seen.has(version?.name ?? '')) errors.push(field.duplicate(`${path}.name`, version?.name));
    seen.add(version?.name ?? '');
    if (!version?.schema?.openAPIV3Schema)
      errors.push(field.required(`${path}.schema.openAPIV3Schema`, 'schemas are required'));
  }
  return [...errors, ...validateNames(spec)];
}

function validateNames(spec: DeepReadonly<CustomResourceDefinitionSpec>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const) {
    const value = spec.names?.[name];
    const path = `spec.names.${name}`;
    if (!value) errors.push(field.required(path));
    else {
      for (const text of isDNS1035Label(value.toLowerCase())) errors.push(field.invalid(path, value, text));
    }
  }
  if (spec.names?.kind && spec.names.kind === spec.names.listKind) {
    errors.push(field.invalid('spec.names.listKind', spec.names.listKind, 'kind and listKind may not be the same'));
  }
  for (const list of ['shortNames', 'categories'] as const) {
    const values = spec.names?.[list] ?? [];
    for (let i = 0; i < values.length; i++) {
      errors.push(...checkName(isDNS1035Label, values[i], `spec.names.${list}[${i}]`));
    }
  }
  return errors;
}

function validateDefinitionUpdate(definition: Definition, old: Definition): field.FieldError[] {
  const errors = validateDefinition(definition);
  const established = old.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True');
  const immutable = [
    ['spec.group', definition.spec.group, old.spec.group],
    ...(established
      ? ([
          ['spec.scope', definition.spec.scope, old.spec.scope],
          ['spec.names.kind', definition.spec.names?.kind, old.spec.names?.kind],
        ] as const)
      : []),
    ['spec.names.plural', definition.spec.names?.plural, old.spec.names?.plural],
  ] as const;
  for (const [path, now, before] of immutable) {
    if (now !== before) errors.push(field.invalid(path, now ?? null, 'field is immutable'));
  }
  return errors;
}

export const apiServiceStrategy: Strategy = {
  default(object) {
    const { spec } = object as unknown as APIService;
    if (spec?.service) defaultPointer(spec.service, 'port', 443);
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate: (object) => validateAPIService(object as unknown as DeepReadonly<APIService>),
  validateUpdate: (object, _old, { subresource }) =>
    subresource === '' ? validateAPIService(object as unknown as DeepReadonly<APIService>) : [],
};

function validateAPIService(service: DeepReadonly<APIService>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = service.spec ?? {};
  const expected = `${version}.${group}`;
  if (service.metadata.name !== expected) {
    errors.push(
      field.invalid('metadata.name', service.metadata.name, `must be \`spec.version+"."+spec.group\`: "${expected}"`),
    );
  }
  if (group !== '') errors.push(...checkName(isDNS1123Subdomain, group, 'spec.group'));
  errors.push(...checkName(isDNS1035Label, version, 'spec.version'));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000) {
    const detail = 'must be positive and less than 20000';
    errors.push(field.invalid('spec.groupPriorityMinimum', groupPriorityMinimum, detail));
  }
  if (versionPriority <= 0 || versionPriority > 1000) {
    errors.push(field.invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
  }
  return errors;
}
