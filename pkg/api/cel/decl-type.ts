import type { Schema } from '../schema.ts';
import { escapeName } from './escape.ts';
import type { CelType } from './types.ts';
import * as types from './types.ts';

/** A type with what its schema says about sizes; what Kubernetes estimates costs from. */
export interface DeclType {
  readonly type: CelType;
  /** The most elements of a list or map, or bytes of a text. */
  readonly maxElements: number;
  /** The least JSON bytes of a value. */
  readonly minSerializedSize: number;
  /** The elements of a list or the values of a map. */
  readonly element?: DeclType;
  /** By the names that expressions use. */
  readonly fields?: ReadonlyMap<string, DeclField>;
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  /** A timestamp whose text is a date. */
  readonly date?: boolean;
}

export interface DeclField {
  readonly jsonName: string;
  readonly decl: DeclType;
  readonly required: boolean;
}

/** The largest request body that upstream estimates with. */
const MAX_REQUEST_BYTES = 3 * 1024 * 1024;
const MAX_TEXT = MAX_REQUEST_BYTES - 2;
const NO_LIMIT = 0;

const DECL_BOOL: DeclType = { type: types.BOOL, maxElements: NO_LIMIT, minSerializedSize: 4 };
const DECL_INT: DeclType = { type: types.INT, maxElements: NO_LIMIT, minSerializedSize: 1 };
const DECL_DOUBLE: DeclType = { type: types.DOUBLE, maxElements: NO_LIMIT, minSerializedSize: 1 };

/** Text of unknown length, for names in metadata. */
export const DECL_STRING: DeclType = { type: types.STRING, maxElements: MAX_TEXT, minSerializedSize: 2 };
/** Data without a schema. */
export const DECL_DYN: DeclType = { type: types.DYN, maxElements: NO_LIMIT, minSerializedSize: 1 };

/**
 * The type of values of a schema; undefined where expressions cannot see them (no type, or an unspecified object). A resource's
 * root has apiVersion, kind, metadata.name and metadata.generateName. Object types are named `name`, below it by their path.
 */
export function declTypeFromSchema(schema: Schema, name = 'object', root = false): DeclType | undefined {
  switch (schema.type) {
    case 'intOrString':
      return intOrString(schema);
    case 'array':
      return listDecl(schema, name);
    case 'object':
      return objectDecl(schema, name, root || schema.embeddedResource === true);
    case 'boolean':
      return DECL_BOOL;
    case 'integer':
      return DECL_INT;
    case 'number':
      return DECL_DOUBLE;
    case 'any':
      return undefined;
    case 'quantity':
      return intOrString(schema);
    default:
      return textDecl(schema);
  }
}

function intOrString(schema: Schema): DeclType {
  const maxLength = schema.constraints?.maxLength;
  const maxElements = maxLength === undefined ? MAX_TEXT : Math.max(0, maxLength) * 4;
  return { type: types.DYN, maxElements, minSerializedSize: 1 };
}

function listDecl(schema: Schema, name: string): DeclType | undefined {
  const element = schema.items && declTypeFromSchema(schema.items, `${name}.@idx`);
  if (element === undefined) return undefined;
  const { maxItems } = schema.constraints ?? {};
  return {
    type: types.listOf(element.type),
    maxElements:
      maxItems === undefined ? Math.floor(MAX_TEXT / (element.minSerializedSize + 1)) : Math.max(0, maxItems),
    minSerializedSize: 2,
    element,
    ...(schema.listType === undefined ? {} : { listType: schema.listType }),
    ...(schema.listMapKeys === undefined
      ? {}
      : { listMapKeys: schema.listMapKeys.map((key) => escapeName(key) ?? key) }),
  };
}

function objectDecl(schema: Schema, name: string, root: boolean): DeclType | undefined {
  if (schema.additionalProperties !== undefined) return mapDecl(schema, schema.additionalProperties, name);
  const required = new Set(schema.required ?? []);
  const fields = new Map<string, DeclField>();
  let minSerializedSize = 2;
  const properties = new Map(schema.properties ?? []);
  for (const [jsonName, property] of properties) {
    const decl = declTypeFromSchema(property, `${name}.${jsonName}`);
    if (decl === undefined) continue;
    const escaped = escapeName(jsonName);
    if (escaped !== undefined) fields.set(escaped, { jsonName, decl, required: required.has(jsonName) });
    if (required.has(jsonName) && property.default === undefined) {
      minSerializedSize += jsonName.length + decl.minSerializedSize + 4;
    }
  }
  if (root) addRootFields(fields, name);
  return objectOf(name, fields, minSerializedSize);
}

/** A type with named fields. */
export function objectOf(name: string, fields: ReadonlyMap<string, DeclField>, minSerializedSize = 2): DeclType {
  const fieldTypes = new Map([...fields].map(([field, { decl }]) => [field, decl.type]));
  return { type: types.objectType(name, fieldTypes), maxElements: NO_LIMIT, minSerializedSize, fields };
}

/** Of the metadata expressions see the names only. */
function addRootFields(fields: Map<string, DeclField>, name: string): void {
  const text = (jsonName: string): DeclField => ({ jsonName, decl: DECL_STRING, required: false });
  const names = new Map([
    ['name', text('name')],
    ['generateName', text('generateName')],
  ]);
  fields.set('apiVersion', text('apiVersion'));
  fields.set('kind', text('kind'));
  fields.set('metadata', { jsonName: 'metadata', decl: objectOf(`${name}.metadata`, names), required: false });
}

function mapDecl(schema: Schema, values: Schema, name: string): DeclType | undefined {
  const element = declTypeFromSchema(values, `${name}.@elem`);
  if (element === undefined) return undefined;
  const { maxProperties } = schema.constraints ?? {};
  return {
    type: types.mapOf(types.STRING, element.type),
    maxElements:
      maxProperties === undefined ? Math.floor(MAX_TEXT / (element.minSerializedSize + 6)) : Math.max(0, maxProperties),
    minSerializedSize: 2,
    element,
  };
}

function textDecl(schema: Schema): DeclType {
  const { maxLength } = schema.constraints ?? {};
  if (schema.type === 'bytes' || schema.format === 'byte') {
    const maxElements = maxLength === undefined ? MAX_TEXT : Math.max(0, maxLength);
    return { type: types.BYTES, maxElements, minSerializedSize: 2 };
  }
  if (schema.type === 'time' || schema.type === 'microTime' || schema.format === 'date-time') {
    return { type: types.TIMESTAMP, maxElements: 32, minSerializedSize: 21 };
  }
  if (schema.format === 'duration') return { type: types.DURATION, maxElements: 32, minSerializedSize: 3 };
  if (schema.format === 'date') return { type: types.TIMESTAMP, maxElements: 12, minSerializedSize: 12, date: true };
  return { type: types.STRING, maxElements: maxTextBytes(schema), minSerializedSize: 2 };
}

function maxTextBytes(schema: Schema): number {
  const { maxLength, enum: allowed } = schema.constraints ?? {};
  // A character is up to four bytes.
  if (maxLength !== undefined) return Math.max(0, maxLength) * 4;
  if (allowed === undefined || allowed.length === 0) return MAX_TEXT;
  return allowed.reduce<number>(
    (most, value) => Math.max(most, typeof value === 'string' ? Buffer.byteLength(value) : 0),
    0,
  );
}
