/**
 * The compiled form of a type: what the engine walks to decode, prune, default, validate, patch, apply, encode and
 * describe an object. Built-in kinds get theirs from pkg/api/facts, CRDs from their OpenAPI v3 schema.
 *
 * Schemas may refer to themselves (JSONSchemaProps): `properties`, `items` and `additionalProperties` can be getters.
 */
export interface Schema {
  readonly type: SchemaType;
  /** `package.Type` for built-in types, for OpenAPI and error texts. */
  readonly name?: string;
  readonly format?: string;
  /** Known fields of an object type. */
  readonly properties?: ReadonlyMap<string, Schema>;
  readonly required?: readonly string[];
  /** The value type of a map. */
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  /** How server-side apply merges a list; absent means atomic. */
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  readonly mapType?: 'granular' | 'atomic';
  /** Strategic merge patch: `merge`, `replace`, `retainKeys`. */
  readonly patchStrategy?: readonly ('merge' | 'replace' | 'retainKeys')[];
  readonly patchMergeKey?: string;
  /** Unknown fields are kept (free-form objects, x-kubernetes-preserve-unknown-fields). */
  readonly preserveUnknownFields?: boolean;
  /** A whole object with apiVersion, kind and metadata (x-kubernetes-embedded-resource). */
  readonly embeddedResource?: boolean;
  readonly nullable?: boolean;
  /**
   * Built-in types: answers carry the field even when nobody set it: a struct as {}, a number as 0, a string as "", a list, map
   * or time as null (a field without omitempty, or a struct that omitempty cannot drop).
   */
  readonly always?: boolean;
  /** Built-in types: a Go pointer. Zero values count as set; without it they mean absent. */
  readonly pointer?: boolean;
  /** Built-in types: the Go type as error texts name it, where `type` and `name` do not tell. */
  readonly goType?: string;
  /** Built-in types: the field's number in protobuf, behind the numbers of the messages it is inlined from. */
  readonly fieldNumber?: readonly number[];
  readonly default?: unknown;
  /** Built-in types: the values that OpenAPI lists; what is accepted is for the validation of the kind. */
  readonly values?: readonly string[];
  /** Custom types: what their author says; built-in types are described when OpenAPI documents are made. */
  readonly description?: string;
  /** Everything else that an OpenAPI v3 schema of a CRD can say about values. */
  readonly constraints?: SchemaConstraints;
}

/**
 * `any`: JSON of every shape. `intOrString`: a 32-bit integer or a string. `quantity`, `time`, `microTime`, `bytes`
 * (base64): strings with their own syntax. `integer` and `number` have a `format` (int32, int64, double).
 */
export type SchemaType =
  | 'object'
  | 'array'
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'any'
  | 'intOrString'
  | 'quantity'
  | 'time'
  | 'microTime'
  | 'bytes';

export interface SchemaConstraints {
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  /** x-kubernetes-validations. */
  readonly validations?: readonly {
    readonly rule: string;
    readonly message?: string;
    readonly messageExpression?: string;
    readonly reason?: string;
    readonly fieldPath?: string;
    readonly optionalOldSelf?: boolean;
  }[];
}
