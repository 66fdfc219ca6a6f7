/** What the schemas of CustomResourceDefinitions may say, keyword by keyword. Structure is the next file's business. */
import type { DeepReadonly } from '../../base/json.ts';
import type { JSONSchemaProps } from '../generated/types.ts';
import { isKnownFormat } from '../schema/formats.ts';
import * as field from '../validation/field-error.ts';

export type Props = DeepReadonly<JSONSchemaProps>;

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const LIST_TYPES = ['atomic', 'set', 'map'];
const UNSUPPORTED = [
  ['id', 'id'],
  ['additionalItems', 'additionalItems'],
  ['patternProperties', 'patternProperties'],
  ['definitions', 'definitions'],
  ['dependencies', 'dependencies'],
  ['$ref', '$ref'],
] as const;
const META_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);
const ONE_LIST_TYPE = "if parent array's x-kubernetes-list-type is map";

interface Place {
  /** Why a default is not allowed here. */
  readonly noDefaults?: string;
  /** Inside the metadata of a resource. */
  readonly inMetadata?: boolean;
}

export interface OpenAPIDeps {
  /** What is wrong with a pattern; undefined: nothing. */
  patternProblem(pattern: string): string | undefined;
}

export function schemaOf(value: unknown): Props | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Props) : undefined;
}

/** The schema of a property; names like `constructor` are plain data. */
export function propertyOf(props: Props | undefined, name: string): Props | undefined {
  const { properties } = props ?? {};
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** The errors of a schema and of everything in it. */
export function validateOpenAPI(props: Props, path: string, deps: OpenAPIDeps): field.FieldError[] {
  const errors: field.FieldError[] = [];
  walk(props, path, { isRoot: true }, deps, errors);
  return errors;
}

function walk(
  props: Props,
  path: string,
  place: Place & { readonly isRoot?: boolean },
  deps: OpenAPIDeps,
  errors: field.FieldError[],
): void {
  const { isRoot = false, ...inherited } = place;
  errors.push(...keywordErrors(props, path, place, deps), ...listErrors(props, path));
  const below = (value: unknown, at: string, more: Place = {}): void => {
    const schema = schemaOf(value);
    if (schema !== undefined) walk(schema, `${path}.${at}`, { ...inherited, ...more }, deps, errors);
  };
  const { properties = {} } = props;
  const noDefaults = 'inside additionalProperties applying to object metadata';
  below(props.additionalProperties, 'additionalProperties', place.inMetadata ? { noDefaults } : {});
  for (const [name, property] of Object.entries(properties)) {
    const isMetadata = META_FIELDS.has(name) && (isRoot || props['x-kubernetes-embedded-resource'] === true);
    below(property, `properties[${name}]`, {
      ...(isMetadata ? { inMetadata: true } : {}),
      ...(isMetadata && isRoot ? { noDefaults: `in top-level ${name}` } : {}),
    });
  }
  below(props.not, 'not');
  for (const key of ['allOf', 'oneOf', 'anyOf'] as const) {
    for (const [i, one] of (props[key] ?? []).entries()) below(one, `${key}[${i}]`);
  }
  below(props.items, 'items');
}

function keywordErrors(props: Props, path: string, place: Place, deps: OpenAPIDeps): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { type = '' } = props;
  if (props.default !== undefined && place.noDefaults !== undefined) {
    errors.push(field.forbidden(`${path}.default`, `must not be set ${place.noDefaults}`));
  }
  for (const [key, shown] of UNSUPPORTED) {
    if (isGiven(props[key])) errors.push(field.forbidden(`${path}.${shown}`, `${shown} is not supported`));
  }
  if (type !== '' && !TYPES.includes(type)) errors.push(field.notSupported(`${path}.type`, type, TYPES));
  if (type === 'null') {
    errors.push(field.forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'));
  }
  if (Array.isArray(props.items)) {
    errors.push(field.forbidden(`${path}.items`, 'items must be a schema object and not an array'));
  }
  if (place.inMetadata && props['x-kubernetes-embedded-resource']) {
    const detail = 'must not be used inside of resource meta';
    errors.push(field.forbidden(`${path}.x-kubernetes-embedded-resource`, detail));
  }
  if (props.pattern) {
    const problem = deps.patternProblem(props.pattern);
    if (problem !== undefined) {
      const detail = `must be a valid regular expression, but isn't: ${problem}`;
      errors.push(field.invalid(`${path}.pattern`, props.pattern, detail));
    }
  }
  if (props.uniqueItems) {
    const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(field.forbidden(`${path}.uniqueItems`, detail));
  }
  const { additionalProperties } = props;
  if (
    additionalProperties !== undefined &&
    additionalProperties !== true &&
    Object.keys(props.properties ?? {}).length > 0
  ) {
    errors.push(
      field.forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
    );
  }
  if (props['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(field.invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  }
  const mapType = props['x-kubernetes-map-type'];
  if (mapType !== undefined) {
    errors.push(...needsType(type, 'object', path, 'must be object if x-kubernetes-map-type is specified'));
    if (mapType !== 'atomic' && mapType !== 'granular') {
      errors.push(field.notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
    }
  }
  return errors;
}

function isGiven(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Array.isArray(value) || Object.keys(value).length > 0;
}

function needsType(type: string, wanted: string, path: string, detail: string): field.FieldError[] {
  if (type === wanted) return [];
  return [type === '' ? field.required(`${path}.type`, detail) : field.invalid(`${path}.type`, type, detail)];
}

function listErrors(props: Props, path: string): field.FieldError[] {
  const listType = props['x-kubernetes-list-type'];
  const keys = props['x-kubernetes-list-map-keys'] ?? [];
  const at = `${path}.x-kubernetes-list-type`;
  const onlyForMaps = 'must be map if x-kubernetes-list-map-keys is non-empty';
  if (listType === undefined) return keys.length > 0 ? [field.required(at, onlyForMaps)] : [];
  const errors: field.FieldError[] = [];
  const { type = '' } = props;
  if (type !== 'array') {
    errors.push(...needsType(type, 'array', path, 'must be array if x-kubernetes-list-type is specified'));
  } else if (!LIST_TYPES.includes(listType)) errors.push(field.notSupported(at, listType, LIST_TYPES));
  else if (keys.length > 0 && listType !== 'map') errors.push(field.invalid(at, listType, onlyForMaps));
  const items = schemaOf(props.items);
  if (listType === 'map') errors.push(...listMapErrors(props, items, keys, path));
  if (listType === 'set') errors.push(...setErrors(items, path));
  if ((listType === 'map' || listType === 'set') && items?.nullable) {
    errors.push(
      field.forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`),
    );
  }
  return errors;
}

function listMapErrors(
  props: Props,
  items: Props | undefined,
  keys: readonly string[],
  path: string,
): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const at = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) errors.push(field.required(at, 'must not be empty if x-kubernetes-list-type is map'));
  if (props.items === undefined) {
    errors.push(field.required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
  }
  if (items === undefined) return errors;
  if (items.type !== 'object') {
    errors.push(field.invalid(`${path}.items.type`, items.type ?? '', `must be object ${ONE_LIST_TYPE}`));
    return errors;
  }
  const wrong = (detail: string): void => {
    errors.push(field.invalid(at, keys, detail));
  };
  const seen = new Set<string>();
  for (const key of keys) {
    const property = propertyOf(items, key);
    if (property === undefined) wrong('entries must all be names of item properties');
    else
      errors.push(
        ...mapKeyErrors(property, items.required?.includes(key) === true, `${path}.items.properties[${key}]`),
      );
    if (seen.has(key)) wrong('must not contain duplicate entries');
    seen.add(key);
  }
  return errors;
}

function mapKeyErrors(property: Props, isRequired: boolean, at: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (property.type === 'array' || property.type === 'object') {
    errors.push(field.invalid(`${at}.type`, property.type, `must be a scalar type ${ONE_LIST_TYPE}`));
  }
  if (!isRequired && property.default === undefined) {
    const detail =
      'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
    errors.push(field.required(`${at}.default`, detail));
  }
  if (property.nullable) {
    const detail = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable';
    errors.push(field.forbidden(`${at}.nullable`, detail));
  }
  return errors;
}

function setErrors(items: Props | undefined, path: string): field.FieldError[] {
  if (items === undefined) return [];
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const key = items.type === 'array' ? 'x-kubernetes-list-type' : 'x-kubernetes-map-type';
  const value = items[key];
  // Lists are atomic when they do not say what they are, maps are not.
  const isAtomic = items.type === 'object' ? value === 'atomic' : value === undefined || value === 'atomic';
  const isComposite = items.type === 'array' || items.type === 'object';
  return isComposite && !isAtomic ? [field.invalid(`${path}.items.${key}`, value ?? null, detail)] : [];
}

/** The formats in a schema that the API server does not check, in the order in which they occur. */
export function unknownFormats(props: Props): string[] {
  const found: string[] = [];
  collectFormats(props, found);
  return found;
}

function collectFormats(props: Props, found: string[]): void {
  const { format = '', type = '', properties = {}, allOf = [], anyOf = [], oneOf = [], not } = props;
  if (format !== '' && !isKnownFormat(format, type)) found.push(format);
  const below = [
    props.items,
    ...allOf,
    ...anyOf,
    ...oneOf,
    not,
    ...Object.values(properties),
    props.additionalProperties,
  ];
  for (const one of below) {
    const schema = schemaOf(one);
    if (schema !== undefined) collectFormats(schema, found);
  }
}
