import { builtinTypeMarks } from '../schema/builtin.ts';
import type { Schema, SchemaConstraints } from '../schema.ts';
import { declaredDefault } from './declared-defaults.ts';
import { openAPIName, SCALAR_NAMES } from './names.ts';

export type OpenAPINode = Record<string, unknown>;

/** Where descriptions come from: `field` is absent for the type itself. Names are as in the document. */
export type Describe = (typeName: string, field?: string) => string | undefined;

/** What is named by the schemas rendered so far and still needs a definition of its own. */
export interface References {
  /** Built-in types as `package.Type`. */
  readonly types: Set<string>;
  /** Names of scalars with a definition. */
  readonly scalars: Set<string>;
}

/** Renders schemas of one document. */
export class Renderer {
  readonly references: References = { types: new Set(), scalars: new Set() };
  readonly version: 2 | 3;
  readonly #prefix: string;
  readonly #describe: Describe;

  constructor(version: 2 | 3, describe: Describe = () => undefined) {
    this.version = version;
    this.#prefix = version === 2 ? '#/definitions/' : '#/components/schemas/';
    this.#describe = describe;
  }

  ref(name: string): OpenAPINode {
    return { $ref: this.#prefix + name };
  }

  /** A type with its fields; `typeName` is its name in the document. */
  definition(schema: Schema, typeName: string): OpenAPINode {
    const node = schema.name !== undefined && schema.type === 'any' ? {} : this.#struct(schema, typeName);
    const description = this.#describe(typeName) ?? schema.description;
    return description === undefined ? node : { description, ...node };
  }

  /** A field or an item, or all of a custom resource. */
  use(schema: Schema): OpenAPINode {
    if (this.version === 2) schema = readableInV2(schema);
    const marks = this.#marks(schema);
    if (schema.name !== undefined && (schema.type === 'object' || schema.type === 'any')) {
      this.references.types.add(schema.name);
      return this.#marked(this.ref(openAPIName(schema.name)), marks);
    }
    const scalar = this.#namedScalar(schema);
    if (scalar !== undefined) {
      this.references.scalars.add(scalar);
      return this.#marked(this.ref(scalar), marks);
    }
    return { ...this.#plain(schema), ...marks };
  }

  /** A rendered field with what is said of it. */
  described(node: OpenAPINode, typeName: string, field: string): OpenAPINode {
    const description = this.#describe(typeName, field);
    return description === undefined ? node : this.#marked(node, { description });
  }

  #namedScalar(schema: Schema): string | undefined {
    switch (schema.type) {
      case 'quantity':
      case 'time':
      case 'microTime':
        return SCALAR_NAMES[schema.type];
      case 'intOrString':
        return isCustom(schema) ? undefined : SCALAR_NAMES.intOrString;
      case 'any':
        return schema.format === 'json' ? SCALAR_NAMES.json : undefined;
      case 'object':
        if (schema.format === 'raw') return SCALAR_NAMES.raw;
        return schema.format === 'fields' ? SCALAR_NAMES.fields : undefined;
      default:
        return undefined;
    }
  }

  #plain(schema: Schema): OpenAPINode {
    switch (schema.type) {
      case 'array':
        return { type: 'array', ...this.#items(schema) };
      case 'object':
        return this.#struct(schema, '');
      case 'bytes':
        return { type: 'string', format: 'byte' };
      case 'any':
        return { ...this.#struct(schema, ''), ...this.#items(schema) };
      case 'intOrString':
        return { 'x-kubernetes-int-or-string': true };
      default:
        return {
          type: schema.type,
          ...(schema.format === undefined || schema.format === 'go-duration' ? {} : { format: schema.format }),
        };
    }
  }

  #items({ items }: Schema): OpenAPINode {
    return items === undefined ? {} : { items: this.use(items) };
  }

  #struct(schema: Schema, typeName: string): OpenAPINode {
    const node: OpenAPINode = schema.type === 'any' ? {} : { type: 'object' };
    // kubectl would take fields that are not among these for unknown ones.
    const isWhole = schema.embeddedResource && !(this.version === 2 && schema.preserveUnknownFields);
    const properties: Record<string, OpenAPINode> = {};
    for (const [name, field] of schema.properties ?? []) {
      properties[name] = typeName === '' ? this.use(field) : this.#field(schema, field, typeName, name);
    }
    if (isWhole) Object.assign(properties, this.objectFields('core.v1.Pod', 'meta.v1.ObjectMeta'));
    if (Object.keys(properties).length > 0) node['properties'] = properties;
    if (schema.additionalProperties !== undefined) node['additionalProperties'] = this.use(schema.additionalProperties);
    const required = new Set([...(schema.required ?? []), ...(isWhole ? ['kind', 'apiVersion'] : [])]);
    if (required.size > 0) node['required'] = [...required];
    return node;
  }

  #field(owner: Schema, schema: Schema, typeName: string, name: string): OpenAPINode {
    const node = this.use(schema);
    const unset = this.version === 3 ? (declaredDefault(owner.name, name) ?? zeroValue(schema)) : undefined;
    return this.described(unset === undefined ? node : this.#marked(node, { default: unset }), typeName, name);
  }

  /** The fields that every object has, described as those of `like`. */
  objectFields(like: string, metadata: string): Record<string, OpenAPINode> {
    const name = openAPIName(like);
    this.references.types.add(metadata);
    return {
      apiVersion: this.described({ type: 'string' }, name, 'apiVersion'),
      kind: this.described({ type: 'string' }, name, 'kind'),
      metadata: this.described(this.ref(openAPIName(metadata)), name, 'metadata'),
    };
  }

  /** OpenAPI 3.0 ignores what stands beside $ref. */
  #marked(node: OpenAPINode, marks: OpenAPINode): OpenAPINode {
    if (Object.keys(marks).length === 0) return node;
    if (this.version === 2 || node['$ref'] === undefined) return { ...marks, ...node };
    return { ...marks, allOf: [node] };
  }

  #marks(schema: Schema): OpenAPINode {
    const marks: OpenAPINode = {};
    if (schema.description !== undefined) marks['description'] = schema.description;
    if (schema.listType !== undefined) marks['x-kubernetes-list-type'] = schema.listType;
    if (schema.listMapKeys !== undefined) marks['x-kubernetes-list-map-keys'] = [...schema.listMapKeys];
    if (schema.mapType !== undefined && !(schema.mapType === 'atomic' && isAtomicType(schema)))
      marks['x-kubernetes-map-type'] = schema.mapType;
    if (schema.patchStrategy !== undefined) marks['x-kubernetes-patch-strategy'] = schema.patchStrategy.join(',');
    if (schema.patchMergeKey !== undefined) marks['x-kubernetes-patch-merge-key'] = schema.patchMergeKey;
    if (schema.embeddedResource) marks['x-kubernetes-embedded-resource'] = true;
    if (schema.preserveUnknownFields && isCustom(schema)) marks['x-kubernetes-preserve-unknown-fields'] = true;
    if (schema.values !== undefined) marks['enum'] = [...schema.values];
    if (schema.default !== undefined) marks['default'] = schema.default;
    if (schema.nullable && this.version === 3) marks['nullable'] = true;
    if (schema.constraints !== undefined) Object.assign(marks, this.#constraints(schema.constraints));
    return marks;
  }

  #constraints(constraints: SchemaConstraints): OpenAPINode {
    const { allOf, anyOf, oneOf, not, validations, ...plain } = constraints;
    const node: OpenAPINode = { ...plain };
    if (validations !== undefined) node['x-kubernetes-validations'] = validations;
    if (this.version === 2) return node;
    const list = (schemas: readonly Schema[]): OpenAPINode[] => schemas.map((one) => this.use(one));
    if (allOf !== undefined) node['allOf'] = list(allOf);
    if (anyOf !== undefined) node['anyOf'] = list(anyOf);
    if (oneOf !== undefined) node['oneOf'] = list(oneOf);
    if (not !== undefined) node['not'] = this.use(not);
    return node;
  }
}

/** What a field of a built-in type is when nobody sets it, where Go has no way to tell that from its zero value. */
function zeroValue({ always, pointer, type, properties }: Schema): unknown {
  if (!always || pointer) return undefined;
  switch (type) {
    case 'object':
      return properties === undefined ? undefined : {};
    case 'string':
      return '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return undefined;
  }
}

/**
 * Clients that read Swagger 2.0 take a field that may be null or unknown for one with exactly these fields: no more is said
 * of it than that it is there. Corresponds to upstream's ToStructuralOpenAPIV2.
 */
function readableInV2(schema: Schema): Schema {
  if (!isCustom(schema)) return schema;
  const { nullable, preserveUnknownFields, properties, required } = schema;
  const isFree = nullable || preserveUnknownFields;
  const items = isFree ? undefined : schema.items;
  const untyped =
    nullable || (preserveUnknownFields && schema.type === 'object') || (schema.type === 'array' && items === undefined);
  const mayBeNull = required?.some((name) => properties?.get(name)?.nullable);
  if (!isFree && !untyped && !mayBeNull) return schema;
  return {
    ...schema,
    type: untyped ? 'any' : schema.type,
    items,
    properties: isFree ? undefined : properties,
    required: mayBeNull ? required?.filter((name) => !properties?.get(name)?.nullable) : required,
  };
}

/** Free-form built-in types have a format of their own. */
function isCustom(schema: Schema): boolean {
  return schema.name === undefined && (schema.format === undefined || !BUILTIN_FORMATS.has(schema.format));
}

const BUILTIN_FORMATS: ReadonlySet<string> = new Set(['raw', 'fields', 'json', 'int-or-string']);

/** A type that is atomic by itself says so in its definition, not in its uses. */
function isAtomicType(schema: Schema): boolean {
  return schema.name !== undefined && builtinTypeMarks(schema.name).includes('map=atomic');
}

/** Definitions of the scalars that have one. */
export function scalarDefinition(name: string, version: 2 | 3): OpenAPINode {
  switch (name) {
    case SCALAR_NAMES.quantity:
      return version === 2 ? { type: 'string' } : { oneOf: [{ type: 'string' }, { type: 'number' }] };
    case SCALAR_NAMES.time:
    case SCALAR_NAMES.microTime:
      return { type: 'string', format: 'date-time' };
    case SCALAR_NAMES.intOrString:
      return version === 2
        ? { type: 'string', format: 'int-or-string' }
        : { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
    case SCALAR_NAMES.json:
      return {};
    default:
      return { type: 'object' };
  }
}
