import type { Schema } from '../schema.ts';
import { setMember } from './decode.ts';

type JSONObject = Readonly<Record<string, unknown>>;

/** A copy of a value of a built-in type with members in the order of Go's structs, which is that of their protobuf numbers. */
export function inStructOrder(schema: Schema, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { properties, items } = schema;
  if (Array.isArray(value)) return items === undefined ? value : value.map((item) => inStructOrder(items, item));
  if (properties === undefined) return value;
  const given = value as JSONObject;
  const ordered: Record<string, unknown> = {};
  const fields = [...properties].sort(([, a], [, b]) => (a.fieldNumber?.[0] ?? 0) - (b.fieldNumber?.[0] ?? 0));
  for (const [name, field] of fields) {
    if (given[name] !== undefined) setMember(ordered, name, inStructOrder(field, given[name]));
  }
  return ordered;
}
