import type { Steps } from '../../base/steps.ts';
import type { Schema } from '../schema.ts';
import { goValue } from '../validation/go-format.ts';
import { builtinSchema } from './builtin.ts';
import { type DecodeNotes, Decoder } from './decode.ts';
import { DecodeError } from './decode-error.ts';
import { dropNulls } from './drop-nulls.ts';
import { hasEmbedded } from './embedded.ts';
import { numberLiteral } from './number-literal.ts';
import { pruneObject } from './prune.ts';

type JSONObject = Record<string, unknown>;

/**
 * Decodes a custom resource: metadata by the rules of built-in types, the rest pruned by its schema, nulls that the schema does
 * not allow dropped unless `keepsNulls`. Takes `value` over and changes it. Unknown fields are noted as upstream tells them: those
 * of the metadata, those that the schema does not know, those of embedded metadata. `text` is what the value was parsed from,
 * if anything. Throws a DecodeError. Each step takes time by the size of the object.
 */
export function* decodeCustom(
  schema: Schema,
  value: JSONObject,
  text?: string,
  keepsNulls = false,
): Steps<DecodeNotes> {
  const counter = new Decoder();
  counter.skip(value, 0);
  if (counter.hasInfinity) throw new DecodeError('value', infinityText(text ?? ''));
  yield;
  const unknown = decodeMetadata(value, 'metadata');
  yield;
  for (const path of pruneObject(schema, value).sort()) unknown.push(path);
  yield;
  if (!keepsNulls) dropNulls(schema, value);
  yield;
  const embedded: string[] = [];
  decodeEmbedded(schema, value, '', { unknown: embedded, leavesTypes: keepsNulls });
  unknown.push(...embedded.sort());
  return { unknown, members: counter.members };
}

/** Tells of the first number of a JSON text that no float holds. */
function infinityText(text: string): string {
  const literal = numberLiteral(text, (value) => !Number.isFinite(value));
  if (literal === undefined) return 'json: unsupported value: +Inf';
  return `json: cannot unmarshal number ${literal} into Go value of type float64`;
}

function decodeMetadata(owner: JSONObject, path: string): string[] {
  const given = owner['metadata'];
  if (given === undefined) return [];
  const decoder = new Decoder();
  owner['metadata'] = decoder.decode(builtinSchema('meta.v1.ObjectMeta'), given ?? {});
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

interface EmbeddedNotes {
  readonly unknown: string[];
  /** What has the wrong type is for validation to find. */
  readonly leavesTypes: boolean;
}

/** What resources inside the resource are: their apiVersion and kind are strings, their metadata is decoded. */
function decodeEmbedded(schema: Schema, value: unknown, path: string, notes: EmbeddedNotes): void {
  if (typeof value !== 'object' || value === null || !hasEmbedded(schema)) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (const [i, item] of value.entries()) decodeEmbedded(items, item, `${path}[${i}]`, notes);
    return;
  }
  const object = value as JSONObject;
  if (schema.embeddedResource) decodeResource(object, path, notes);
  for (const key in object) {
    const field = schema.properties?.get(key) ?? schema.additionalProperties;
    if (field !== undefined) decodeEmbedded(field, object[key], path === '' ? key : `${path}.${key}`, notes);
  }
}

function decodeResource(object: JSONObject, path: string, { unknown, leavesTypes }: EmbeddedNotes): void {
  for (const key of ['apiVersion', 'kind']) {
    const value = object[key];
    if (leavesTypes || value === undefined || typeof value === 'string') continue;
    throw new DecodeError('type', `${path}.${key}: Invalid value: ${goValue(value)}: must be a string`);
  }
  try {
    unknown.push(...decodeMetadata(object, `${path}.metadata`));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const shown = goValue(object['metadata']);
    throw new DecodeError(error.code, `${path}.metadata: Invalid value: ${shown}: ${error.message}`, { cause: error });
  }
}
