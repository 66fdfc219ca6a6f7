import { expect, test } from 'vitest';
import { builtinSchema } from './builtin.ts';
import { toStructs } from './to-structs.ts';

const deployment = builtinSchema('apps.v1.Deployment');
const inPod = (spec: object) => ({ spec: { template: { spec } } });

test.each<[object, object]>([
  [{ spec: { replicas: 3_000_000_000 } }, { spec: { replicas: -1_294_967_296 } }],
  [{ spec: { replicas: 1e20 } }, { spec: { replicas: 0 } }],
  [{ metadata: { generation: 1e20 } }, { metadata: { generation: -(2n ** 63n) } }],
  [{ metadata: { generation: 2n ** 62n } }, { metadata: { generation: 2n ** 62n } }],
  [
    { spec: null, bogus: 1 },
    { spec: null, bogus: 1 },
  ],
  [inPod({ containers: [null, { image: 'i' }] }), inPod({ containers: [null, { image: 'i' }] })],
])('%o is converted', (value, expected) => {
  expect(toStructs(deployment, value)).toEqual(expected);
});

test.each<[object, string]>([
  [{ spec: 1 }, 'cannot restore struct from: int64'],
  [{ spec: [] }, 'cannot restore struct from: slice'],
  [{ spec: true }, 'cannot restore struct from: bool'],
  [{ spec: { replicas: 'x' } }, 'unrecognized type: int32'],
  [{ spec: { replicas: 1.5 } }, 'cannot convert float64 to int32'],
  [{ spec: { paused: 1 } }, 'unrecognized type: bool'],
  [{ kind: 1 }, 'cannot convert int64 to string'],
  [{ kind: {} }, 'unrecognized type: string'],
  [inPod({ containers: 'x' }), 'cannot restore slice from string'],
  [inPod({ containers: {} }), 'cannot restore slice from map'],
  [inPod({ containers: [{ args: [1] }] }), 'cannot convert int64 to string'],
  [inPod({ containers: [{ imagePullPolicy: 1 }] }), 'cannot convert int64 to v1.PullPolicy'],
  [inPod({ nodeSelector: 1.5 }), 'cannot restore map from float64'],
  [inPod({ nodeSelector: { a: 1 } }), 'cannot convert int64 to string'],
  [{ metadata: { creationTimestamp: 1 } }, 'json: cannot unmarshal number into Go value of type string'],
])('%j is refused', (value, message) => {
  expect(() => toStructs(deployment, value)).toThrow(message);
});

test('bytes are base64', () => {
  const secret = builtinSchema('core.v1.Secret');
  expect(toStructs(secret, { data: { a: 'eA==' } })).toEqual({ data: { a: 'eA==' } });
  expect(() => toStructs(secret, { data: { a: '!' } })).toThrow(
    'error decoding from json: illegal base64 data at input byte 0',
  );
  expect(() => toStructs(secret, { data: { a: 1 } })).toThrow('cannot restore slice from int64');
});
