import type { JSONSchemaProps } from '../generated/types.ts';
import type { DeepReadonly } from '../object.ts';
import type { Schema, SchemaConstraints, SchemaType } from '../schema.ts';
import { preparePatterns } from './pattern.ts';

type Props = DeepReadonly<JSONSchemaProps>;

/**
 * The engine's schema of a CRD's openAPIV3Schema, ready to validate. Expects a structural schema; what is not structural has been
 * refused when the CRD was validated. Throws for patterns that do not compile.
 */
export async function schemaFromOpenAPI(props: Props): Promise<Schema> {
  const withPatterns: SchemaConstraints[] = [];
  const schema = convert(props, withPatterns);
  await preparePatterns(withPatterns);
  return schema;
}

function convert(props: Props, withPatterns: SchemaConstraints[]): Schema {
  const properties = props.properties === undefined ? undefined : convertMap(props.properties, withPatterns);
  const additional = props.additionalProperties;
  const items = Array.isArray(props.items) ? undefined : (props.items as Props | undefined);
  const constraints = constraintsOf(props, withPatterns);
  if (constraints?.pattern !== undefined) withPatterns.push(constraints);
  return {
    type: typeOf(props),
    ...(props.format === undefined ? {} : { format: props.format }),
    ...(properties === undefined ? {} : { properties }),
    ...(props.required === undefined ? {} : { required: props.required }),
    ...(isSchema(additional) ? { additionalProperties: convert(additional, withPatterns) } : {}),
    ...(additional === true ? { additionalProperties: ANYTHING } : {}),
    ...(items === undefined ? {} : { items: convert(items, withPatterns) }),
    ...listMarks(props),
    ...(props['x-kubernetes-preserve-unknown-fields'] ? { preserveUnknownFields: true } : {}),
    ...(props['x-kubernetes-embedded-resource'] ? { embeddedResource: true } : {}),
    ...(props.nullable ? { nullable: true } : {}),
    ...(props.default === undefined ? {} : { default: props.default }),
    ...(props.description === undefined ? {} : { description: props.description }),
    ...(constraints === undefined ? {} : { constraints }),
  };
}

/** Anything, kept as it is: the schema of `additionalProperties: true`. */
export const ANYTHING: Schema = { type: 'any', preserveUnknownFields: true };

function typeOf(props: Props): SchemaType {
  if (props['x-kubernetes-int-or-string']) return 'intOrString';
  switch (props.type) {
    case 'object':
    case 'array':
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return props.type;
    default:
      return 'any';
  }
}

function convertMap(
  map: DeepReadonly<Record<string, JSONSchemaProps>>,
  withPatterns: SchemaConstraints[],
): ReadonlyMap<string, Schema> {
  return new Map(Object.entries(map).map(([name, props]) => [name, convert(props, withPatterns)]));
}

function listMarks(props: Props): Partial<Schema> {
  const listType = props['x-kubernetes-list-type'];
  const keys = props['x-kubernetes-list-map-keys'];
  const mapType = props['x-kubernetes-map-type'];
  return {
    ...(listType === 'atomic' || listType === 'set' || listType === 'map' ? { listType } : {}),
    ...(keys === undefined ? {} : { listMapKeys: keys }),
    ...(mapType === 'atomic' || mapType === 'granular' ? { mapType } : {}),
  };
}

const PLAIN = [
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
] as const;

function constraintsOf(props: Props, withPatterns: SchemaConstraints[]): SchemaConstraints | undefined {
  const found: Record<string, unknown> = {};
  for (const name of PLAIN) if (props[name] !== undefined && props[name] !== null) found[name] = props[name];
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
    const list = props[name];
    if (list !== undefined && list !== null) found[name] = list.map((one) => convert(one, withPatterns));
  }
  if (props.not !== undefined && props.not !== null) found['not'] = convert(props.not, withPatterns);
  const rules = props['x-kubernetes-validations'];
  // Go's zero value: an empty rule, which validation refuses.
  if (rules !== undefined && rules !== null && rules.length > 0) {
    found['validations'] = rules.map((rule) => ({ ...rule, rule: rule.rule ?? '' }));
  }
  return Object.keys(found).length === 0 ? undefined : (found as SchemaConstraints);
}

function isSchema(value: unknown): value is Props {
  return typeof value === 'object' && value !== null;
}
