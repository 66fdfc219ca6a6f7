import type { Schema } from '../schema.ts';

/**
 * An object of a type with every field set, in the form that the JSON decoder leaves it in. A type within itself has only its
 * plain fields, and so has the second item of every list.
 */
export function filledObject(schema: Schema, within: readonly string[] = []): Record<string, unknown> {
  const { name: type = '' } = schema;
  const path = [...within, type];
  const isPlain = within.includes(type);
  const object: Record<string, unknown> = {};
  for (const [name, field] of schema.properties ?? []) {
    // The type of an object within another is not in protobuf.
    if (field.fieldNumber !== undefined && (!isPlain || isLeaf(field))) object[name] = filledValue(name, field, path);
  }
  return object;
}

function isLeaf(schema: Schema): boolean {
  const inner = schema.items ?? schema.additionalProperties;
  if (inner !== undefined) return isLeaf(inner);
  return schema.properties === undefined && !(schema.type === 'any' && schema.name !== undefined);
}

function filledValue(name: string, schema: Schema, path: readonly string[]): unknown {
  const { items, additionalProperties } = schema;
  if (items !== undefined) {
    return [filledValue(`${name}-0`, items, path), filledValue(`${name}-1`, items, [...path, items.name ?? ''])];
  }
  if (additionalProperties !== undefined) {
    return {
      a: filledValue(`${name}-a`, additionalProperties, path),
      'b/c': filledValue(name, additionalProperties, path),
    };
  }
  switch (schema.type) {
    case 'string':
      return schema.format === 'go-duration' ? '1m30s' : `${name} — ü`;
    case 'boolean':
      return true;
    case 'integer':
      return schema.format === 'int32' ? -7 - name.length : 2 ** 40 + name.length;
    case 'number':
      return 1.5;
    case 'bytes':
      return Buffer.from(name).toString('base64');
    case 'quantity':
      return '1500m';
    case 'time':
      return '2026-02-28T23:59:59Z';
    case 'microTime':
      return '2026-02-28T23:59:59.000123Z';
    case 'intOrString':
      return name.length % 2 === 0 ? 8080 : 'http';
    case 'object':
      return schema.properties === undefined ? { any: [1, 'x', null] } : filledObject(schema, path);
    default:
      return schema.name?.includes('JSONSchemaProps') ? { type: name } : [{ any: name }];
  }
}
