import { describe, expect, test } from 'vitest';
import { resources } from '../generated/resources.ts';
import { builtinPackage, builtinPackages, builtinSchema, builtinTypeNames } from '../schema/builtin.ts';
import { decodeBody, decodeObject } from '../schema/codec.ts';
import type { Schema } from '../schema.ts';
import { decodeMessage, encodeMessage, openEnvelope, schemaOfKind, sealEnvelope, watchFrame } from './index.ts';
import { filledObject } from './testing.ts';
import { ProtobufWriter } from './writer.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const schemaOf = (name: string): Schema => builtinSchema(name);

describe('bytes', () => {
  test.each<[string, string, Record<string, unknown>, string]>([
    ['text', 'core.v1.ConfigMapKeySelector', { key: 'k', optional: false }, '1800 12016b'],
    ['inlined messages', 'core.v1.ConfigMapKeySelector', { name: 'n' }, '0a03 0a016e'],
    ['maps', 'core.v1.ConfigMap', { data: { k: 'v' } }, '1206 0a016b 120176'],
    ['bytes in maps', 'core.v1.Secret', { data: { k: 'AAEC' } }, '1208 0a016b 1203000102'],
    ['quantities', 'core.v1.ResourceRequirements', { limits: { cpu: '1' } }, '0a0a 0a03637075 1203 0a0131'],
    ['times', 'meta.v1.ObjectMeta', { creationTimestamp: '1970-01-01T00:05:00Z' }, '4205 08ac02 1000'],
    ['numbers or text', 'core.v1.TCPSocketAction', { port: 80 }, '0a06 0800 1050 1a00'],
    ['text or numbers', 'core.v1.TCPSocketAction', { port: 'a' }, '0a07 0801 1000 1a0161'],
    ['negative numbers', 'apps.v1.DeploymentSpec', { replicas: -1 }, '08ffffffffffffffffff01'],
    ['large numbers', 'core.v1.PodSecurityContext', { runAsUser: 2 ** 40 }, '10808080808020'],
    ['wide numbers', 'apps.v1.ControllerRevision', { revision: 3546343826724305833n }, '18a9f7b4dabc9dc99b31'],
    ['the widest', 'core.v1.Toleration', { tolerationSeconds: 2n ** 63n - 1n }, '28ffffffffffffffff7f'],
    ['lists', 'core.v1.Container', { args: ['a', ''] }, '220161 2200'],
    ['lists in maps', 'authentication.v1.UserInfo', { extra: { k: ['a', 'b'] } }, '220b 0a016b 1206 0a0161 0a0162'],
    ['fields', 'meta.v1.ManagedFieldsEntry', { fieldsV1: { 'f:a': {} } }, '3a0c 0a0a 7b22663a61223a7b7d7d'],
  ])('%s', (_what, type, object, expected) => {
    const schema = schemaOf(type);
    expect(hex(encodeMessage(schema, object))).toBe(expected.replaceAll(' ', ''));
    expect(decodeMessage(schema, encodeMessage(schema, object))).toEqual(object);
  });

  test('a body', () => {
    const object = { data: { k: 'v' } };
    const body = sealEnvelope('v1', 'ConfigMap', encodeMessage(schemaOf('core.v1.ConfigMap'), object));
    expect(hex(body)).toBe('6b387300' + '0a0f0a02763112' + '09436f6e6669674d6170' + '1208' + '12060a016b120176');
    expect(openEnvelope(body)).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  });

  test('an event of a watch', () => {
    expect(hex(watchFrame('ADDED', [bytesOf('aabb'), bytesOf('cc')]))).toBe(
      '0000000e' + '0a054144444544' + '1205' + '0a03' + 'aabbcc',
    );
  });

  test('long text and messages get their lengths', () => {
    const out = new ProtobufWriter(1);
    out.string('é'.repeat(100));
    expect(hex(out.take()).slice(0, 8)).toBe('c801c3a9');
    out.string('x'.repeat(20_000));
    expect(out.take()).toHaveLength(20_003);
    out.string('a\ud800');
    expect(hex(out.take())).toBe('0461efbfbd');
  });
});

const servedTypes = builtinPackages().flatMap(({ name, group }) =>
  group === undefined ? [] : builtinTypeNames(name).map((type) => `${name}.${type}`),
);

test('every field of every type that is served has a number', () => {
  const without: string[] = [];
  for (const type of servedTypes) {
    const numbers = new Set<string>();
    for (const [field, schema] of schemaOf(type).properties ?? []) {
      if (field === 'apiVersion' || field === 'kind') continue;
      const number = schema.fieldNumber?.join('.');
      if (number === undefined || numbers.has(number)) without.push(`${type}.${field}`);
      else numbers.add(number);
    }
  }
  expect(without).toEqual([]);
});

test.each(
  Object.values(resources).map((type) => [`${builtinPackage(type.group, type.version)}.${type.kind}`] as const),
)('%s comes back with every field', (name) => {
  const schema = schemaOf(name);
  const object = filledObject(schema);
  const normal = decodeObject(schema, structuredClone(object), { mode: 'strict' });
  expect(normal.findings).toEqual([]);
  const back = decodeMessage(schema, encodeMessage(schema, normal.object));
  expect(decodeObject(schema, back, { mode: 'ignore' }).object).toEqual(normal.object);
});

describe('what a Go client sends', () => {
  test.each<[string, string, string, Record<string, unknown>]>([
    ['zeros of plain fields', 'core.v1.Probe', '0a00 1000 1800 2000 2800 3000', {}],
    ['zeros of pointers', 'apps.v1.DeploymentSpec', '0800', { replicas: 0 }],
    ['an unset time', 'meta.v1.ObjectMeta', '0a0161 1200 1a00 4200', { name: 'a' }],
    ['the first second', 'meta.v1.ObjectMeta', '4204 0800 1000', { creationTimestamp: '1970-01-01T00:00:00Z' }],
    ['an entry without a value', 'core.v1.ConfigMap', '1203 0a016b', { data: { k: '' } }],
    ['bytes without a value', 'core.v1.Secret', '1203 0a016b', { data: { k: '' } }],
    ['no quantity', 'core.v1.ResourceFieldSelector', '120161 1a00', { resource: 'a', divisor: '0' }],
    ['fields that are not known', 'core.v1.LocalObjectReference', 'a00601 0a0161 a206021234', { name: 'a' }],
    [
      'a message in pieces',
      'core.v1.EnvVarSource',
      '0a03 120161 0a03 0a0162',
      { fieldRef: { fieldPath: 'a', apiVersion: 'b' } },
    ],
    ['packed numbers', 'core.v1.PodSecurityContext', '22020102', { supplementalGroups: [1, 2] }],
    ['a refused schema', 'apiextensions.v1.JSONSchemaProps', 'f20102 0800', { additionalProperties: false }],
  ])('%s', (_what, type, bytes, expected) => {
    const schema = schemaOf(type);
    const { object } = decodeObject(schema, decodeMessage(schema, bytesOf(bytes)), { mode: 'ignore' });
    expect(object).toMatchObject(expected);
    if (_what !== 'zeros of plain fields') return;
    expect(Object.values(object).filter((value) => value === 0)).toEqual([]);
  });
});

describe('hostile input', () => {
  const pod = schemaOf('core.v1.Pod');
  const nested = (levels: number): Buffer => {
    // JSONSchemaProps: not (28) within not.
    const out = new ProtobufWriter();
    for (let i = 0; i < levels; i++) {
      out.varint(out.size);
      out.varint(28 * 8 + 2);
    }
    return out.take();
  };

  test.each<[string, Schema, Buffer, string]>([
    ['cut short', pod, bytesOf('0a05 0a01'), 'unexpected EOF'],
    ['a huge length', pod, bytesOf('0affffffff0f'), 'unexpected EOF'],
    ['a negative length', pod, bytesOf('0affffffffffffffffff01'), 'negative length'],
    ['a length beyond its message', pod, bytesOf('0a03 0a0561'), 'unexpected EOF'],
    ['an endless number', pod, bytesOf('ffffffffffffffffffffffff'), 'integer overflow'],
    ['field 0', pod, bytesOf('0000'), 'illegal tag'],
    ['a group', pod, bytesOf('a306'), 'illegal wireType 3'],
    ['a number for a message', pod, bytesOf('0801'), 'wrong wireType = 0 for field Metadata'],
    [
      'text for a number',
      schemaOf('apps.v1.DeploymentSpec'),
      bytesOf('0a0161'),
      'wrong wireType = 2 for field Replicas',
    ],
    ['no JSON', schemaOf('apps.v1.ControllerRevision'), bytesOf('1203 0a017b'), ''],
    ['a time without end', schemaOf('meta.v1.ObjectMeta'), bytesOf('420a 08ffffffffffffffff7f'), 'time out of range'],
    ['deep nesting', schemaOf('apiextensions.v1.JSONSchemaProps'), nested(100_000), 'exceeded max depth'],
  ])('%s', (_what, schema, bytes, message) => {
    expect(() => decodeMessage(schema, bytes)).toThrow(message);
    try {
      decodeMessage(schema, bytes);
    } catch (error) {
      expect(error).toMatchObject({ name: 'DecodeError' });
    }
  });

  test('any change of a byte is refused or read, never a crash', () => {
    const bytes = encodeMessage(pod, filledObject(pod));
    const step = Math.max(1, Math.floor(bytes.length / 400));
    for (let i = 0; i < bytes.length; i += step) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8));
      try {
        decodeMessage(pod, changed);
      } catch (error) {
        expect(error).toMatchObject({ name: 'DecodeError' });
      }
    }
  });

  test('no member reaches a prototype', () => {
    const map = encodeMessage(schemaOf('core.v1.ConfigMap'), { data: JSON.parse('{"__proto__":"x"}') });
    const { data } = decodeMessage(schemaOf('core.v1.ConfigMap'), map) as { data: object };
    expect(Object.keys(data)).toEqual(['__proto__']);
  });
});

test('bodies of requests', async () => {
  const definition = { type: resources.configmaps, schema: schemaOf('core.v1.ConfigMap') };
  const read = (body: Uint8Array) =>
    decodeBody(definition, body, { mode: 'strict', contentType: 'application/vnd.kubernetes.protobuf' });
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } };
  const bytes = sealEnvelope('v1', 'ConfigMap', encodeMessage(definition.schema, object));
  expect((await read(bytes)).object).toEqual(object);
  await expect(read(bytes.subarray(0, 30))).rejects.toThrow('unexpected EOF');
  await expect(read(Buffer.from('{}'))).rejects.toThrow('does not appear to be a protobuf message');
  const pod = sealEnvelope('v1', 'Pod', encodeMessage(schemaOf('core.v1.Pod'), { metadata: { name: 'a' } }));
  await expect(read(pod)).rejects.toThrow('Pod in version "v1" cannot be handled as a ConfigMap');
});

test('schemas by what objects say of themselves', () => {
  expect(schemaOfKind('apps/v1', 'Deployment')?.name).toBe('apps.v1.Deployment');
  expect(schemaOfKind('v1', 'Status')?.name).toBe('meta.v1.Status');
  expect(schemaOfKind('meta.k8s.io/v1', 'PartialObjectMetadata')?.properties?.has('metadata')).toBe(true);
  expect(schemaOfKind('example.com/v1', 'Widget')).toBeUndefined();
});
