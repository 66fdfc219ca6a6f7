import type { Schema } from '../schema.ts';
import { ANYTHING } from './crd.ts';

type JSONObject = Record<string, unknown>;

/**
 * Drops the members that are null where a structural schema allows no null and has no default, as upstream does whenever it reads
 * a custom resource. Changes the object in place.
 */
export function dropNulls(schema: Schema, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) for (const item of value) dropNulls(items, item);
    return;
  }
  const object = value as JSONObject;
  for (const key in object) {
    const field = schema.properties?.get(key) ?? schema.additionalProperties;
    if (field === undefined || field === ANYTHING) continue;
    if (object[key] === null && !field.nullable && field.default === undefined) delete object[key];
    else dropNulls(field, object[key]);
  }
}
