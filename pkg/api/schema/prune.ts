import type { Schema } from '../schema.ts';
import { MAX_DEPTH } from './decode.ts';
import { DecodeError } from './decode-error.ts';
import { joinPath } from './json-text.ts';

type JSONObject = Record<string, unknown>;

/**
 * Drops what a structural schema does not know and returns the paths of what was dropped. Changes the object in place. At the
 * root and in embedded resources apiVersion, kind and metadata stay.
 */
export function pruneObject(schema: Schema, object: JSONObject, isRoot = true): string[] {
  const walk: Walk = { path: [], dropped: [] };
  prune(schema, object, isRoot || schema.embeddedResource === true, walk);
  return walk.dropped;
}

interface Walk {
  readonly path: (string | number)[];
  readonly dropped: string[];
}

function prune(schema: Schema, value: unknown, isResource: boolean, walk: Walk): void {
  if (typeof value !== 'object' || value === null) return;
  if (walk.path.length >= MAX_DEPTH) throw new DecodeError('depth', 'exceeded max depth');
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (let i = 0; i < value.length; i++) {
      walk.path.push(i);
      prune(items, value[i], items.embeddedResource === true, walk);
      walk.path.pop();
    }
    return;
  }
  const object = value as JSONObject;
  for (const key in object) {
    if (isResource && (key === 'apiVersion' || key === 'kind' || key === 'metadata')) continue;
    walk.path.push(key);
    const field = schema.properties?.get(key) ?? schema.additionalProperties;
    if (field !== undefined) prune(field, object[key], field.embeddedResource === true, walk);
    else if (!schema.preserveUnknownFields) {
      walk.dropped.push(joinPath(walk.path));
      delete object[key];
    }
    walk.path.pop();
  }
}
