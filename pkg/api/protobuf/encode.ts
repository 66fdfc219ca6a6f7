import { unionOf, unionSchema } from '../schema/unions.ts';
import type { Schema } from '../schema.ts';
import { goJSON } from '../validation/go-format.ts';
import { durationNanos } from './duration.ts';
import { isWrappedList, layoutOf, type MessageLayout, wireTypeOf } from './layout.ts';
import { nanosOf, secondsOf } from './timestamp.ts';
import { ProtobufWriter } from './writer.ts';

type JSONObject = Readonly<Record<string, unknown>>;

/** Writes a value; `write` functions write what follows the tag. */
type Write = (out: ProtobufWriter, value: unknown) => void;

/**
 * The message of an object of a built-in type, without the envelope: as it is inside lists. Zero values that the object does
 * not have are left out; readers of protobuf cannot tell them from those that are written.
 */
export function encodeMessage(schema: Schema, object: JSONObject): Buffer {
  const encoder = encoderOf(schema);
  const out = encoder.writer();
  try {
    encoder.write(out, object);
    return out.take();
  } catch (error) {
    out.clear();
    throw error;
  }
}

/** The compiled form of one message. */
class MessageEncoder {
  readonly #schema: Schema;
  #fields: FieldWriters | undefined;
  #writer: ProtobufWriter | undefined;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** For messages that begin here. */
  writer(): ProtobufWriter {
    this.#writer ??= new ProtobufWriter();
    return this.#writer;
  }

  write(out: ProtobufWriter, object: JSONObject): void {
    this.#fields ??= compileFields(layoutOf(this.#schema));
    writeFields(out, this.#fields, object);
  }
}

/** The schemas never change; each is compiled when first used. */
const encoders = new WeakMap<object, MessageEncoder>();

function encoderOf(schema: Schema): MessageEncoder {
  // Every field has a schema of its own, but those of one type share their properties.
  const key = schema.properties ?? schema;
  let encoder = encoders.get(key);
  if (encoder === undefined) {
    encoder = new MessageEncoder(schema);
    encoders.set(key, encoder);
  }
  return encoder;
}

interface FieldWriters {
  readonly byName: ReadonlyMap<string, Write>;
  readonly inlined: readonly { readonly number: number; readonly fields: FieldWriters }[];
}

function compileFields(layout: MessageLayout): FieldWriters {
  return {
    byName: new Map([...layout.fields].map(([name, { number, schema }]) => [name, fieldWriter(number, schema, false)])),
    inlined: [...layout.inlined].map(([number, inner]) => ({ number, fields: compileFields(inner) })),
  };
}

function writeFields(out: ProtobufWriter, fields: FieldWriters, object: JSONObject): void {
  const { byName, inlined } = fields;
  for (const name in object) {
    const write = byName.get(name);
    if (write === undefined) continue;
    const value = object[name];
    if (value !== undefined && value !== null) write(out, value);
  }
  for (const { number, fields: inner } of inlined) {
    const before = out.size;
    writeFields(out, inner, object);
    if (out.size > before) {
      out.varint(out.size - before);
      out.varint(tagOf(number, 2));
    }
  }
}

function tagOf(number: number, wire: number): number {
  return number * 8 + wire;
}

function fieldWriter(number: number, schema: Schema, insideMap: boolean): Write {
  const { items, additionalProperties } = schema;
  if (schema.type === 'array' && items !== undefined) {
    return isWrappedList(schema, insideMap)
      ? wrapped(number, listWriter(valueWriter(1, items)))
      : listWriter(valueWriter(number, items));
  }
  if (additionalProperties !== undefined) return mapWriter(number, fieldWriter(2, additionalProperties, true));
  return valueWriter(number, schema);
}

function listWriter(item: Write): Write {
  return (out, list) => {
    if (!Array.isArray(list)) return;
    for (let i = list.length - 1; i >= 0; i--) item(out, list[i]);
  };
}

function mapWriter(number: number, value: Write): Write {
  const tag = tagOf(number, 2);
  return (out, map) => {
    for (const key in map as JSONObject) {
      const before = out.size;
      value(out, (map as JSONObject)[key]);
      out.string(key);
      out.byte(KEY_TAG);
      out.varint(out.size - before);
      out.varint(tag);
    }
  };
}

const KEY_TAG = 0x0a;

/** A message of its own around what `write` writes. */
function wrapped(number: number, write: Write): Write {
  const tag = tagOf(number, 2);
  return (out, value) => {
    const before = out.size;
    write(out, value);
    out.varint(out.size - before);
    out.varint(tag);
  };
}

function valueWriter(number: number, schema: Schema): Write {
  const tag = tagOf(number, wireTypeOf(schema));
  switch (schema.type) {
    case 'string':
      if (schema.format === 'go-duration') return wrapped(number, writeDuration);
      return (out, value) => {
        out.string(typeof value === 'string' ? value : '');
        out.varint(tag);
      };
    case 'boolean':
      return (out, value) => {
        out.byte(value === true ? 1 : 0);
        out.varint(tag);
      };
    case 'integer':
      return (out, value) => {
        out.varint(typeof value === 'bigint' ? value : Number(value));
        out.varint(tag);
      };
    case 'number':
      return (out, value) => {
        out.double(Number(value));
        out.varint(tag);
      };
    case 'bytes':
      return (out, value) => {
        out.bytes(Buffer.from(typeof value === 'string' ? value : '', 'base64'));
        out.varint(tag);
      };
    case 'quantity':
      return wrapped(number, writeText);
    case 'time':
      return wrapped(number, (out, value) => {
        if (typeof value === 'string') writeTimestamp(out, secondsOf(value), 0);
      });
    case 'microTime':
      return wrapped(number, (out, value) => {
        if (typeof value === 'string') writeTimestamp(out, secondsOf(value), nanosOf(value));
      });
    case 'intOrString':
      return wrapped(number, writeIntOrString);
    case 'object':
      if (schema.properties !== undefined) return messageWriter(number, schema);
      return wrapped(number, schema.format === 'raw' ? writeRaw : writeJSON);
    default:
      return wrapped(number, unionOf(schema) === undefined ? writeJSON : unionWriter(schema));
  }
}

function messageWriter(number: number, schema: Schema): Write {
  const tag = tagOf(number, 2);
  const encoder = encoderOf(schema);
  return (out, value) => {
    const before = out.size;
    encoder.write(out, value as JSONObject);
    out.varint(out.size - before);
    out.varint(tag);
  };
}

/** Text in field 1. */
function writeText(out: ProtobufWriter, value: unknown): void {
  out.string(String(value));
  out.byte(0x0a);
}

/** Nanoseconds in field 1. */
function writeDuration(out: ProtobufWriter, value: unknown): void {
  out.varint(durationNanos(String(value)));
  out.byte(0x08);
}

/** Any JSON is a message with its text. */
function writeJSON(out: ProtobufWriter, value: unknown): void {
  writeText(out, JSON.stringify(value));
}

/** A RawExtension: clients compare the bytes with those of Go's encoder. */
function writeRaw(out: ProtobufWriter, value: unknown): void {
  writeText(out, goJSON(value));
}

/** Upstream's writers of these types write zeros too; a reader tells an empty message from 1970-01-01 by that. */
function writeTimestamp(out: ProtobufWriter, seconds: number, nanos: number): void {
  out.varint(nanos);
  out.byte(0x10);
  out.varint(seconds);
  out.byte(0x08);
}

function writeIntOrString(out: ProtobufWriter, value: unknown): void {
  const isText = typeof value === 'string';
  out.string(isText ? value : '');
  out.byte(0x1a);
  out.varint(typeof value === 'number' ? value : 0);
  out.byte(0x10);
  out.byte(isText ? 1 : 0);
  out.byte(0x08);
}

/** The unions of CRD schemas, which JSON writes without a wrapper. */
function unionWriter(schema: Schema): Write {
  const union = unionOf(schema);
  const object = messageWriter(union?.object ?? 1, unionSchema());
  const array = union?.array === undefined ? undefined : messageWriter(union.array, unionSchema());
  const strings = union?.strings === undefined ? undefined : valueWriter(union.strings, { type: 'string' });
  const boolean = union?.boolean === undefined ? undefined : valueWriter(union.boolean, { type: 'boolean' });
  const list = strings ?? array;
  return (out, value) => {
    if (typeof value === 'boolean') boolean?.(out, value);
    else if (!Array.isArray(value)) {
      object(out, value);
      boolean?.(out, true);
    } else if (list !== undefined) listWriter(list)(out, value);
  };
}
