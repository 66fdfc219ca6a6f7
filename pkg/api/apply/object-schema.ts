import { builtinSchema } from '../schema/builtin.ts';
import type { Schema } from '../schema.ts';

/**
 * The schema of whole objects: that of a custom resource need not describe apiVersion, kind and metadata, which every object
 * has.
 */
export function objectSchema(schema: Schema): Schema {
  if (schema.properties?.get('metadata')?.properties?.has('labels')) return schema;
  let complete = completed.get(schema);
  if (complete === undefined) {
    const properties = new Map(schema.properties)
      .set('apiVersion', { type: 'string' })
      .set('kind', { type: 'string' })
      .set('metadata', builtinSchema('meta.v1.ObjectMeta'));
    complete = { ...schema, properties };
    completed.set(schema, complete);
  }
  return complete;
}

/** Made once for every schema. */
const completed = new WeakMap<Schema, Schema>();
