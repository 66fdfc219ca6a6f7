import type { Schema } from '../schema.ts';

/** How error texts name the Go type of a field: `int32`, `[]v1.Container`, `map[string]string`, `v1.PullPolicy`. */
export function goTypeOf(schema: Schema): string {
  if (schema.goType !== undefined) return schema.goType;
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'integer':
      return schema.format ?? 'int64';
    case 'number':
      return 'float64';
    case 'bytes':
      return '[]uint8';
    case 'array':
      return `[]${schema.items === undefined ? 'interface {}' : goTypeOf(schema.items)}`;
    case 'quantity':
      return 'resource.Quantity';
    case 'time':
      return 'v1.Time';
    case 'microTime':
      return 'v1.MicroTime';
    case 'intOrString':
      return 'intstr.IntOrString';
    case 'any':
      return 'interface {}';
    case 'object':
      if (schema.additionalProperties !== undefined) return `map[string]${goTypeOf(schema.additionalProperties)}`;
      if (schema.name !== undefined) return schema.name.slice(schema.name.indexOf('.') + 1);
      return schema.format === 'raw' ? 'runtime.RawExtension' : 'map[string]interface {}';
  }
}

/** The struct's own name: `ContainerPort`. */
export function goStructOf(schema: Schema): string {
  return schema.name?.slice(schema.name.lastIndexOf('.') + 1) ?? '';
}

/** What encoding/json calls a JSON value. */
export function goKindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
    case 'bigint':
      return 'number';
    case 'boolean':
      return 'bool';
    default:
      return value === null ? 'null' : 'object';
  }
}
