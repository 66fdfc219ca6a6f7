/** CustomResourceDefinitions: their defaults, and the checks that do not look into schemas (see -schemas). */
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { goQuote } from '../validation/go-format.ts';
import { isDNS1123Subdomain } from '../validation/names.ts';
import { oneOf } from '../validation/values.ts';
import { API_APPROVED_ANNOTATION, apiApproval, isProtectedGroup } from './customresourcedefinition-approval.ts';
import { validateConversion } from './customresourcedefinition-conversion.ts';
import { validateNames, validateRequiredNames } from './customresourcedefinition-names.ts';
import { type Props, unknownFormats } from './customresourcedefinition-openapi.ts';
import { isShared, validateVersions } from './customresourcedefinition-versions.ts';
import { childObject, defaultPointer, dropZero } from './shape.ts';

type Definition = DeepReadonly<CustomResourceDefinition>;

export const customResourceDefinitionStrategy: Strategy = {
  default(object) {
    const spec = childObject<CustomResourceDefinitionSpec>(object, 'spec');
    const names = childObject<CustomResourceDefinitionSpec['names']>(spec, 'names');
    dropZero(names, ['shortNames', 'categories']);
    if (!names.singular && names.kind) names.singular = names.kind.toLowerCase();
    if (!names.listKind && names.kind) names.listKind = `${names.kind}List`;
    spec.conversion ??= { strategy: 'None' };
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
  validate: (object) => [
    ...validateDefinition(object as unknown as Definition, true),
    ...validateConversion((object as unknown as Definition).spec.conversion),
    ...approvalErrors(object as unknown as Definition, undefined),
  ],
  validateUpdate(object, old, { subresource }) {
    const definition = object as unknown as Definition;
    const names = validateNames(definition.status?.acceptedNames, 'status.acceptedNames');
    if (subresource !== '') return names;
    return [...validateDefinitionUpdate(definition, old as unknown as Definition), ...names];
  },
  warnings: (object, old) => {
    const before = new Set(old === undefined ? [] : formatsOf(old as unknown as Definition));
    const formats = new Set(formatsOf(object as unknown as Definition));
    return [...formats]
      .filter((format) => !before.has(format))
      .map((format) => `unrecognized format ${goQuote(format)}`);
  },
  async validateLater(object, old, { subresource }) {
    const schemas = schemasToValidate(object as unknown as Definition, old as unknown as Definition | undefined);
    if (subresource !== '' || schemas.size === 0) return [];
    const { validateSchemas } = await import('./customresourcedefinition-schemas.ts');
    return validateSchemas(schemas);
  },
  allowUnconditionalUpdate: false,
};

/** Schemas by their paths; those that an update leaves as they are have been checked before. */
function schemasToValidate(definition: Definition, old: Definition | undefined): Map<string, Props> {
  const schemas = new Map<string, Props>();
  const versions = definition.spec.versions ?? [];
  const shared = isShared(versions, 'schema');
  for (const [i, { name, schema }] of versions.entries()) {
    const props = schema?.openAPIV3Schema;
    if (props === undefined) continue;
    const before = old?.spec.versions?.find((version) => version.name === name)?.schema?.openAPIV3Schema;
    if (before !== undefined && equalJSON(before, props)) continue;
    schemas.set(`${shared ? 'spec.validation' : `spec.versions[${i}].schema`}.openAPIV3Schema`, props);
  }
  return schemas;
}

/** Also asked about definitions that were refused: `spec` may be missing. */
function formatsOf({ spec }: { readonly spec?: Definition['spec'] }): string[] {
  return (spec?.versions ?? []).flatMap(({ schema }) =>
    schema?.openAPIV3Schema === undefined ? [] : unknownFormats(schema.openAPIV3Schema),
  );
}

function approvalErrors({ metadata, spec }: Definition, old: Definition | undefined): field.FieldError[] {
  if (!isProtectedGroup(spec.group ?? '')) return [];
  const value = metadata.annotations?.[API_APPROVED_ANNOTATION];
  const { state, text } = apiApproval(value);
  if (old !== undefined && apiApproval(old.metadata.annotations?.[API_APPROVED_ANNOTATION]).state === state) return [];
  const path = `metadata.annotations[${API_APPROVED_ANNOTATION}]`;
  if (state === 'missing') return [field.required(path, text)];
  return state === 'invalid' ? [field.invalid(path, value, text)] : [];
}

/** The name, and what was stored in, are looked at when a definition is new. */
function validateDefinition(definition: Definition, isNew: boolean): field.FieldError[] {
  const { spec, metadata } = definition;
  const errors: field.FieldError[] = [];
  const expected = `${spec.names?.plural ?? ''}.${spec.group ?? ''}`;
  if (isNew && metadata.name && metadata.name !== expected) {
    errors.push(field.invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (!spec.group) errors.push(field.required('spec.group'));
  else {
    const wrong = isDNS1123Subdomain(spec.group);
    if (wrong.length === 0 && !spec.group.includes('.')) wrong.push('should be a domain with at least one dot');
    if (wrong.length > 0) errors.push(field.invalid('spec.group', spec.group, wrong.join(',')));
  }
  errors.push(...oneOf(spec.scope, ['Cluster', 'Namespaced'], 'spec.scope'));
  if (spec.preserveUnknownFields === true) {
    const detail =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(field.invalid('spec.preserveUnknownFields', true, detail));
    const strategy = spec.conversion?.strategy ?? '';
    if (strategy !== 'None') {
      const text = 'must be None if spec.preserveUnknownFields is true';
      errors.push(field.invalid('spec.conversion.strategy', strategy, text));
    }
  }
  return [
    ...errors,
    ...validateVersions(definition, isNew),
    ...validateRequiredNames(spec.names),
    ...validateNames(spec.names, 'spec.names'),
  ];
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

function isEstablished({ status }: Definition): boolean {
  return status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True') === true;
}

function validateDefinitionUpdate(definition: Definition, old: Definition): field.FieldError[] {
  // What has not changed has been checked before.
  const checked = equalJSON(definition.spec, old.spec) ? [] : validateDefinition(definition, false);
  const established = isEstablished(old);
  const errors = [
    ...checked,
    ...validateConversion(definition.spec.conversion, { conversion: old.spec.conversion, established }),
    ...validateStoredVersions(definition),
    ...approvalErrors(definition, old),
  ];
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
