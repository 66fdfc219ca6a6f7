import { canonicalJSON, equalJSON } from '../../base/json.ts';
import type { FieldError } from '../errors.ts';
import type { Schema } from '../schema.ts';
import { goValue } from '../validation/go-format.ts';

type JSONObject = Readonly<Record<string, unknown>>;

/** Items of sets, and the keys of list maps, occur once: the errors of all lists in a value. */
export function validateListTypes(schema: Schema, value: unknown): FieldError[] {
  const errors: FieldError[] = [];
  walk(schema, value, '', errors);
  return errors;
}

function walk(schema: Schema, value: unknown, path: string, errors: FieldError[]): void {
  if (typeof value !== 'object' || value === null || !hasUniqueLists(schema)) return;
  if (Array.isArray(value)) {
    if (schema.listType === 'set' || schema.listType === 'map') validateUnique(schema, value, path, errors);
    const { items } = schema;
    if (items === undefined) return;
    for (let i = 0; i < value.length; i++) walk(items, value[i], `${path}[${i}]`, errors);
    return;
  }
  const object = value as JSONObject;
  for (const key in object) {
    const field = schema.properties?.get(key);
    if (field !== undefined) walk(field, object[key], path === '' ? key : `${path}.${key}`, errors);
    else if (schema.additionalProperties !== undefined) {
      walk(schema.additionalProperties, object[key], `${path}[${key}]`, errors);
    }
  }
}

function validateUnique(schema: Schema, list: readonly unknown[], path: string, errors: FieldError[]): void {
  const seen = new Set<string>();
  for (let i = 0; i < list.length; i++) {
    const shown = schema.listType === 'map' ? keysOf(schema, list[i]) : list[i];
    if (shown === undefined) continue;
    const id = canonicalJSON(shown);
    if (seen.has(id)) {
      errors.push({
        type: 'FieldValueDuplicate',
        field: `${path}[${i}]`,
        message: `Duplicate value: ${goValue(shown)}`,
      });
    }
    seen.add(id);
  }
}

/**
 * Finds the item of an old list that an item of the new one goes on from: the one with the same keys in a list map. Items of
 * other lists have no identity.
 */
export function correlateItems(schema: Schema, old: readonly unknown[]): ((item: unknown) => unknown) | undefined {
  if (schema.listType !== 'map') return undefined;
  const byKeys = new Map<string, unknown>();
  for (const item of old) {
    const id = idOf(schema, item);
    if (id !== undefined) byKeys.set(id, item);
  }
  return (item) => {
    const id = idOf(schema, item);
    return id === undefined ? undefined : byKeys.get(id);
  };
}

/** Whether a value is what it was before; the order of the items of list maps does not matter. */
export function isUnchanged(schema: Schema | undefined, value: unknown, old: unknown): boolean {
  if (equalJSON(value, old)) return true;
  if (schema === undefined || typeof value !== 'object' || typeof old !== 'object' || value === null || old === null) {
    return false;
  }
  if (!hasUniqueLists(schema)) return false;
  if (Array.isArray(value)) {
    if (!Array.isArray(old) || value.length !== old.length) return false;
    const before = correlateItems(schema, old);
    if (before === undefined) return false;
    return value.every((item) => isUnchanged(schema.items, item, before(item)));
  }
  const keys = Object.keys(value);
  if (Array.isArray(old) || keys.length !== Object.keys(old).length) return false;
  return keys.every((key) => {
    const below = schema.properties?.get(key) ?? schema.additionalProperties;
    return Object.hasOwn(old, key) && isUnchanged(below, (value as JSONObject)[key], (old as JSONObject)[key]);
  });
}

function idOf(schema: Schema, item: unknown): string | undefined {
  const keys = keysOf(schema, item);
  return keys === undefined ? undefined : canonicalJSON(keys);
}

function keysOf(schema: Schema, item: unknown): JSONObject | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const keys = schema.listMapKeys ?? [];
  return Object.fromEntries(keys.toSorted().map((key) => [key, (item as JSONObject)[key] ?? defaultOf(schema, key)]));
}

function defaultOf(schema: Schema, key: string): unknown {
  return schema.items?.properties?.get(key)?.default;
}

/** Whether anything below may be a set or a list map; found once for every schema. */
function hasUniqueLists(schema: Schema): boolean {
  let known = uniqueIn.get(schema);
  if (known === undefined) {
    const below = [...(schema.properties?.values() ?? []), schema.additionalProperties, schema.items];
    const own = schema.listType === 'set' || schema.listType === 'map';
    known = own || below.some((one) => one !== undefined && hasUniqueLists(one));
    uniqueIn.set(schema, known);
  }
  return known;
}

const uniqueIn = new WeakMap<Schema, boolean>();
