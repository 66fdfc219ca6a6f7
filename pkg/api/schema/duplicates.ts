import { parseExact } from '../../base/integers.ts';
import type { Schema } from '../schema.ts';
import { MAX_DEPTH, setMember } from './decode.ts';
import { DecodeError } from './decode-error.ts';
import { markDuplicates } from './json-text.ts';

type JSONObject = Record<string, unknown>;

/** Between a member's name and the number of its occurrence; no name of a built-in type has this character. */
const MARK = '\u0000';

/**
 * Parses JSON in which members occur again as Go's encoding/json reads it into a struct: one after the other into the same field.
 * Structs take the members of both, maps the entries of both, lists item by item; everything else the last value, and null leaves
 * what is no pointer, map or list as it was. undefined: no member occurs again. The text must be valid JSON. Throws a DecodeError
 * for what is nested too deeply.
 */
export function parseWithDuplicates(schema: Schema, text: string): unknown {
  const marked = markDuplicates(text, MARK);
  return marked === undefined ? undefined : settle(schema, parseExact(marked), 0);
}

/** Puts the occurrences of each member together. */
function settle(schema: Schema | undefined, value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new DecodeError('depth', 'exceeded max depth');
  if (Array.isArray(value)) return value.map((item) => settle(schema?.items, item, depth + 1));
  if (!isObject(value)) return value;
  const settled: JSONObject = {};
  for (const key of Object.keys(value)) {
    const end = key.indexOf(MARK);
    const name = end < 0 ? key : key.slice(0, end);
    const field = schema?.properties?.get(name);
    const given = settle(field ?? schema?.additionalProperties, value[key], depth + 1);
    setMember(settled, name, end < 0 ? given : again(field, settled[name], given));
  }
  return settled;
}

/** What a field holds when it held `before` and `value` is read into it; without a schema it is no field of a struct. */
function again(schema: Schema | undefined, before: unknown, value: unknown): unknown {
  if (schema === undefined) return value;
  if (value === null) return becomesNull(schema) ? null : before;
  if (Array.isArray(before) && Array.isArray(value))
    return value.map((item, i) => (i < before.length ? again(schema.items, before[i], item) : item));
  if (!isObject(before) || !isObject(value)) return value;
  const { properties, additionalProperties } = schema;
  if (properties === undefined && additionalProperties === undefined) return value;
  const both: JSONObject = { ...before };
  for (const key of Object.keys(value)) {
    const field = Object.hasOwn(before, key) ? properties?.get(key) : undefined;
    setMember(both, key, again(field, before[key], value[key]));
  }
  return both;
}

function becomesNull({ type, pointer, properties }: Schema): boolean {
  if (pointer === true) return true;
  return type === 'object' ? properties === undefined : !SCALARS.has(type);
}

const SCALARS: ReadonlySet<string> = new Set(['string', 'integer', 'number', 'boolean']);

function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
