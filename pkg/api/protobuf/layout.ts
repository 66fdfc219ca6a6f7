import type { Schema } from '../schema.ts';

/** The fields of a message as JSON has them: those of its own, and those of messages that JSON has inlined into it. */
export interface MessageLayout {
  readonly fields: Map<string, { readonly number: number; readonly schema: Schema }>;
  /** By number. */
  readonly inlined: Map<number, MessageLayout>;
}

/** How a struct is laid out in protobuf. Fields without a number (apiVersion, kind) have no place in it. */
export function layoutOf(schema: Schema): MessageLayout {
  const layout = emptyLayout();
  for (const [name, field] of schema.properties ?? []) {
    if (field.fieldNumber !== undefined) place(layout, field.fieldNumber, name, field);
  }
  return layout;
}

function emptyLayout(): MessageLayout {
  return { fields: new Map(), inlined: new Map() };
}

function place(layout: MessageLayout, path: readonly number[], name: string, schema: Schema): void {
  const [number = 0, ...rest] = path;
  if (rest.length === 0) {
    layout.fields.set(name, { number, schema });
    return;
  }
  let inner = layout.inlined.get(number);
  if (inner === undefined) {
    inner = emptyLayout();
    layout.inlined.set(number, inner);
  }
  place(inner, rest, name, schema);
}

/** Lists that are messages of their own with the items in field 1: the values of maps of lists, and APIResource's verbs. */
export function isWrappedList(schema: Schema, insideMap: boolean): boolean {
  return schema.type === 'array' && (insideMap || schema.goType === 'v1.Verbs');
}

/** How a value begins on the wire: 0 varint, 1 eight bytes, 2 with its length. */
export function wireTypeOf(schema: Schema): 0 | 1 | 2 {
  if (schema.type === 'integer' || schema.type === 'boolean') return 0;
  return schema.type === 'number' ? 1 : 2;
}
