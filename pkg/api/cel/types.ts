/** The kinds of types that expressions have. `param` is a type variable, `object` has named fields, `opaque` none. */
export type TypeKind =
  | 'dyn'
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'duration'
  | 'timestamp'
  | 'list'
  | 'map'
  | 'type'
  | 'param'
  | 'wrapper'
  | 'opaque'
  | 'object'
  | 'error';

export interface CelType {
  readonly kind: TypeKind;
  readonly name: string;
  readonly params: readonly CelType[];
  /** The fields of an object type by the name that expressions use. */
  readonly fields?: ReadonlyMap<string, CelType>;
}

function simple(kind: TypeKind, name: string = kind): CelType {
  return { kind, name, params: [] };
}

export const DYN = simple('dyn');
export const NULL = simple('null', 'null_type');
export const BOOL = simple('bool');
export const INT = simple('int');
export const UINT = simple('uint');
export const DOUBLE = simple('double');
export const STRING = simple('string');
export const BYTES = simple('bytes');
export const DURATION = simple('duration', 'google.protobuf.Duration');
export const TIMESTAMP = simple('timestamp', 'google.protobuf.Timestamp');
export const ERROR = simple('error', '!error!');
export const TYPE = simple('type');

export function listOf(element: CelType): CelType {
  return { kind: 'list', name: 'list', params: [element] };
}

export function mapOf(key: CelType, value: CelType): CelType {
  return { kind: 'map', name: 'map', params: [key, value] };
}

export function typeOf(type: CelType): CelType {
  return { kind: 'type', name: 'type', params: [type] };
}

export function optionalOf(type: CelType): CelType {
  return { kind: 'opaque', name: 'optional_type', params: [type] };
}

export function wrapperOf(type: CelType): CelType {
  return { kind: 'wrapper', name: type.name, params: [type] };
}

export function paramType(name: string): CelType {
  return { kind: 'param', name, params: [] };
}

export function opaqueType(name: string, ...params: readonly CelType[]): CelType {
  return { kind: 'opaque', name, params };
}

export function objectType(name: string, fields: ReadonlyMap<string, CelType>): CelType {
  return { kind: 'object', name, params: [], fields };
}

export function isOptional(type: CelType): boolean {
  return type.kind === 'opaque' && type.name === 'optional_type';
}

/** Whether the type says nothing before the expression runs. */
export function isDyn(type: CelType): boolean {
  return type.kind === 'dyn';
}

export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.name !== b.name || a.params.length !== b.params.length) return false;
  for (let i = 0; i < a.params.length; i++) {
    const left = a.params[i];
    const right = b.params[i];
    if (left === undefined || right === undefined || !sameType(left, right)) return false;
  }
  return true;
}

/** The type as the checker's errors show it: `map(string, int)`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'null':
      return 'null';
    case 'wrapper':
      return `wrapper(${type.name})`;
    case 'duration':
    case 'timestamp':
      return type.kind;
    default:
      return withParams(type, formatType);
  }
}

/** The type by the names that types have as values: `google.protobuf.Duration`, `null_type`. */
export function typeName(type: CelType): string {
  return type.kind === 'wrapper' ? `wrapper(${type.name})` : withParams(type, typeName);
}

function withParams({ name, params }: CelType, format: (type: CelType) => string): string {
  return params.length === 0 ? name : `${name}(${params.map(format).join(', ')})`;
}
