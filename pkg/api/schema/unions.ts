import type { Schema } from '../schema.ts';
import { builtinSchema } from './builtin.ts';

/** The unions in CRD schemas that JSON writes without a wrapper: which field of the protobuf message holds which JSON. */
export interface UnionFields {
  /** An object: this schema in this field. */
  readonly object: number;
  readonly array?: number;
  readonly strings?: number;
  readonly boolean?: number;
}

const UNIONS: Readonly<Record<string, UnionFields>> = {
  'apiextensions.v1.JSONSchemaPropsOrArray': { object: 1, array: 2 },
  'apiextensions.v1.JSONSchemaPropsOrBool': { boolean: 1, object: 2 },
  'apiextensions.v1.JSONSchemaPropsOrStringArray': { object: 1, strings: 2 },
};

export function unionOf(schema: Schema): UnionFields | undefined {
  return schema.name === undefined ? undefined : UNIONS[schema.name];
}

export function unionSchema(): Schema {
  return builtinSchema('apiextensions.v1.JSONSchemaProps');
}
