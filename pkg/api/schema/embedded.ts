import type { DeepReadonly } from '../../base/json.ts';
import type { FieldError } from '../errors.ts';
import type { ObjectMeta } from '../generated/types.ts';
import type { Schema } from '../schema.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1035Label, isPathSegmentName } from '../validation/names.ts';
import { validateObjectMeta } from '../validation/object-meta.ts';

type JSONObject = Readonly<Record<string, unknown>>;

/** The apiVersion, kind and metadata of resources inside a custom resource (x-kubernetes-embedded-resource). */
export function validateEmbedded(schema: Schema, value: unknown): FieldError[] {
  const errors: FieldError[] = [];
  walk(schema, value, '', errors);
  return errors;
}

function walk(schema: Schema, value: unknown, path: string, errors: FieldError[]): void {
  if (typeof value !== 'object' || value === null || !hasEmbedded(schema)) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (let i = 0; i < value.length; i++) walk(items, value[i], `${path}[${i}]`, errors);
    return;
  }
  const object = value as JSONObject;
  if (schema.embeddedResource && path !== '') validateResource(object, path, errors);
  for (const key in object) {
    const known = schema.properties?.get(key);
    if (known !== undefined) walk(known, object[key], path === '' ? key : `${path}.${key}`, errors);
    else if (schema.additionalProperties !== undefined) {
      walk(schema.additionalProperties, object[key], `${path}[${key}]`, errors);
    }
  }
}

function validateResource(object: JSONObject, path: string, errors: FieldError[]): void {
  for (const key of ['apiVersion', 'kind'] as const) {
    const value = object[key];
    const at = `${path}.${key}`;
    if (value === undefined) errors.push(field.required(at));
    else if (typeof value !== 'string') errors.push(field.invalid(at, value, 'must be a string'));
    else if (value === '') errors.push(field.invalid(at, value, 'must not be empty'));
    else if (key === 'apiVersion' && value.split('/').length > 2) {
      errors.push(field.invalid(at, value, `unexpected GroupVersion string: ${value}`));
    } else if (key === 'kind') {
      const texts = isDNS1035Label(value.toLowerCase());
      if (texts.length > 0) {
        const detail = `may have mixed case, but should otherwise match: ${texts.join(',')}`;
        errors.push(field.invalid(at, value, detail));
      }
    }
  }
  const given = object['metadata'];
  if (typeof given !== 'object' || given === null) return;
  const metadata = given as DeepReadonly<ObjectMeta>;
  const rules = { namespaced: !!metadata.namespace, custom: true, validateName: isPathSegmentName };
  // A name is not needed: the embedded resource may be a template.
  errors.push(...validateObjectMeta({ ...metadata, name: metadata.name || 'unnamed' }, rules, `${path}.metadata`));
}

/** Whether anything below may be an embedded resource; found once for every schema. */
export function hasEmbedded(schema: Schema): boolean {
  let known = embeddedIn.get(schema);
  if (known === undefined) {
    const below = [...(schema.properties?.values() ?? []), schema.additionalProperties, schema.items];
    known = schema.embeddedResource === true || below.some((one) => one !== undefined && hasEmbedded(one));
    embeddedIn.set(schema, known);
  }
  return known;
}

const embeddedIn = new WeakMap<Schema, boolean>();
