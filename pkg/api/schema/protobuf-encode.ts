import type { Schema } from '../schema.ts';
import { parseTime } from '../time.ts';
import { isWrappedList, type MessagePlan, messagePlan } from './protobuf-plan.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import { unionOf, unionSchema } from './unions.ts';

type JSONObject = Readonly<Record<string, unknown>>;

/** What every body of `application/vnd.kubernetes.protobuf` begins with: `k8s` and a zero byte. */
export const PROTOBUF_MAGIC = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

/** An object of a built-in kind as `application/vnd.kubernetes.protobuf`: the magic bytes and a runtime.Unknown. */
export function encodeProtobuf(schema: Schema, object: JSONObject): Uint8Array {
  const out = new ProtobufWriter();
  out.raw(PROTOBUF_MAGIC);
  out.message(1, () => {
    out.string(1, String(object['apiVersion'] ?? ''));
    out.string(2, String(object['kind'] ?? ''));
  });
  out.message(2, () => writeMessage(out, messagePlan(schema), object));
  return out.finish();
}

/** The message alone, as it is inside lists and watch events. */
export function encodeProtobufMessage(schema: Schema, object: JSONObject): Uint8Array {
  const out = new ProtobufWriter();
  writeMessage(out, messagePlan(schema), object);
  return out.finish();
}

function writeMessage(out: ProtobufWriter, plan: MessagePlan, object: JSONObject): void {
  for (const { number, name, schema, inlined } of plan.nodes) {
    if (inlined !== undefined) {
      const mark = out.begin(number);
      writeMessage(out, inlined, object);
      out.end(mark);
    } else if (name !== undefined && schema !== undefined) {
      const value = object[name];
      if (value !== undefined && value !== null) writeField(out, number, schema, value, false);
    }
  }
}

function writeField(out: ProtobufWriter, number: number, schema: Schema, value: unknown, insideMap: boolean): void {
  if (schema.type === 'array' && Array.isArray(value)) {
    const items = schema.items ?? ANY;
    if (isWrappedList(schema, insideMap)) {
      const mark = out.begin(number);
      for (const item of value) writeValue(out, 1, items, item);
      out.end(mark);
    } else {
      for (const item of value) writeValue(out, number, items, item);
    }
    return;
  }
  const { additionalProperties } = schema;
  if (additionalProperties === undefined) {
    writeValue(out, number, schema, value);
    return;
  }
  const map = value as JSONObject;
  for (const key in map) {
    const mark = out.begin(number);
    out.string(1, key);
    writeField(out, 2, additionalProperties, map[key], true);
    out.end(mark);
  }
}

const ANY: Schema = { type: 'any' };

function writeValue(out: ProtobufWriter, number: number, schema: Schema, value: unknown): void {
  switch (schema.type) {
    case 'string':
      out.string(number, String(value));
      return;
    case 'boolean':
      out.boolean(number, value === true);
      return;
    case 'integer':
      out.int(number, Number(value));
      return;
    case 'number':
      out.double(number, Number(value));
      return;
    case 'bytes':
      out.bytes(number, Buffer.from(String(value), 'base64'));
      return;
  }
  const mark = out.begin(number);
  switch (schema.type) {
    case 'quantity':
      out.string(1, String(value));
      break;
    case 'time':
    case 'microTime':
      writeTime(out, String(value));
      break;
    case 'intOrString':
      out.int(1, typeof value === 'string' ? 1 : 0);
      out.int(2, typeof value === 'number' ? value : 0);
      out.string(3, typeof value === 'string' ? value : '');
      break;
    case 'object':
      if (schema.properties !== undefined) writeMessage(out, messagePlan(schema), value as JSONObject);
      else out.string(1, JSON.stringify(value));
      break;
    default:
      writeFree(out, schema, value);
  }
  out.end(mark);
}

function writeTime(out: ProtobufWriter, text: string): void {
  out.int(1, Math.floor(parseTime(text) / 1000));
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  out.int(2, Number(fraction.padEnd(9, '0').slice(0, 9)));
}

/** Any JSON is a message with its text; the unions of CRD schemas have messages of their own. */
function writeFree(out: ProtobufWriter, schema: Schema, value: unknown): void {
  const union = unionOf(schema);
  if (union === undefined) out.string(1, JSON.stringify(value));
  else if (typeof value === 'boolean') {
    if (union.boolean !== undefined) out.boolean(union.boolean, value);
  } else if (Array.isArray(value)) {
    if (union.strings !== undefined) for (const one of value) out.string(union.strings, String(one));
    else if (union.array !== undefined) for (const one of value) writeValue(out, union.array, unionSchema(), one);
  } else {
    if (union.boolean !== undefined) out.boolean(union.boolean, true);
    writeValue(out, union.object, unionSchema(), value);
  }
}
