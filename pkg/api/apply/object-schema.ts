import { builtinSchema } from '../schema/builtin.ts';
import { hasEmbedded } from '../schema/embedded.ts';
import type { Schema } from '../schema.ts';

/**
 * The schema of whole objects: that of a custom resource need not describe apiVersion, kind and metadata, which every object
 * has, nor need it for the resources embedded in it.
 */
export function objectSchema(schema: Schema): Schema {
  if (schema.properties?.get('metadata')?.properties?.has('labels')) return schema;
  let complete = completed.get(schema);
  if (complete === undefined) {
    complete = withObjectFields(completeBelow(schema));
    completed.set(schema, complete);
  }
  return complete;
}

/** Made once for every schema. */
const completed = new WeakMap<Schema, Schema>();

function withObjectFields(schema: Schema): Schema {
  const properties = new Map(schema.properties)
    .set('apiVersion', { type: 'string' })
    .set('kind', { type: 'string' })
    .set('metadata', builtinSchema('meta.v1.ObjectMeta'));
  return { ...schema, properties };
}

function completeBelow(schema: Schema): Schema {
  if (!hasEmbedded(schema)) return schema;
  const { properties, items, additionalProperties } = schema;
  const below = (one: Schema): Schema => {
    const complete = completeBelow(one);
    return one.embeddedResource === true ? withObjectFields(complete) : complete;
  };
  return {
    ...schema,
    ...(properties === undefined
      ? {}
      : { properties: new Map([...properties].map(([name, one]) => [name, below(one)])) }),
    ...(items === undefined ? {} : { items: below(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: below(additionalProperties) }),
  };
}
