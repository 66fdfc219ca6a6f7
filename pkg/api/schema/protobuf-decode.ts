import type { Schema } from '../schema.ts';
import { formatMicroTime, formatTime } from '../time.ts';
import { MAX_DEPTH, setMember } from './decode.ts';
import { DecodeError } from './decode-error.ts';
import { parseJSON } from './json-text.ts';
import { PROTOBUF_MAGIC } from './protobuf-encode.ts';
import { isWrappedList, type MessagePlan, messagePlan, type PlanNode } from './protobuf-plan.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import { unionOf, unionSchema } from './unions.ts';

type JSONObject = Record<string, unknown>;

/** A body of `application/vnd.kubernetes.protobuf`, opened. */
export interface ProtobufEnvelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The message of that kind. */
  readonly raw: Uint8Array;
}

/** Opens the envelope of a body. Throws a DecodeError when it is none. */
export function openProtobuf(body: Uint8Array): ProtobufEnvelope {
  if (body.length < PROTOBUF_MAGIC.length || PROTOBUF_MAGIC.some((byte, i) => body[i] !== byte)) {
    throw new DecodeError(
      'syntax',
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    );
  }
  const reader = new ProtobufReader(body, PROTOBUF_MAGIC.length);
  let apiVersion = '';
  let kind = '';
  let raw = new Uint8Array();
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 2 && wire === 2) raw = Uint8Array.from(reader.bytes());
    else if (field === 1 && wire === 2) {
      const meta = reader.message();
      while (!meta.done) {
        const tag = meta.tag();
        if (tag.wire !== 2) meta.skip(tag.wire);
        else if (tag.field === 1) apiVersion = meta.string();
        else if (tag.field === 2) kind = meta.string();
        else meta.skip(2);
      }
    } else reader.skip(wire);
  }
  return { apiVersion, kind, raw };
}

/**
 * The JSON form of a message of a built-in type. Zero values are as the message has them: decodeObject puts the object in its
 * normal form. Throws a DecodeError.
 */
export function decodeProtobufMessage(schema: Schema, bytes: Uint8Array): JSONObject {
  const object: JSONObject = {};
  readMessage(new ProtobufReader(bytes), messagePlan(schema), object, 0);
  return object;
}

function readMessage(reader: ProtobufReader, plan: MessagePlan, object: JSONObject, depth: number): void {
  if (depth > MAX_DEPTH) throw new DecodeError('depth', 'exceeded max depth');
  while (!reader.done) {
    const { field, wire } = reader.tag();
    const node = plan.byNumber.get(field);
    if (node === undefined) reader.skip(wire);
    else if (node.inlined !== undefined) {
      if (wire === 2) readMessage(reader.message(), node.inlined, object, depth + 1);
      else reader.skip(wire);
    } else readField(reader, node, wire, object, depth);
  }
}

function readField(reader: ProtobufReader, node: PlanNode, wire: number, object: JSONObject, depth: number): void {
  const { name, schema } = node;
  if (name === undefined || schema === undefined) return;
  const { additionalProperties, items } = schema;
  if (additionalProperties !== undefined) {
    object[name] ??= {};
    const map = object[name] as JSONObject;
    const [key, value] = readEntry(reader.message(), additionalProperties, depth);
    setMember(map, key, value);
  } else if (schema.type === 'array' && items !== undefined) {
    object[name] ??= [];
    const list = object[name] as unknown[];
    if (isWrappedList(schema, false)) list.push(...readWrapped(reader.message(), items, depth));
    else if (wire === 2 && (items.type === 'integer' || items.type === 'boolean')) {
      const packed = reader.message();
      while (!packed.done) list.push(readValue(packed, items, 0, depth));
    } else list.push(readValue(reader, items, wire, depth));
  } else {
    const value = readValue(reader, schema, wire, depth);
    if (value !== undefined) object[name] = value;
  }
}

function readEntry(reader: ProtobufReader, schema: Schema, depth: number): [string, unknown] {
  let key = '';
  let value: unknown;
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1 && wire === 2) key = reader.string();
    else if (field !== 2) reader.skip(wire);
    else if (schema.type === 'array') value = readWrapped(reader.message(), schema.items ?? { type: 'any' }, depth);
    else value = readValue(reader, schema, wire, depth);
  }
  return [key, value ?? null];
}

function readWrapped(reader: ProtobufReader, items: Schema, depth: number): unknown[] {
  const list: unknown[] = [];
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1) list.push(readValue(reader, items, wire, depth));
    else reader.skip(wire);
  }
  return list;
}

function readValue(reader: ProtobufReader, schema: Schema, wire: number, depth: number): unknown {
  const expected = schema.type === 'integer' || schema.type === 'boolean' ? 0 : schema.type === 'number' ? 1 : 2;
  if (wire !== expected) throw new DecodeError('type', `proto: wrong wireType = ${wire} for field`);
  switch (schema.type) {
    case 'string':
      return reader.string();
    case 'boolean':
      return reader.varint() !== 0;
    case 'integer':
      return reader.varint();
    case 'number':
      return reader.double();
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64');
    case 'quantity':
      return readText(reader.message()) || '0';
    case 'time':
    case 'microTime':
      return readTime(reader.message(), schema.type === 'microTime');
    case 'intOrString':
      return readIntOrString(reader.message());
    case 'object':
      if (schema.properties !== undefined) {
        const object: JSONObject = {};
        readMessage(reader.message(), messagePlan(schema), object, depth + 1);
        return object;
      }
      return readFree(reader.message());
    default:
      return unionOf(schema) === undefined ? readFree(reader.message()) : readUnion(reader.message(), schema, depth);
  }
}

/** The text in field 1. */
function readText(reader: ProtobufReader): string {
  let text = '';
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1 && wire === 2) text = reader.string();
    else reader.skip(wire);
  }
  return text;
}

/** JSON as text; nothing at all means that nothing was set. */
function readFree(reader: ProtobufReader): unknown {
  const text = readText(reader);
  return text === '' ? undefined : parseJSON(text);
}

function readTime(reader: ProtobufReader, micro: boolean): string | undefined {
  let seconds = 0;
  let nanos = 0;
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (wire !== 0) reader.skip(wire);
    else if (field === 1) seconds = reader.varint();
    else if (field === 2) nanos = reader.varint();
    else reader.skip(wire);
  }
  if (seconds === 0 && nanos === 0) return undefined;
  if (Math.abs(seconds) > MAX_SECONDS) throw new DecodeError('value', 'time out of range');
  if (!micro) return formatTime(seconds * 1000);
  const micros = String(Math.floor(nanos / 1000)).padStart(6, '0');
  return `${formatMicroTime(seconds * 1000).slice(0, 19)}.${micros}Z`;
}

/** What a Date can hold. */
const MAX_SECONDS = 8_640_000_000_000;

function readIntOrString(reader: ProtobufReader): number | string {
  let isText = false;
  let number = 0;
  let text = '';
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1 && wire === 0) isText = reader.varint() === 1;
    else if (field === 2 && wire === 0) number = reader.varint();
    else if (field === 3 && wire === 2) text = reader.string();
    else reader.skip(wire);
  }
  return isText ? text : number;
}

function readUnion(reader: ProtobufReader, schema: Schema, depth: number): unknown {
  const union = unionOf(schema);
  let value: unknown;
  const list: unknown[] = [];
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === union?.object) value = readValue(reader, unionSchema(), wire, depth + 1);
    else if (field === union?.boolean && wire === 0) {
      const allowed = reader.varint() !== 0;
      if (typeof value !== 'object') value = allowed;
    } else if (field === union?.strings && wire === 2) list.push(reader.string());
    else if (field === union?.array) list.push(readValue(reader, unionSchema(), wire, depth + 1));
    else reader.skip(wire);
  }
  return list.length > 0 ? list : value;
}
