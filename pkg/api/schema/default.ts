import { cloneJSON } from '../../base/json.ts';
import type { Schema } from '../schema.ts';
import { setMember } from './decode.ts';

type JSONObject = Record<string, unknown>;

/** Fills in the defaults of a structural schema, also for nulls where it allows none. Changes the object in place. */
export function defaultObject(schema: Schema, object: JSONObject): void {
  applyDefaults(schema, object);
}

function applyDefaults(schema: Schema, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (let i = 0; i < value.length; i++) {
      if (value[i] === null && !items.nullable && items.default !== undefined) value[i] = cloneJSON(items.default);
      applyDefaults(items, value[i]);
    }
    return;
  }
  const object = value as JSONObject;
  if (schema.properties !== undefined) {
    for (const [name, field] of schema.properties) {
      if (field.default === undefined) continue;
      const has = Object.hasOwn(object, name) && object[name] !== undefined;
      if (!has || (object[name] === null && !field.nullable)) setMember(object, name, cloneJSON(field.default));
    }
  }
  for (const key in object) {
    const field = schema.properties?.get(key) ?? schema.additionalProperties;
    if (field === undefined) continue;
    if (object[key] === null && !field.nullable && field.default !== undefined) {
      setMember(object, key, cloneJSON(field.default));
    }
    applyDefaults(field, object[key]);
  }
}
