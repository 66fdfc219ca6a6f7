import { describe, expect, test } from 'vitest';
import { resources } from '../generated/resources.ts';
import { builtinPackages, builtinSchema, builtinTypeNames } from './builtin.ts';
import { decodeBody, decodeObject } from './codec.ts';
import { decodeProtobufMessage, openProtobuf } from './protobuf-decode.ts';
import { encodeProtobuf, encodeProtobufMessage } from './protobuf-encode.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('bytes', () => {
  test('a config map in its envelope', () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } };
    const [type, metadata, data] = ['0a0f0a02763112' + '09436f6e6669674d6170', '0a030a0161', '12060a016b120176'];
    expect(hex(encodeProtobuf(builtinSchema('core.v1.ConfigMap'), object))).toBe(
      `6b387300${type}120d${metadata}${data}`,
    );
  });

  test.each([
    [0, '0800'],
    [300, '08ac02'],
    [-1, '08ffffffffffffffffff01'],
    [2 ** 40, '08808080808020'],
  ])('the number %d', (value, expected) => {
    const out = new ProtobufWriter(1);
    out.int(1, value);
    expect(hex(out.finish())).toBe(expected);
  });

  test('long strings and nested messages get their lengths', () => {
    const out = new ProtobufWriter(1);
    out.message(1, () => out.message(2, () => out.string(3, 'é'.repeat(100))));
    expect(hex(out.finish()).slice(0, 18)).toBe('0ace0112cb011ac801');
  });
});

test.each<[string, object]>([
  [
    'core.v1.Pod',
    {
      metadata: { name: 'a', labels: { x: '', y: 'z' }, creationTimestamp: '2024-01-01T00:00:00Z', generation: 3 },
      spec: {
        containers: [
          {
            name: 'c',
            args: ['', 'b'],
            resources: { limits: { cpu: '500m' } },
            livenessProbe: { httpGet: { port: 'http' }, periodSeconds: 5 },
            readinessProbe: { tcpSocket: { port: 80 } },
          },
        ],
        ephemeralContainers: [{ name: 'e', image: 'i', resources: {}, targetContainerName: 'c' }],
        volumes: [{ name: 'v', emptyDir: {} }],
        automountServiceAccountToken: false,
        priority: -7,
      },
      status: {},
    },
  ],
  ['core.v1.Secret', { metadata: { name: 'a' }, data: { k: 'AAEC' } }],
  ['coordination.v1.Lease', { metadata: { name: 'a' }, spec: { renewTime: '2024-01-01T00:00:00.000123Z' } }],
  ['apps.v1.ControllerRevision', { metadata: { name: 'a' }, data: { any: ['x', 1] }, revision: 2 }],
  [
    'certificates.v1.CertificateSigningRequest',
    { metadata: { name: 'a' }, spec: { request: 'AAEC', signerName: 's', extra: { k: ['a', 'b'] } }, status: {} },
  ],
  [
    'apiextensions.v1.CustomResourceValidation',
    {
      openAPIV3Schema: {
        type: 'object',
        default: { a: [1] },
        additionalProperties: true,
        items: { type: 'string' },
        maximum: 1.5,
        dependencies: { x: ['y'] },
        properties: { p: { additionalProperties: { type: 'string' } } },
      },
    },
  ],
])('%s comes back', (name, object) => {
  const schema = builtinSchema(name);
  const back = decodeProtobufMessage(schema, encodeProtobufMessage(schema, object as Record<string, unknown>));
  expect(decodeObject(schema, back, { mode: 'ignore' }).object).toEqual(object);
});

test('every field of every type that is served has a number', () => {
  const without: string[] = [];
  for (const { name, group } of builtinPackages()) {
    if (group === undefined) continue;
    for (const type of builtinTypeNames(name)) {
      const numbers = new Set<string>();
      for (const [field, schema] of builtinSchema(`${name}.${type}`).properties ?? []) {
        if (field === 'apiVersion' || field === 'kind') continue;
        const number = schema.fieldNumber?.join('.');
        if (number === undefined || numbers.has(number)) without.push(`${name}.${type}.${field}`);
        else numbers.add(number);
      }
    }
  }
  expect(without).toEqual([]);
});

test('bodies', async () => {
  const definition = { type: resources.configmaps, schema: builtinSchema('core.v1.ConfigMap') };
  const read = (body: Uint8Array) =>
    decodeBody(definition, body, { mode: 'strict', contentType: 'application/vnd.kubernetes.protobuf' });
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } };
  const bytes = encodeProtobuf(definition.schema, object);
  expect((await read(bytes)).object).toEqual(object);
  await expect(read(bytes.subarray(0, 30))).rejects.toThrow('unexpected EOF');
  await expect(read(new TextEncoder().encode('{}'))).rejects.toThrow('does not appear to be a protobuf message');
  const pod = encodeProtobuf(builtinSchema('core.v1.Pod'), { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } });
  await expect(read(pod)).rejects.toThrow('Pod in version "v1" cannot be handled as a ConfigMap');
  expect(openProtobuf(pod).kind).toBe('Pod');
});
