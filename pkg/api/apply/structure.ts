import type { Schema } from '../schema.ts';
import { keyElement, valueElement } from './path-element.ts';

export type JSONObject = Readonly<Record<string, unknown>>;

/** How server-side apply sees a value: as one unit, or as members or elements with owners of their own. */
export type Structure = 'leaf' | 'map' | 'list';

/** The schema of what no schema describes: objects by member, everything else as one unit. */
const deducedSchema: Schema = { type: 'any', preserveUnknownFields: true };

/** `value` decides where the schema leaves it open. */
export function structureOf(schema: Schema, value: unknown): Structure {
  switch (schema.type) {
    case 'object':
      if (schema.mapType === 'atomic' || schema.format === 'raw' || schema.format === 'fields') return 'leaf';
      return 'map';
    case 'array':
      return schema.listType === 'map' || schema.listType === 'set' ? 'list' : 'leaf';
    case 'any':
      // Built-in types of free JSON have names and are units.
      return schema.name === undefined && isObject(value) ? 'map' : 'leaf';
    default:
      return 'leaf';
  }
}

/** Whether a member is a declared field, not a key of a map. */
export function isDeclared(schema: Schema, name: string): boolean {
  return schema.properties?.has(name) ?? false;
}

/** The schema of a member of an object; undefined when the schema does not allow it. */
export function knownMemberSchema(schema: Schema, name: string): Schema | undefined {
  return (
    schema.properties?.get(name) ??
    schema.additionalProperties ??
    (schema.preserveUnknownFields === true || schema.type === 'any' ? deducedSchema : undefined)
  );
}

export function memberSchema(schema: Schema, name: string): Schema {
  return knownMemberSchema(schema, name) ?? deducedSchema;
}

/** A declared field as a member of field sets. */
export interface FieldElement {
  /** `f:<name>`. */
  readonly element: string;
  readonly schema: Schema;
  /** One unit whatever its value is. */
  readonly isLeaf: boolean;
}

/** The declared fields of an object by name; undefined for maps and for what no schema describes. */
export function fieldElements({ properties }: Schema): ReadonlyMap<string, FieldElement> | undefined {
  if (properties === undefined) return undefined;
  let elements = elementsByFields.get(properties);
  if (elements === undefined) {
    elements = new Map(
      [...properties].map(([name, schema]) => {
        const isLeaf = schema.type !== 'any' && structureOf(schema, undefined) === 'leaf';
        return [name, { element: `f:${name}`, schema, isLeaf }];
      }),
    );
    elementsByFields.set(properties, elements);
  }
  return elements;
}

/** Made once for every type. */
const elementsByFields = new WeakMap<ReadonlyMap<string, Schema>, ReadonlyMap<string, FieldElement>>();

export function itemSchema(schema: Schema): Schema {
  return schema.items ?? deducedSchema;
}

/** The path element that identifies an element of an associative list; undefined when it has none of the keys or cannot have any. */
export function listElement(schema: Schema, item: unknown): string | undefined {
  if (schema.listType === 'set') return typeof item === 'object' ? undefined : valueElement(item);
  if (!isObject(item)) return undefined;
  const only = schema.listMapKeys?.length === 1 ? schema.listMapKeys[0] : undefined;
  const identity = only === undefined || !Object.hasOwn(item, only) ? undefined : item[only];
  if (typeof identity === 'string') return `k:{${JSON.stringify(only)}:${JSON.stringify(identity)}}`;
  const key: Record<string, unknown> = {};
  let found = false;
  for (const name of schema.listMapKeys ?? []) {
    const given = Object.hasOwn(item, name) ? item[name] : undefined;
    const value = given === undefined ? keyDefault(schema, name) : given;
    if (value === undefined) continue;
    key[name] = value;
    found = true;
  }
  return found ? keyElement(key) : undefined;
}

/** The value that a missing key stands for; the only one of built-in types, which have names, is the protocol of a port. */
function keyDefault({ items }: Schema, name: string): unknown {
  const builtin = name === 'protocol' && items?.name !== undefined ? 'TCP' : undefined;
  return items?.properties?.get(name)?.default ?? builtin;
}

export function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function membersOf(value: unknown): JSONObject {
  return isObject(value) ? value : {};
}

export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
