/** CustomResourceDefinitions: their defaults, and the checks that do not look into schemas. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1035Label, isDNS1123Subdomain } from '../validation/names.ts';
import { checkName, oneOf } from '../validation/values.ts';
import { childObject, defaultPlain, defaultPointer, dropZero } from './shape.ts';
import { validateClientConfig } from './webhook.ts';

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
  return [...errors, ...validateVersions(definition), ...validateNames(spec), ...validateConversion(spec)];
}

type Version = DeepReadonly<CustomResourceDefinitionSpec['versions'][number]>;

function validateVersions(definition: Definition): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const versions = definition.spec.versions ?? [];
  const names = versions.map((version) => version.name ?? '');
  if (versions.filter((version) => version.storage).length !== 1) {
    const detail = 'must have exactly one version marked as storage version';
    errors.push(field.invalid('spec.versions', names, detail));
    const stored = names.filter((_, i) => versions[i]?.storage);
    const text = stored.length === 0 ? 'at least one stored version' : `the storage version ${stored.at(-1)}`;
    errors.push(field.invalid('status.storedVersions', stored, `must have ${text}`));
  }
  if (new Set(names).size !== names.length) {
    errors.push(field.invalid('spec.versions', names, 'must contain unique version names'));
  }
  for (let i = 0; i < versions.length; i++) {
    const version = versions[i];
    if (!version) continue;
    errors.push(...checkName(isDNS1035Label, version.name, `spec.versions[${i}].name`));
    if (i === 0) errors.push(...checkName(isDNS1035Label, version.name, 'spec.version'));
    errors.push(...validateVersion(version, i, versions.length === 1));
  }
  return errors;
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const pathText = 'must be a simple json path starting with .';

/** A single version's settings are reported as the definition's own. */
function validateVersion(version: Version, index: number, single: boolean): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const path = single ? 'spec' : `spec.versions[${index}]`;
  const schemaPath = single ? 'spec.validation' : `${path}.schema`;
  if (!version.schema?.openAPIV3Schema) {
    errors.push(field.required(`spec.versions[${index}].schema.openAPIV3Schema`, 'schemas are required'));
  } else if (version.schema.openAPIV3Schema.type !== undefined && version.schema.openAPIV3Schema.type !== 'object') {
    const { type } = version.schema.openAPIV3Schema;
    errors.push(field.invalid(`${schemaPath}.openAPIV3Schema.type`, type, 'must be object at the root'));
  }
  const columns = version.additionalPrinterColumns ?? [];
  for (let i = 0; i < columns.length; i++) {
    const { name = '', type = '', jsonPath = '' } = columns[i] ?? {};
    const at = `${path}.additionalPrinterColumns[${i}]`;
    if (name === '') errors.push(field.required(`${at}.name`));
    if (type === '') errors.push(field.required(`${at}.type`));
    else if (!columnTypes.includes(type)) {
      errors.push(field.invalid(`${at}.type`, type, `must be one of ${columnTypes.join(',')}`));
    }
    if (jsonPath === '') errors.push(field.required(`${at}.JSONPath`));
    else if (!jsonPath.startsWith('.')) errors.push(field.invalid(`${at}.JSONPath`, jsonPath, pathText));
  }
  return [...errors, ...validateScale(version, `${path}.subresources.scale`)];
}

function validateScale(version: Version, path: string): field.FieldError[] {
  const scale = version.subresources?.scale;
  if (!scale) return [];
  const errors: field.FieldError[] = [];
  for (const [name, root] of [
    ['specReplicasPath', '.spec.'],
    ['statusReplicasPath', '.status.'],
  ] as const) {
    const value = scale[name] ?? '';
    if (value === '') errors.push(field.required(`${path}.${name}`));
    else if (!value.startsWith('.')) errors.push(field.invalid(`${path}.${name}`, value, pathText));
    else if (!value.startsWith(root)) {
      errors.push(field.invalid(`${path}.${name}`, value, `should be a json path under ${root.slice(0, -1)}`));
    }
  }
  const selector = scale.labelSelectorPath;
  if (selector && !selector.startsWith('.spec.') && !selector.startsWith('.status.')) {
    const detail = selector.startsWith('.') ? 'should be a json path under either .status or .spec' : pathText;
    errors.push(field.invalid(`${path}.labelSelectorPath`, selector, detail));
  }
  return errors;
}

function validateConversion(spec: DeepReadonly<CustomResourceDefinitionSpec>): field.FieldError[] {
  const { strategy, webhook } = spec.conversion ?? {};
  const errors = oneOf(strategy, ['None', 'Webhook'], 'spec.conversion.strategy');
  if (strategy === 'Webhook') {
    if (!webhook?.clientConfig) {
      errors.push(field.required('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook'));
    } else errors.push(...validateClientConfig(webhook.clientConfig, 'spec.conversion.webhookClientConfig'));
    if ((webhook?.conversionReviewVersions?.length ?? 0) === 0) {
      errors.push(field.required('spec.conversion.conversionReviewVersions'));
    }
  } else if (webhook) {
    const detail = 'should not be set when strategy is not set to Webhook';
    errors.push(field.forbidden('spec.conversion.webhookClientConfig', detail));
  }
  return errors;
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

/** Versions that objects may still be stored in cannot go. */
function validateStoredVersions(definition: Definition): field.FieldError[] {
  const names = new Set((definition.spec.versions ?? []).map((version) => version.name));
  const stored = definition.status?.storedVersions ?? [];
  return stored.flatMap((name, i) => {
    if (names.has(name)) return [];
    const detail = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    return [field.invalid(`status.storedVersions[${i}]`, name, detail)];
  });
}

function validateDefinitionUpdate(definition: Definition, old: Definition): field.FieldError[] {
  const errors = [...validateDefinition(definition), ...validateStoredVersions(definition)];
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
