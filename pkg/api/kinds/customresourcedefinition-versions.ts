/** What CustomResourceDefinitions say about each of their versions, beside the schemas. */
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { byteLength, isDNS1035Label } from '../validation/names.ts';
import { checkName } from '../validation/values.ts';
import { type Props, propertyOf } from './customresourcedefinition-openapi.ts';

type Version = DeepReadonly<CustomResourceDefinitionSpec['versions'][number]>;

type PerVersion = 'schema' | 'subresources' | 'additionalPrinterColumns' | 'selectableFields';

/** What all versions have in common is reported as the definition's own. */
export function isShared(versions: readonly Version[], key: PerVersion): boolean {
  return versions.every((version) => equalJSON(version[key] ?? null, versions[0]?.[key] ?? null));
}

export function validateVersions(
  definition: DeepReadonly<CustomResourceDefinition>,
  isNew: boolean,
): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const versions = definition.spec.versions ?? [];
  const names = versions.map((version) => version.name ?? '');
  if (versions.filter((version) => version.storage).length !== 1) {
    const detail = 'must have exactly one version marked as storage version';
    errors.push(field.invalid('spec.versions', names, detail));
    const stored = names.filter((_, i) => versions[i]?.storage);
    const text = stored.length === 0 ? 'at least one stored version' : `the storage version ${stored.at(-1)}`;
    if (isNew) {
      errors.push(field.invalid('status.storedVersions', stored.length === 0 ? null : stored, `must have ${text}`));
    }
  }
  if (new Set(names).size !== names.length) {
    errors.push(field.invalid('spec.versions', names, 'must contain unique version names'));
  }
  for (let i = 0; i < versions.length; i++) {
    const version = versions[i];
    if (!version) continue;
    errors.push(...checkName(isDNS1035Label, version.name, `spec.versions[${i}].name`));
    if (i === 0 && version.name) errors.push(...checkName(isDNS1035Label, version.name, 'spec.version'));
    if (!version.schema?.openAPIV3Schema) {
      errors.push(field.required(`spec.versions[${i}].schema.openAPIV3Schema`));
    }
    errors.push(...validateDeprecation(version, `spec.versions[${i}].deprecationWarning`));
  }
  const schemaShared = isShared(versions, 'schema');
  for (const [i, version] of versions.entries()) {
    if (schemaShared && i > 0) break;
    const relevant = schemaShared ? versions : [version];
    const hasStatus = relevant.some(({ subresources }) => subresources?.status !== undefined);
    errors.push(...validateRoot(version, schemaShared ? 'spec.validation' : `spec.versions[${i}].schema`, hasStatus));
  }
  for (const [key, validate] of perVersion) {
    const shared = isShared(versions, key);
    for (const [i, version] of versions.entries()) {
      if (shared && i > 0) break;
      errors.push(...validate(version, shared ? 'spec' : `spec.versions[${i}]`));
    }
  }
  return errors;
}

const perVersion: readonly (readonly [PerVersion, (version: Version, path: string) => field.FieldError[]])[] = [
  ['additionalPrinterColumns', validateColumns],
  ['subresources', (version, path) => validateScale(version, `${path}.subresources.scale`)],
  ['selectableFields', validateSelectableFields],
];

const maxWarningLength = 256;

function validateDeprecation({ deprecated, deprecationWarning: text }: Version, path: string): field.FieldError[] {
  if (text === undefined || text === null) return [];
  const wrong = (detail: string): field.FieldError => field.invalid(path, text, detail);
  if (!deprecated) return [wrong('can only be set for deprecated versions')];
  const errors: field.FieldError[] = [];
  if (byteLength(text) > maxWarningLength) errors.push(wrong(`must be <= ${maxWarningLength} characters long`));
  if (text === '') errors.push(wrong('must not be an empty string'));
  const index = text.search(/(?! )[\p{C}\p{Z}]/u);
  if (index < 0) return errors;
  const at = byteLength(text.slice(0, index));
  const detail = `must only contain printable UTF-8 characters; non-printable character found at index ${at}`;
  return [...errors, wrong(detail)];
}

/** With a status subresource the schema of the status has to be all that the root says about it. */
const rootFields = [
  ...['Description', 'Type', 'Format', 'Title', 'Maximum', 'ExclusiveMaximum', 'Minimum', 'ExclusiveMinimum'],
  ...['MaxLength', 'MinLength', 'Pattern', 'MaxItems', 'MinItems', 'UniqueItems', 'MultipleOf', 'Required'],
  ...['Items', 'Properties', 'ExternalDocs', 'Example', 'XPreserveUnknownFields', 'XValidations'],
];
const jsonNames: Readonly<Record<string, string>> = {
  XPreserveUnknownFields: 'x-kubernetes-preserve-unknown-fields',
  XValidations: 'x-kubernetes-validations',
};
const rootKeys = new Set(
  rootFields.map((name) => jsonNames[name] ?? `${name.charAt(0).toLowerCase()}${name.slice(1)}`),
);

function validateRoot(version: Version, path: string, hasStatus: boolean): field.FieldError[] {
  const props = version.schema?.openAPIV3Schema;
  if (!props) return [];
  const errors: field.FieldError[] = [];
  const at = `${path}.openAPIV3Schema`;
  if (props.nullable) errors.push(field.forbidden(`${at}.nullable`, 'nullable cannot be true at the root'));
  if (!hasStatus) return errors;
  // That there is no type is said elsewhere.
  if (props.type && props.type !== 'object') {
    const detail =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    return [...errors, field.invalid(`${at}.type`, props.type, detail)];
  }
  for (const key in props) {
    if (rootKeys.has(key)) continue;
    const detail = `only [${rootFields.join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`;
    errors.push(field.invalid(at, props, detail));
    break;
  }
  return errors;
}

const maxSelectableFields = 8;

function validateSelectableFields(version: Version, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const fields = version.selectableFields ?? [];
  const props = version.schema?.openAPIV3Schema;
  if (fields.length > 0 && !props) {
    const detail = 'may only be set when `version.schema.openAPIV3Schema` is not included';
    return [field.invalid(`${path}.selectableFields`, '', detail)];
  }
  const seen = new Set<string>();
  for (const [i, { jsonPath = '' }] of fields.entries()) {
    const at = `${path}.selectableFields[${i}].jsonPath`;
    if (jsonPath === '') {
      errors.push(field.required(at));
      continue;
    }
    const type = propertyAt(props, jsonPath)?.type;
    if (type === undefined) {
      const first = jsonPath.charAt(0);
      const problem = '.['.includes(first) ? 'does not refer to a valid field' : `expected [ or . but got: ${jsonPath}`;
      errors.push(field.invalid(at, jsonPath, `is an invalid path: ${problem}`));
    } else if (jsonPath.startsWith('.metadata')) {
      errors.push(field.invalid(at, jsonPath, 'must not point to fields in metadata'));
    } else if (!['string', 'boolean', 'integer'].includes(type)) {
      const detail =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      errors.push(field.invalid(at, jsonPath, detail));
    }
    if (seen.has(jsonPath)) errors.push(field.duplicate(at, jsonPath));
    seen.add(jsonPath);
  }
  if (seen.size > maxSelectableFields) {
    errors.push(field.tooMany(`${path}.selectableFields`, seen.size, maxSelectableFields));
  }
  return errors;
}

function propertyAt(props: Props | undefined, jsonPath: string): Props | undefined {
  if (!/^(?:\.[A-Za-z_$][\w$-]*)+$/.test(jsonPath)) return undefined;
  return jsonPath
    .split('.')
    .slice(1)
    .reduce<Props | undefined>((schema, name) => propertyOf(schema, name), props);
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const pathText = 'must be a simple json path starting with .';

const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function validateColumns(version: Version, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const columns = version.additionalPrinterColumns ?? [];
  for (let i = 0; i < columns.length; i++) {
    const { name = '', type = '', jsonPath = '', format = '' } = columns[i] ?? {};
    const at = `${path}.additionalPrinterColumns[${i}]`;
    if (name === '') errors.push(field.required(`${at}.name`));
    if (type === '') errors.push(field.required(`${at}.type`, `must be one of ${columnTypes.join(',')}`));
    else if (!columnTypes.includes(type)) {
      errors.push(field.invalid(`${at}.type`, type, `must be one of ${columnTypes.join(',')}`));
    }
    if (format !== '' && !columnFormats.includes(format)) {
      errors.push(field.invalid(`${at}.format`, format, `must be one of ${columnFormats.join(',')}`));
    }
    if (jsonPath === '') errors.push(field.required(`${at}.JSONPath`));
    else if (!jsonPath.startsWith('.')) errors.push(field.invalid(`${at}.JSONPath`, jsonPath, pathText));
  }
  return errors;
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
    const detail = selector.startsWith('.') ? 'should be a json path under either .spec or .status' : pathText;
    errors.push(field.invalid(`${path}.labelSelectorPath`, selector, detail));
  }
  return errors;
}
