import { MAX_DEPTH, setMember } from '../schema/decode.ts';
import { DecodeError } from '../schema/decode-error.ts';
import { parseJSON } from '../schema/json-text.ts';
import { unionOf, unionSchema } from '../schema/unions.ts';
import type { Schema } from '../schema.ts';
import { durationText } from './duration.ts';
import { isWrappedList, layoutOf, type MessageLayout, wireTypeOf } from './layout.ts';
import { ProtobufReader } from './reader.ts';
import { timeText } from './timestamp.ts';

type JSONObject = Record<string, unknown>;

/** Reads the value of a field whose tag has been read; undefined: nothing that JSON would show. */
type Read = (reader: ProtobufReader, wire: number, depth: number) => unknown;
/** Reads a field into its object. */
type ReadField = (reader: ProtobufReader, wire: number, object: JSONObject, depth: number) => void;

/**
 * The JSON form of a message of a built-in type. Zero values are as the message has them, so the object has to go through the
 * JSON decoder, which puts it in its normal form and checks it. Throws a DecodeError, or RequestEntityTooLarge for too many
 * fields.
 */
export function decodeMessage(schema: Schema, bytes: Uint8Array): JSONObject {
  const object: JSONObject = {};
  decoderOf(schema).read(new ProtobufReader(bytes), object, 0);
  return object;
}

/** The compiled form of one message. */
class MessageDecoder {
  readonly #schema: Schema;
  #fields: readonly (ReadField | undefined)[] | undefined;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  read(reader: ProtobufReader, object: JSONObject, depth: number): void {
    this.#fields ??= compileFields(layoutOf(this.#schema));
    readFields(reader, this.#fields, object, depth);
  }
}

/** The schemas never change; each is compiled when first used. */
const decoders = new WeakMap<object, MessageDecoder>();

function decoderOf(schema: Schema): MessageDecoder {
  const key = schema.properties ?? schema;
  let decoder = decoders.get(key);
  if (decoder === undefined) {
    decoder = new MessageDecoder(schema);
    decoders.set(key, decoder);
  }
  return decoder;
}

function compileFields(layout: MessageLayout): readonly (ReadField | undefined)[] {
  const fields: (ReadField | undefined)[] = [];
  for (const [name, { number, schema }] of layout.fields) fields[number] = fieldReader(name, schema);
  for (const [number, inner] of layout.inlined) {
    const within = compileFields(inner);
    fields[number] = (reader, wire, object, depth) => {
      if (wire !== 2) throw wrongWireType(wire, `number ${number}`);
      const outer = reader.open();
      readFields(reader, within, object, depth + 1);
      reader.close(outer);
    };
  }
  return fields;
}

function readFields(
  reader: ProtobufReader,
  fields: readonly (ReadField | undefined)[],
  object: JSONObject,
  depth: number,
): void {
  if (depth > MAX_DEPTH) throw new DecodeError('depth', 'exceeded max depth');
  while (!reader.done) {
    reader.count();
    const tag = reader.tag();
    const read = fields[Math.floor(tag / 8)];
    if (read === undefined) reader.skip(tag & 7);
    else read(reader, tag & 7, object, depth);
  }
}

function wrongWireType(wire: number, field: string): DecodeError {
  return new DecodeError('type', `proto: wrong wireType = ${wire} for field ${field}`);
}

function goName(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function fieldReader(name: string, schema: Schema): ReadField {
  const { items, additionalProperties } = schema;
  if (additionalProperties !== undefined) return mapReader(name, additionalProperties);
  if (schema.type === 'array' && items !== undefined) {
    if (isWrappedList(schema, false)) return listReader(name, wrappedListReader(items), 2, true);
    return listReader(name, valueReader(items), wireTypeOf(items), false);
  }
  const expected = wireTypeOf(schema);
  if (schema.type === 'object' && schema.properties !== undefined) {
    const message = decoderOf(schema);
    return (reader, wire, object, depth) => {
      if (wire !== 2) throw wrongWireType(wire, goName(name));
      // A message that comes in pieces is one message.
      object[name] ??= {};
      readMessage(reader, message, object[name] as JSONObject, depth + 1);
    };
  }
  const read = valueReader(schema);
  return (reader, wire, object, depth) => {
    if (wire !== expected) throw wrongWireType(wire, goName(name));
    const value = read(reader, wire, depth);
    if (value !== undefined) object[name] = value;
  };
}

function readMessage(reader: ProtobufReader, message: MessageDecoder, object: JSONObject, depth: number): JSONObject {
  const outer = reader.open();
  message.read(reader, object, depth);
  reader.close(outer);
  return object;
}

function listReader(name: string, item: Read, expected: number, spread: boolean): ReadField {
  return (reader, wire, object, depth) => {
    object[name] ??= [];
    const list = object[name] as unknown[];
    if (wire === 2 && expected === 0) {
      const outer = reader.open();
      while (!reader.done) {
        reader.count();
        list.push(item(reader, 0, depth));
      }
      reader.close(outer);
      return;
    }
    if (wire !== expected) throw wrongWireType(wire, goName(name));
    const value = item(reader, wire, depth);
    if (spread) for (const one of value as unknown[]) list.push(one);
    else list.push(value ?? null);
  };
}

function wrappedListReader(items: Schema): Read {
  const read = valueReader(items);
  const expected = wireTypeOf(items);
  return (reader, _wire, depth) => {
    const list: unknown[] = [];
    const outer = reader.open();
    while (!reader.done) {
      reader.count();
      const tag = reader.tag();
      if (Math.floor(tag / 8) !== 1) reader.skip(tag & 7);
      else if ((tag & 7) !== expected) throw wrongWireType(tag & 7, 'Items');
      else list.push(read(reader, tag & 7, depth));
    }
    reader.close(outer);
    return list;
  };
}

function mapReader(name: string, values: Schema): ReadField {
  const { items } = values;
  const read = values.type === 'array' && items !== undefined ? wrappedListReader(items) : valueReader(values);
  const expected = wireTypeOf(values);
  return (reader, wire, object, depth) => {
    if (wire !== 2) throw wrongWireType(wire, goName(name));
    object[name] ??= {};
    let key = '';
    let value: unknown;
    const outer = reader.open();
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === KEY_TAG) key = reader.string();
      else if (Math.floor(tag / 8) !== 2) reader.skip(tag & 7);
      else if ((tag & 7) !== expected) throw wrongWireType(tag & 7, goName(name));
      else value = read(reader, tag & 7, depth);
    }
    reader.close(outer);
    // The JSON decoder makes the type's zero value of null.
    setMember(object[name] as JSONObject, key, value ?? null);
  };
}

const KEY_TAG = 0x0a;

function valueReader(schema: Schema): Read {
  switch (schema.type) {
    case 'string':
      return schema.format === 'go-duration' ? readDuration : (reader) => reader.string();
    case 'boolean':
      return (reader) => reader.varint() !== 0;
    case 'integer':
      return schema.format === 'int32' ? (reader) => int32(reader.varint()) : (reader) => reader.int64();
    case 'number':
      return (reader) => reader.double();
    case 'bytes':
      return (reader) => reader.bytes().toString('base64');
    case 'quantity':
      return (reader) => readText(reader) || '0';
    case 'time':
      return (reader) => readTime(reader, false);
    case 'microTime':
      return (reader) => readTime(reader, true);
    case 'intOrString':
      return readIntOrString;
    case 'object': {
      if (schema.properties === undefined) return readJSON;
      const message = decoderOf(schema);
      return (reader, _wire, depth) => readMessage(reader, message, {}, depth + 1);
    }
    default:
      return unionOf(schema) === undefined ? readJSON : unionReader(schema);
  }
}

/** The low 32 bits, as Go takes them. */
function int32(value: number): number {
  return value | 0;
}

/** Nanoseconds in field 1. */
function readDuration(reader: ProtobufReader): string {
  let nanos = 0;
  const outer = reader.open();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x08) nanos = reader.varint();
    else reader.skip(tag & 7);
  }
  reader.close(outer);
  return durationText(nanos);
}

/** The text in field 1. */
function readText(reader: ProtobufReader): string {
  let text = '';
  const outer = reader.open();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x0a) text = reader.string();
    else reader.skip(tag & 7);
  }
  reader.close(outer);
  return text;
}

/** JSON as text; nothing at all means that nothing was set. */
function readJSON(reader: ProtobufReader): unknown {
  const text = readText(reader);
  return text === '' ? undefined : parseJSON(text);
}

/** An empty message is Go's zero time, which JSON does not show. */
function readTime(reader: ProtobufReader, micro: boolean): string | undefined {
  let seconds = 0;
  let nanos = 0;
  const outer = reader.open();
  const empty = reader.done;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x08) seconds = reader.varint();
    else if (tag === 0x10) nanos = int32(reader.varint());
    else reader.skip(tag & 7);
  }
  reader.close(outer);
  if (empty) return undefined;
  return micro ? timeText(seconds, nanos) : timeText(seconds);
}

function readIntOrString(reader: ProtobufReader): number | string {
  let isText = false;
  let number = 0;
  let text = '';
  const outer = reader.open();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x08) isText = reader.varint() === 1;
    else if (tag === 0x10) number = int32(reader.varint());
    else if (tag === 0x1a) text = reader.string();
    else reader.skip(tag & 7);
  }
  reader.close(outer);
  return isText ? text : number;
}

/** The unions of CRD schemas, which JSON writes without a wrapper. */
function unionReader(schema: Schema): Read {
  const union = unionOf(schema);
  const message = decoderOf(unionSchema());
  return (reader, _wire, depth) => {
    let object: JSONObject | undefined;
    let allows = union?.boolean === undefined ? undefined : false;
    const list: unknown[] = [];
    const outer = reader.open();
    while (!reader.done) {
      const tag = reader.tag();
      const number = Math.floor(tag / 8);
      const wire = tag & 7;
      if (number === union?.boolean && wire === 0) allows = reader.varint() !== 0;
      else if (wire !== 2) reader.skip(wire);
      else if (number === union?.object) object = readMessage(reader, message, object ?? {}, depth + 1);
      else if (number === union?.strings) list.push(reader.string());
      else if (number === union?.array) list.push(readMessage(reader, message, {}, depth + 1));
      else reader.skip(wire);
    }
    reader.close(outer);
    return list.length > 0 ? list : (object ?? allows);
  };
}
