import { describe, expect, test } from 'vitest';
import { StatusError } from '../errors.ts';
import { resources } from '../generated/resources.ts';
import { builtinSchema } from './builtin.ts';
import { type BodyOptions, decodeBody, decodeObject } from './codec.ts';
import { completeObject } from './complete.ts';

const pod = builtinSchema('core.v1.Pod');
const configMap = builtinSchema('core.v1.ConfigMap');

function decode(schema: typeof pod, body: unknown, mode: 'strict' | 'ignore' = 'strict') {
  return decodeObject(schema, typeof body === 'string' ? body : JSON.stringify(body), { mode });
}

describe('unknown and duplicate fields', () => {
  const body =
    '{"metadata":{"name":"a","nope":1},"spec":{"containers":[{"name":"c","imaeg":"x","ports":[{"prot":1}]}],"hostname":"a","hostname":"b"},"bogus":{"x":1}}';

  test('are found in the order of the text', () => {
    expect(decode(pod, body).findings).toEqual([
      'unknown field "metadata.nope"',
      'unknown field "spec.containers[0].imaeg"',
      'unknown field "spec.containers[0].ports[0].prot"',
      'duplicate field "spec.hostname"',
      'unknown field "bogus"',
    ]);
  });

  test('of what is unknown, and below it, nothing is a duplicate', () => {
    const text = '{"metadata":{"name":"a"},"bar":{"x":1,"x":2},"bar":3,"data":{"a":"1","a":"2"}}';
    expect(decode(configMap, text).findings).toEqual(['unknown field "bar"', 'duplicate field "data.a"']);
  });

  test('are not looked for in what is nested too deeply', () => {
    const deep = `${'{"a":['.repeat(4_900)}1${']}'.repeat(4_900)}`;
    const text = `{"metadata":{"name":"a"},"data":{"a":${deep},"a":"2"}}`;
    expect(() => decode(configMap, text, 'ignore')).toThrow('exceeded max depth');
  });

  test('are dropped; the last duplicate wins', () => {
    const { object, findings } = decode(pod, body, 'ignore');
    expect(findings).toEqual([]);
    expect(object).not.toHaveProperty('bogus');
    expect(object).toHaveProperty('spec.hostname', 'b');
  });

  test.each([
    ['maps have the entries of both', '"data":{"a":"1","b":"2"},"data":{"b":"3"}', { data: { a: '1', b: '3' } }],
    [
      'structs too',
      '"metadata":{"name":"a"},"metadata":{"labels":{"x":"y"}}',
      { metadata: { name: 'a', labels: { x: 'y' } } },
    ],
    ['a map becomes null', '"data":{"a":"1"},"data":null', {}],
    ['a struct does not', '"metadata":{"name":"a"},"metadata":null', { metadata: { name: 'a' } }],
    ['a pointer becomes null', '"immutable":true,"immutable":null', {}],
    [
      'lists of scalars are replaced',
      '"metadata":{"finalizers":["a/b","c/d"],"finalizers":["e/f"]}',
      { metadata: { finalizers: ['e/f'] } },
    ],
    [
      'lists of structs are read item by item',
      '"metadata":{"ownerReferences":[{"name":"x","uid":"1"}],"ownerReferences":[{"uid":"2"},{"uid":"3"}]}',
      { metadata: { ownerReferences: [{ name: 'x', uid: '2' }, { uid: '3' }] } },
    ],
    ['a third time', '"data":{"a":"1"},"data":{"b":"2"},"data":{"c":"3"}', { data: { a: '1', b: '2', c: '3' } }],
    ['an unknown field is not kept', '"x":{"a":1},"x":{"b":2},"data":{"\\u0061":"1","a":"2"}', { data: { a: '2' } }],
    [
      'nothing is inherited',
      '"data":{"a":"1"},"data":{"__proto__":"2"}',
      JSON.parse('{"data":{"a":"1","__proto__":"2"}}'),
    ],
  ])('members that occur again: %s', (_, members, expected) => {
    const { object } = decode(configMap, `{"metadata":{},${members}}`, 'ignore');
    expect(JSON.parse(JSON.stringify(object))).toMatchObject(expected);
    expect(Object.keys(object)).toEqual([...new Set(['metadata', ...Object.keys(expected)])]);
  });

  test('an annotation with JSON inside is no duplicate', () => {
    const annotations = { a: JSON.stringify({ kind: 1, metadata: { kind: 2 } }) };
    expect(decode(configMap, { metadata: { name: 'a', annotations } }).findings).toEqual([]);
  });
});

test('values that a Go struct would not write back are absent', () => {
  const spec = {
    hostname: '',
    hostNetwork: false,
    automountServiceAccountToken: false,
    priority: 0,
    nodeSelector: {},
    containers: [{ name: 'c', env: [], stdin: false, securityContext: null, args: ['a', null] }],
  };
  expect(decode(pod, { metadata: { name: 'a', labels: { x: null } }, spec }).object).toEqual({
    metadata: { name: 'a', labels: { x: '' } },
    spec: {
      automountServiceAccountToken: false,
      priority: 0,
      containers: [{ name: 'c', args: ['a', ''], resources: {} }],
    },
    status: {},
  });
});

test('scalars with a syntax become canonical', () => {
  const resources = { limits: { cpu: '1000m', memory: '0.5Gi' }, requests: { cpu: 2 } };
  const metadata = { name: 'a', creationTimestamp: '2024-01-01T01:00:00.5+01:00' };
  const { object } = decode(pod, { metadata, spec: { containers: [{ name: 'c', resources }] } });
  expect(object).toHaveProperty('metadata.creationTimestamp', '2024-01-01T00:00:00Z');
  expect(object).toHaveProperty(['spec', 'containers', 0, 'resources'], {
    limits: { cpu: '1', memory: '512Mi' },
    requests: { cpu: '2' },
  });
});

test('members named like properties of objects are data', () => {
  const text = '{"metadata":{"name":"a"},"data":{"__proto__":"x","constructor":"y"},"__proto__":{"polluted":1}}';
  const { object, findings } = decode(configMap, text);
  expect(findings).toEqual(['unknown field "__proto__"']);
  expect(JSON.stringify(object['data'])).toBe('{"__proto__":"x","constructor":"y"}');
  expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  expect(object['polluted']).toBeUndefined();
});

describe('wrong types', () => {
  const container = (fields: object): object => ({ spec: { containers: [{ name: 'c', ...fields }] } });
  test.each([
    [
      { spec: { containers: 'main' } },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      container({ ports: [{ containerPort: 'x' }] }),
      'json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
    ],
    [
      container({ ports: [{ containerPort: 3e9 }] }),
      'json: cannot unmarshal number 3000000000 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
    ],
    [
      container({ ports: [{ containerPort: 1.5 }] }),
      'json: cannot unmarshal number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
    ],
    [
      container({ imagePullPolicy: true }),
      'json: cannot unmarshal bool into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy',
    ],
    [
      container({ resources: { limits: ['x'] } }),
      'json: cannot unmarshal array into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList',
    ],
    [
      { metadata: { labels: { a: 1 } } },
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [{ metadata: 'x' }, 'json: cannot unmarshal string into Go struct field Pod.metadata of type v1.ObjectMeta'],
    [
      container({ resources: { limits: { cpu: 'lots' } } }),
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      container({ livenessProbe: { httpGet: { port: true } } }),
      'json: cannot unmarshal bool into Go value of type int32',
    ],
    [
      { metadata: { creationTimestamp: 'x' } },
      'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
    ],
  ])('%j', (body, message) => {
    expect(() => decode(pod, body)).toThrow(message);
  });

  test('base64', () => {
    expect(() => decode(configMap, { binaryData: { k: '***' } })).toThrow('illegal base64 data at input byte 0');
    expect(() => decode(configMap, { binaryData: { k: 'QUJDR' } })).toThrow('illegal base64 data at input byte 4');
    expect(decode(configMap, { binaryData: { k: 'QU\nJD' } }).object).toHaveProperty('binaryData.k', 'QUJD');
  });
});

test('schemas inside schemas are schemas', () => {
  const openAPIV3Schema = {
    properties: {},
    items: { type: 'string', odd: 1, nullable: false },
    additionalProperties: true,
    dependencies: { a: ['b'], c: { type: 'object', odd: 1 } },
    default: { odd: [1, null] },
  };
  const { object, findings } = decode(builtinSchema('apiextensions.v1.CustomResourceValidation'), { openAPIV3Schema });
  expect(findings).toEqual([]);
  expect(object).toEqual({
    openAPIV3Schema: {
      items: { type: 'string' },
      additionalProperties: true,
      dependencies: { a: ['b'], c: { type: 'object' } },
      default: { odd: [1, null] },
    },
  });
});

test('free-form values may not be nested without end', () => {
  const revision = builtinSchema('apps.v1.ControllerRevision');
  const deep = `{"data":${'['.repeat(5000)}${']'.repeat(5000)}}`;
  expect(() => decode(revision, deep)).toThrow('exceeded max depth');
});

test('completing writes what Go always writes', () => {
  const role = decode(builtinSchema('rbac.v1.Role'), { metadata: { name: 'r' }, rules: [] }).object;
  completeObject(builtinSchema('rbac.v1.Role'), role);
  expect(role).toEqual({ metadata: { name: 'r' }, rules: null });

  const event = decode(builtinSchema('core.v1.Event'), { metadata: { name: 'e' }, count: 0, message: '' }).object;
  completeObject(builtinSchema('core.v1.Event'), event);
  expect(event).toEqual({
    metadata: { name: 'e' },
    involvedObject: {},
    source: {},
    eventTime: null,
    firstTimestamp: null,
    lastTimestamp: null,
    reportingComponent: '',
    reportingInstance: '',
  });
  const again = structuredClone(event);
  completeObject(builtinSchema('core.v1.Event'), again);
  expect(again).toEqual(event);
});

describe('bodies', () => {
  const definition = { type: resources.configmaps, schema: configMap };
  const read = async (text: string, options: Partial<BodyOptions> = {}): Promise<unknown> => {
    try {
      const body = new TextEncoder().encode(text);
      return await decodeBody(definition, body, {
        mode: 'strict',
        knowsKind: (_, v, k) => v === 'v1' && k === 'Secret',
        ...options,
      });
    } catch (error) {
      if (error instanceof StatusError) return `${error.code} ${error.message}`;
      throw error;
    }
  };

  test.each([
    [
      '{"a":',
      `400 the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input ({"a":)`,
    ],
    [
      '[]',
      `400 the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)`,
    ],
    [
      '{"apiVersion":"v2","kind":"ConfigMap"}',
      '400 ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
    [
      '{"apiVersion":"v1","kind":"Secret"}',
      '400 Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
    ],
    [
      '{"kind":"ConfigMap","data":{"a":1}}',
      '400 ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ],
    [
      '{"data":{},"x":1,"y":2}',
      '400 ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "x", unknown field "y"',
    ],
  ])('%s', async (text, message) => {
    expect(await read(text)).toBe(message);
  });

  test('kind and version may be absent', async () => {
    expect(await read('{"metadata":{"name":"a"}}')).toEqual({
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
      warnings: [],
    });
  });

  test('YAML', async () => {
    const contentType = 'application/yaml';
    const text = 'kind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: "1"\n';
    expect(await read(text, { contentType })).toMatchObject({ object: { metadata: { name: 'a' }, data: { k: '1' } } });
    expect(await read(`${text}  k: "2"\n`, { contentType })).toBe(
      '400 ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  line 6: key "k" already set in map',
    );
    expect(await read('{', { contentType })).toMatch(/^400 .*: yaml: line 1: did not find expected node content/);
    expect(await read('{}', { contentType: 'text/html' })).toMatch(
      /^415 the body of the request was in an unknown format/,
    );
  });
});

describe('integers beyond 2^53', () => {
  const decoded = (type: string, text: string): object =>
    decodeObject(builtinSchema(type), text, { mode: 'strict' }).object;

  test.each<[string, string, string, object]>([
    ['of others', 'apps.v1.ControllerRevision', '{"revision":3546343826724305833}', { revision: 3546343826724305833n }],
    [
      'in free data',
      'apps.v1.ControllerRevision',
      '{"data":{"a":-9007199254740993}}',
      { data: { a: -9007199254740993n } },
    ],
    [
      'for ever',
      'core.v1.Toleration',
      '{"tolerationSeconds":9223372036854775807}',
      { tolerationSeconds: 2n ** 63n - 1n },
    ],
    ['to calculate with', 'core.v1.SleepAction', '{"seconds":9223372036854775807}', { seconds: 2 ** 63 - 1024 }],
    [
      'as quantities',
      'core.v1.ResourceQuotaSpec',
      '{"hard":{"a":9007199254740993}}',
      { hard: { a: '9007199254740993' } },
    ],
  ])('%s', (_what, type, text, expected) => {
    expect(decoded(type, text)).toMatchObject(expected);
  });

  test.each([
    [
      'core.v1.SleepAction',
      '{"seconds":9223372036854775808}',
      /cannot unmarshal number 9223372036854775808 into Go struct/,
    ],
    [
      'apps.v1.DeploymentSpec',
      '{"replicas":9007199254740993}',
      /cannot unmarshal number 9007199254740993 into Go struct/,
    ],
    ['core.v1.ContainerPort', '{"name":9007199254740993}', /cannot unmarshal number into Go struct .* of type string/],
  ])('%s %s', (type, text, message) => {
    expect(() => decoded(type, text)).toThrow(message);
  });
});

test('null, documents of other groups and bodies of a scale', async () => {
  const read = (body: string, custom: boolean, as?: BodyOptions['as']) =>
    decodeBody({ type: resources.configmaps, schema: configMap, ...(custom ? { custom } : {}) }, Buffer.from(body), {
      mode: 'strict',
      ...(as === undefined ? {} : { as }),
    });
  expect((await read('null', false)).object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' });
  await expect(read('{"kind":"ConfigMap","apiVersion":"a/b/c"}', false)).rejects.toThrow(
    'unexpected GroupVersion string: a/b/c',
  );
  await expect(read('{"kind":"ConfigMap"}', true)).rejects.toThrow('the API version in the data () does not match');
  const scale = { group: 'autoscaling', version: 'v1', kind: 'Scale', schema: builtinSchema('autoscaling.v1.Scale') };
  expect((await read('{"spec":{"replicas":2}}', true, scale)).object).toMatchObject({ kind: 'Scale' });
});
