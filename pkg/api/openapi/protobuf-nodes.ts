import type { ProtobufWriter } from './protobuf-writer.ts';
import type { OpenAPINode } from './render.ts';

/** What the protobuf forms of OpenAPI 2 and 3 write alike. Both number the fields of their messages anew, so numbers come in. */

const BATCH = 32;

export function* batches<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += BATCH) yield all.slice(at, at + BATCH);
}

export function writeExtensions(out: ProtobufWriter, field: number, owner: OpenAPINode): void {
  for (const key of Object.keys(owner)) {
    if (key.startsWith('x-')) out.message(field, () => named(out, key, () => writeAny(out, owner[key])));
  }
}

/** An Any whose value is YAML; JSON is YAML. */
export function writeAny(out: ProtobufWriter, value: unknown): void {
  out.string(2, `${JSON.stringify(value)}\n`);
}

/** A NamedX message: name and value. */
export function named(out: ProtobufWriter, name: string, write: () => void): void {
  out.string(1, name);
  out.message(2, write);
}

export function writeText(out: ProtobufWriter, field: number, value: unknown): void {
  if (typeof value === 'string' && value !== '') out.string(field, value);
}

export function writeTexts(out: ProtobufWriter, field: number, values: unknown): void {
  if (Array.isArray(values)) for (const value of values) out.string(field, String(value));
}

export function node(value: unknown): OpenAPINode {
  return (value ?? {}) as OpenAPINode;
}

export function list(value: unknown): OpenAPINode[] {
  return (value ?? []) as OpenAPINode[];
}

export function entries(value: unknown): [string, OpenAPINode][] {
  return Object.entries((value ?? {}) as Record<string, OpenAPINode>);
}
