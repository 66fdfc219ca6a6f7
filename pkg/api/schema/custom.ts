import type { Schema } from '../schema.ts';
import { goValue } from '../validation/go-format.ts';
import { builtinSchema } from './builtin.ts';
import { type DecodeNotes, Decoder } from './decode.ts';
import { DecodeError } from './decode-error.ts';
import { dropNulls } from './drop-nulls.ts';
import { hasEmbedded } from './embedded.ts';
import { pruneObject } from './prune.ts';

type JSONObject = Record<string, unknown>;

/**
 * Decodes a custom resource: metadata by the rules of built-in types, the rest pruned by its schema, nulls that the schema does
 * not allow dropped unless `keepsNulls`. Takes `value` over and changes it. Unknown fields are noted as upstream tells them: those
 * of the metadata, those that the schema does not know, those of embedded metadata. Throws a DecodeError.
 */
export function decodeCustom(schema: Schema, value: JSONObject, keepsNulls = false): DecodeNotes {
  const counter = new Decoder();
  counter.skip(value, 0);
  const unknown = decodeMetadata(value, 'metadata');
  unknown.push(...pruneObject(schema, value).sort());
  if (!keepsNulls) dropNulls(schema, value);
  const embedded: string[] = [];
  decodeEmbedded(schema, value, '', embedded);
  unknown.push(...embedded.sort());
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
  return decoder.unknown.sort(compareFields).map((field) => `${path}.${field}`);
}

/** Fields in the order of a document whose members are sorted. */
function compareFields(a: string, b: string): number {
  const [left, right] = [a, b].map((path) => path.split(/[.[]/));
  for (const [i, part] of (left ?? []).entries()) {
    const other = right?.[i] ?? '';
    if (part !== other) return Number.parseInt(part, 10) - Number.parseInt(other, 10) || (part < other ? -1 : 1);
  }
  return 0;
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
