import type { Schema } from '../schema.ts';
import { isDropped } from './decode.ts';

type JSONObject = Record<string, unknown>;

/**
 * Gives a built-in object the form that Go's encoding/json writes after a trip through storage: fields that are always there get
 * their zero value (0, "", false, null for lists, maps and times), empty values that omitempty drops are dropped. The registry
 * calls it when everything else has been decided, before the object is stored. Changes the object in place; calling it again
 * changes nothing.
 */
export function completeObject(schema: Schema, object: JSONObject): void {
  completeStruct(schema, object);
}

function complete(schema: Schema, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined && isNested(items)) {
      for (let i = 0; i < value.length; i++) value[i] = complete(items, value[i]);
    }
    return schema.always && value.length === 0 ? null : value;
  }
  if (schema.additionalProperties !== undefined) {
    if (isNested(schema.additionalProperties)) {
      const map = value as JSONObject;
      for (const key in map) complete(schema.additionalProperties, map[key]);
    }
    return value;
  }
  if (schema.properties !== undefined) completeStruct(schema, value as JSONObject);
  return value;
}

function completeStruct(schema: Schema, object: JSONObject): void {
  const { properties } = schema;
  if (properties === undefined) return;
  for (const key in object) {
    const field = properties.get(key);
    if (field === undefined) continue;
    const given = object[key];
    if (given === undefined || (given === null && !field.always)) {
      delete object[key];
      continue;
    }
    const value = complete(field, given);
    if (value !== given) object[key] = value;
    if (isDropped(field, value)) delete object[key];
  }
  for (const [name, field] of alwaysFields(properties)) {
    if (object[name] === undefined) object[name] = zero(field);
  }
}

function zero(schema: Schema): unknown {
  if (schema.pointer) return null;
  switch (schema.type) {
    case 'string':
      return '';
    case 'integer':
    case 'number':
    case 'intOrString':
      return 0;
    case 'boolean':
      return false;
    case 'quantity':
      return '0';
    case 'object': {
      if (schema.properties === undefined) return null;
      const struct: JSONObject = {};
      completeStruct(schema, struct);
      return struct;
    }
    default:
      return null;
  }
}

function isNested(schema: Schema): boolean {
  return schema.type === 'array' || (schema.type === 'object' && !schema.preserveUnknownFields);
}

function alwaysFields(properties: ReadonlyMap<string, Schema>): readonly (readonly [string, Schema])[] {
  let fields = fieldsOf.get(properties);
  if (fields === undefined) {
    fields = [...properties].filter(([, field]) => field.always);
    fieldsOf.set(properties, fields);
  }
  return fields;
}

/** Found once for every type. */
const fieldsOf = new WeakMap<ReadonlyMap<string, Schema>, readonly (readonly [string, Schema])[]>();
