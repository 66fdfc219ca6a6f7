/** The defaults in schemas of CustomResourceDefinitions have to be what the schema allows. */
import { cloneJSON, equalJSON } from '../../base/json.ts';
import { DecodeError } from '../schema/decode-error.ts';
import { validateEmbedded } from '../schema/embedded.ts';
import { pruneObject } from '../schema/prune.ts';
import { validateSchema } from '../schema/validate.ts';
import type { Schema } from '../schema.ts';
import * as field from '../validation/field-error.ts';

export function validateDefaults(schema: Schema, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  walk(schema, path, false, true, errors);
  return errors;
}

function walk(schema: Schema, path: string, inMetadata: boolean, isRoot: boolean, errors: field.FieldError[]): void {
  if (schema.default !== undefined) errors.push(...defaultErrors(schema, `${path}.default`, inMetadata));
  if (schema.items !== undefined) walk(schema.items, `${path}.items`, inMetadata, false, errors);
  if (schema.additionalProperties !== undefined) {
    walk(schema.additionalProperties, `${path}.additionalProperties`, inMetadata, false, errors);
  }
  for (const [name, property] of schema.properties ?? []) {
    const isMetadata = name === 'metadata' && (isRoot || schema.embeddedResource === true);
    walk(property, `${path}.properties[${name}]`, inMetadata || isMetadata, false, errors);
  }
}

function defaultErrors(schema: Schema, path: string, inMetadata: boolean): field.FieldError[] {
  const value: unknown = cloneJSON(schema.default);
  if (!inMetadata && typeof value === 'object' && value !== null) {
    try {
      const holder = { value: cloneJSON(value) as unknown };
      pruneObject({ type: 'object', properties: new Map([['value', schema]]) }, holder, false);
      if (!equalJSON(holder.value, value)) return [field.invalid(path, value, 'must not have unknown fields')];
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return [field.invalid(path, value, error.message)];
    }
  }
  const below = (error: field.FieldError): field.FieldError => ({
    ...error,
    field: error.field === '' ? path : error.field.startsWith('[') ? path + error.field : `${path}.${error.field}`,
  });
  const embedded = validateEmbedded(schema, value);
  return (embedded.length > 0 ? embedded : validateSchema(schema, value)).map(below);
}
