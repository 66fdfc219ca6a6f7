import type { Schema } from '../schema.ts';
import { goValue } from '../validation/go-format.ts';
import { builtinSchema } from './builtin.ts';
import { type DecodeNotes, Decoder } from './decode.ts';
import { DecodeError } from './decode-error.ts';
import { hasEmbedded } from './embedded.ts';
import { pruneObject } from './prune.ts';

type JSONObject = Record<string, unknown>;

/**
 * Decodes a custom resource: metadata by the rules of built-in types, the rest pruned by its schema. Takes `value` over and
 * changes it. Throws a DecodeError.
 */
export function decodeCustom(schema: Schema, value: JSONObject): DecodeNotes {
  const unknown: string[] = [];
  const counter = new Decoder();
  counter.skip(value, 0);
  unknown.push(...decodeMetadata(value, 'metadata'));
  decodeEmbedded(schema, value, '', unknown);
  unknown.push(...pruneObject(schema, value));
  return { unknown, members: counter.members };
}

function decodeMetadata(owner: JSONObject, path: string): string[] {
  const given = owner['metadata'];
  if (given === undefined || given === null) {
    if (given === null) delete owner['metadata'];
    return [];
  }
  const decoder = new Decoder();
  owner['metadata'] = decoder.decode(builtinSchema('meta.v1.ObjectMeta'), given);
  return decoder.unknown.map((field) => `${path}.${field}`);
}

/** The metadata of resources inside the resource. */
function decodeEmbedded(schema: Schema, value: unknown, path: string, unknown: string[]): void {
  if (typeof value !== 'object' || value === null || !hasEmbedded(schema)) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (const [i, item] of value.entries()) decodeEmbedded(items, item, `${path}[${i}]`, unknown);
    return;
  }
  const object = value as JSONObject;
  if (schema.embeddedResource) {
    try {
      unknown.push(...decodeMetadata(object, `${path}.metadata`));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const shown = goValue(object['metadata']);
      throw new DecodeError(error.code, `${path}.metadata: Invalid value: ${shown}: ${error.message}`, {
        cause: error,
      });
    }
  }
  for (const key in object) {
    const field = schema.properties?.get(key) ?? schema.additionalProperties;
    if (field !== undefined) decodeEmbedded(field, object[key], path === '' ? key : `${path}.${key}`, unknown);
  }
}
