/**
 * Structural schemas: every value has one place that says its type; allOf, anyOf, oneOf and not only restrict what is said
 * there. Corresponds to upstream's apiextensions structural schema.
 */
import * as field from '../validation/field-error.ts';
import { type Props, propertyOf, schemaOf } from './customresourcedefinition-openapi.ts';

type Level = 'root' | 'item' | 'field';

const TYPE_NEEDED: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

const EMPTY = 'must be empty to be structural';
const UNDEFINED = 'must be undefined to be structural';
const FALSE = 'must be false to be structural';
/** What only the place that specifies a value may say. */
const FORBIDDEN_NESTED: readonly (readonly [keyof Props, string])[] = [
  ['type', EMPTY],
  ['additionalProperties', UNDEFINED],
  ['default', UNDEFINED],
  ['title', EMPTY],
  ['description', EMPTY],
  ['nullable', FALSE],
  ['x-kubernetes-preserve-unknown-fields', FALSE],
  ['x-kubernetes-embedded-resource', FALSE],
  ['x-kubernetes-int-or-string', FALSE],
  ['x-kubernetes-list-map-keys', EMPTY],
  ['x-kubernetes-list-type', UNDEFINED],
  ['x-kubernetes-map-type', UNDEFINED],
  ['x-kubernetes-validations', EMPTY],
];

/** In the order of their paths. */
export function validateStructural(props: Props, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  checkPlace(props, 'root', path, errors);
  checkCompleteness(props, path, errors);
  return errors.sort((a, b) => (a.field < b.field ? -1 : a.field > b.field ? 1 : 0));
}

function checkPlace(props: Props, level: Level, path: string, errors: field.FieldError[]): void {
  const { type = '' } = props;
  const items = schemaOf(props.items);
  if (type === 'array' && items === undefined) errors.push(field.required(`${path}.items`, 'must be specified'));
  if (items !== undefined) checkPlace(items, 'item', `${path}.items`, errors);
  for (const [name, property] of Object.entries(props.properties ?? {})) {
    checkPlace(property, 'field', `${path}.properties[${name}]`, errors);
  }
  const additional = schemaOf(props.additionalProperties);
  if (additional !== undefined) checkPlace(additional, 'field', `${path}.additionalProperties`, errors);
  if (level === 'root' && props.additionalProperties !== undefined) {
    errors.push(field.forbidden(`${path}.additionalProperties`, 'must not be used at the root'));
  }
  checkType(props, level, path, errors);
  checkIntOrString(props, path, errors);
  checkAlternatives(props, path, intOrStringPattern(props), errors);
  if (level === 'root' || props['x-kubernetes-embedded-resource']) checkResource(props, level, path, errors);
}

function checkType(props: Props, level: Level, path: string, errors: field.FieldError[]): void {
  const { type = '' } = props;
  const isEmbedded = props['x-kubernetes-embedded-resource'] === true;
  const open = props['x-kubernetes-int-or-string'] || props['x-kubernetes-preserve-unknown-fields'];
  if (isEmbedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? field.required(`${path}.type`, detail) : field.invalid(`${path}.type`, type, detail));
  } else if (type === '' && !open) errors.push(field.required(`${path}.type`, TYPE_NEEDED[level]));
  if (isEmbedded && props.additionalProperties !== undefined) {
    const detail = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(field.forbidden(`${path}.additionalProperties`, detail));
  }
  if (level === 'root' && type !== '' && type !== 'object') {
    errors.push(field.invalid(`${path}.type`, type, 'must be object at the root'));
  }
}

function checkIntOrString(props: Props, path: string, errors: field.FieldError[]): void {
  if (!props['x-kubernetes-int-or-string']) return;
  for (const key of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const) {
    if (props[key]) {
      errors.push(field.invalid(`${path}.${key}`, true, 'must be false if x-kubernetes-int-or-string is true'));
    }
  }
}

/** Of whole resources apiVersion, kind and metadata are known already. */
function checkResource(props: Props, level: Level, path: string, errors: field.FieldError[]): void {
  const { properties = {} } = props;
  for (const [name, wanted] of [
    ['kind', 'string'],
    ['apiVersion', 'string'],
    ['metadata', 'object'],
  ] as const) {
    const property = properties[name];
    if (property !== undefined && property.type !== wanted) {
      errors.push(field.invalid(`${path}.properties[${name}].type`, property.type ?? '', `must be ${wanted}`));
    }
  }
  const { metadata } = properties;
  if (level === 'root' && metadata !== undefined && saysMore(metadata)) {
    const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(field.forbidden(`${path}.properties[metadata]`, detail));
  }
  const isOpen = props['x-kubernetes-preserve-unknown-fields'] === true;
  if (props['x-kubernetes-embedded-resource'] && !isOpen && Object.keys(properties).length === 0) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(field.required(`${path}.properties`, detail));
  }
}

/** Whether the schema of metadata restricts more than the names. */
function saysMore({ type: _, default: _default, properties, ...rest }: Props): boolean {
  if (Object.keys(properties ?? {}).some((name) => name !== 'name' && name !== 'generateName')) return true;
  return Object.keys(rest).length > 0;
}

/** The two ways of writing that something is an int or a string: the alternatives may name types. */
function intOrStringPattern(props: Props): 'anyOf' | 'allOf' | undefined {
  if (isIntOrStringAnyOf(props)) return 'anyOf';
  const first = props.allOf?.[0];
  return first !== undefined && isIntOrStringAnyOf(first) ? 'allOf' : undefined;
}

function isIntOrStringAnyOf({ anyOf }: Props): boolean {
  const says = (one: Props | undefined, type: string): boolean =>
    one?.type === type && Object.keys(one).every((key) => key === 'type');
  return anyOf?.length === 2 && says(anyOf[0], 'integer') && says(anyOf[1], 'string');
}

function checkAlternatives(
  props: Props,
  path: string,
  pattern: 'anyOf' | 'allOf' | undefined,
  errors: field.FieldError[],
): void {
  if (pattern !== 'anyOf') {
    for (const [i, one] of (props.anyOf ?? []).entries()) checkNested(one, `${path}.anyOf[${i}]`, undefined, errors);
  }
  for (const [i, one] of (props.allOf ?? []).entries()) {
    const isPattern = pattern === 'allOf' && i === 0;
    checkNested(one, `${path}.allOf[${i}]`, isPattern ? 'anyOf' : undefined, errors);
  }
  for (const [i, one] of (props.oneOf ?? []).entries()) checkNested(one, `${path}.oneOf[${i}]`, undefined, errors);
  if (props.not !== undefined) checkNested(props.not, `${path}.not`, undefined, errors);
}

function checkNested(props: Props, path: string, pattern: 'anyOf' | undefined, errors: field.FieldError[]): void {
  checkAlternatives(props, path, pattern, errors);
  const items = schemaOf(props.items);
  if (items !== undefined) checkNested(items, `${path}.items`, undefined, errors);
  for (const [name, property] of Object.entries(props.properties ?? {})) {
    checkNested(property, `${path}.properties[${name}]`, undefined, errors);
  }
  for (const [key, detail] of FORBIDDEN_NESTED) {
    const value = props[key];
    const isSet = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false && value !== '';
    if (isSet) errors.push(field.forbidden(`${path}.${key}`, detail));
  }
  if (props.properties?.['metadata'] !== undefined) {
    errors.push(field.forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'));
  }
}

/** What the root's alternatives talk about has to be specified outside of them; upstream does not ask it further down. */
function checkCompleteness(props: Props, path: string, errors: field.FieldError[]): void {
  for (const [key, one] of alternativesOf(props)) completeNested(one, props, path, `${path}.${key}`, errors);
}

function completeNested(
  nested: Props,
  specified: Props | undefined,
  path: string,
  nestedPath: string,
  errors: field.FieldError[],
): void {
  if (specified === undefined) {
    errors.push(field.required(path, `because it is defined in ${nestedPath}`));
    return;
  }
  for (const [key, one] of alternativesOf(nested)) completeNested(one, specified, path, `${nestedPath}.${key}`, errors);
  const items = schemaOf(nested.items);
  if (items !== undefined) {
    completeNested(items, schemaOf(specified.items), `${path}.items`, `${nestedPath}.items`, errors);
  }
  for (const [name, property] of Object.entries(nested.properties ?? {})) {
    const at = `properties[${name}]`;
    completeNested(property, propertyOf(specified, name), `${path}.${at}`, `${nestedPath}.${at}`, errors);
  }
}

function* alternativesOf(props: Props): Generator<readonly [string, Props]> {
  for (const key of ['allOf', 'anyOf', 'oneOf'] as const) {
    for (const [i, one] of (props[key] ?? []).entries()) yield [`${key}[${i}]`, one];
  }
  if (props.not !== undefined) yield ['not', props.not];
}
