import { describe, expect, test } from 'vitest';
import type { DeepReadonly } from '../../base/json.ts';
import type { KubeObject } from '../object.ts';
import { builtinSchema } from '../schema/builtin.ts';
import type { Schema } from '../schema.ts';
import { type ApplyRequest, apply } from './apply.ts';

const time = '2024-01-01T00:00:00Z';
const configMap = builtinSchema('core.v1.ConfigMap');
const service = builtinSchema('core.v1.Service');

const request = (manager: string, more: Partial<ApplyRequest> = {}): ApplyRequest => ({
  manager,
  apiVersion: 'v1',
  kind: 'ConfigMap',
  subresource: '',
  nowMs: Date.parse(time),
  force: false,
  ...more,
});

const config = (data?: Record<string, unknown>, metadata: Record<string, unknown> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', ...metadata },
  ...(data === undefined ? {} : { data }),
});

/** As the registry stores it. */
const stored = (object: DeepReadonly<KubeObject>): DeepReadonly<KubeObject> => ({
  ...object,
  metadata: { ...object.metadata, uid: 'u', resourceVersion: '1', creationTimestamp: time },
});

const owners = (object: DeepReadonly<KubeObject>): Record<string, unknown> =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map(({ manager, operation, fieldsV1 }) => [
      `${manager} ${operation}`,
      fieldsV1,
    ]),
  );

const failure = (run: () => unknown) => (error: unknown) => expect(run).toThrow(error as Error);

describe('one manager', () => {
  const created = stored(apply(configMap, undefined, config({ x: '1', y: '2' }), request('one')));

  test('creates', () => {
    expect(created.metadata.managedFields).toEqual([
      {
        manager: 'one',
        operation: 'Apply',
        apiVersion: 'v1',
        time,
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:x': {}, 'f:y': {} } },
      },
    ]);
  });

  test('changes nothing the second time, whatever the time', () => {
    const later = request('one', { nowMs: Date.parse(time) + 60_000 });
    expect(apply(configMap, created, config({ x: '1', y: '2' }), later)).toEqual(created);
  });

  test('removes what it no longer applies', () => {
    const object = apply(configMap, created, config({ x: '1' }), request('one'));
    expect(object['data']).toEqual({ x: '1' });
    expect(owners(object)).toEqual({ 'one Apply': { 'f:data': { 'f:x': {} } } });
    expect(apply(configMap, created, config(), request('one'))['data']).toBeUndefined();
  });

  test('gives up the last label without the metadata', () => {
    const labelled = stored(apply(configMap, undefined, config({ x: '1' }, { labels: { l: '1' } }), request('one')));
    const { metadata } = apply(configMap, labelled, config({ x: '1' }), request('one'));
    expect(metadata.labels).toBeUndefined();
    expect(metadata).toMatchObject({ name: 'a', uid: 'u', resourceVersion: '1' });
  });

  test('leaves no entry when it owns nothing', () => {
    const object = apply(configMap, undefined, config(), request('one'));
    expect(object.metadata.managedFields).toBeUndefined();
  });
});

describe('several managers', () => {
  const first = stored(apply(configMap, undefined, config({ x: '1', y: '2' }), request('one')));

  test('share a field that they agree on; it stays until none applies it', () => {
    const shared = stored(apply(configMap, first, config({ x: '1' }), request('two')));
    const left = stored(apply(configMap, shared, config({ y: '2' }), request('one')));
    expect(left['data']).toEqual({ x: '1', y: '2' });
    expect(apply(configMap, left, config(), request('two'))['data']).toEqual({ y: '2' });
  });

  test('have the time when they last changed the object', () => {
    const later = '2024-01-01T00:01:00Z';
    const at = (manager: string) => request(manager, { nowMs: Date.parse(later) });
    const times = (object: DeepReadonly<KubeObject>) =>
      (object.metadata.managedFields ?? []).map(({ manager, time: written }) => [manager, written]);
    const joined = stored(apply(configMap, first, config({ x: '1' }), at('two')));
    expect(times(joined)).toEqual([
      ['two', undefined],
      ['one', time],
    ]);
    expect(times(apply(configMap, joined, config({ y: '2' }), at('one')))).toEqual(times(joined));
    expect(times(apply(configMap, joined, config({ x: '1', z: '3' }), at('two')))).toEqual([
      ['one', time],
      ['two', later],
    ]);
  });

  test('conflict', () => {
    const run = () => apply(configMap, first, config({ x: '3', y: '3' }), request('two'));
    failure(run)(
      expect.objectContaining({
        message: 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.x\n- .data.y',
        status: expect.objectContaining({
          code: 409,
          reason: 'Conflict',
          details: {
            causes: ['.data.x', '.data.y'].map((field) => ({
              reason: 'FieldManagerConflict',
              message: 'conflict with "one"',
              field,
            })),
          },
        }),
      }),
    );
  });

  test('take fields over by force', () => {
    const object = apply(configMap, first, config({ x: '3' }), request('two', { force: true }));
    expect(object['data']).toEqual({ x: '3', y: '2' });
    expect(owners(object)).toEqual({
      'one Apply': { 'f:data': { 'f:y': {} } },
      'two Apply': { 'f:data': { 'f:x': {} } },
    });
  });

  test('share sets', () => {
    const withFinalizer = stored(apply(configMap, undefined, config({}, { finalizers: ['e/f'] }), request('one')));
    const both = stored(apply(configMap, withFinalizer, config({}, { finalizers: ['e/g'] }), request('two')));
    expect(both.metadata.finalizers).toEqual(['e/f', 'e/g']);
    expect(apply(configMap, both, config({}), request('one')).metadata.finalizers).toEqual(['e/g']);
  });
});

describe('objects that were not applied before', () => {
  const plain = stored(config({ x: '1' }) as unknown as KubeObject);

  test('belong to before-first-apply', () => {
    failure(() => apply(configMap, plain, config({ x: '2' }), request('one')))(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.x',
    );
  });

  test('move from client-side apply to kubectl without a conflict', () => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const annotations = { [annotation]: JSON.stringify(config({ x: '1' })) };
    const live = { ...plain, metadata: { ...plain.metadata, annotations } };
    const object = apply(configMap, live, config({ x: '<2>' }), request('kubectl'));
    expect(object['data']).toEqual({ x: '<2>' });
    expect(object.metadata.annotations?.[annotation]).toBe(
      '{"apiVersion":"v1","data":{"x":"\\u003c2\\u003e"},"kind":"ConfigMap","metadata":{"name":"a"}}\n',
    );
    failure(() => apply(configMap, live, config({ x: '2' }), request('other')))('before-first-apply');
    const changed = { ...live, data: { x: 'changed by hand' } };
    failure(() => apply(configMap, changed, config({ x: '2' }), request('kubectl')))('before-first-apply');
  });
});

describe('lists', () => {
  const ports = (...list: object[]) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's' },
    spec: { ports: list },
  });
  const asService = (manager: string) => request(manager, { kind: 'Service' });
  const live = stored(apply(service, undefined, ports({ port: 80, name: 'a' }), asService('one')));

  test('merge by their keys, the default protocol included', () => {
    expect(owners(live)).toEqual({
      'one Apply': {
        'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} } } },
      },
    });
    const both = stored(apply(service, live, ports({ port: 81, protocol: 'TCP' }), asService('two')));
    expect(both['spec']).toEqual({
      ports: [
        { port: 80, name: 'a' },
        { port: 81, protocol: 'TCP' },
      ],
    });
    const first = apply(service, both, ports({ port: 81 }, { port: 80, name: 'a' }), asService('one'));
    expect((first['spec'] as { ports: { port: number }[] }).ports.map(({ port }) => port)).toEqual([81, 80]);
    expect(apply(service, both, ports(), asService('one'))['spec']).toEqual({
      ports: [{ port: 81, protocol: 'TCP' }],
    });
  });

  test('that are atomic have one owner', () => {
    const selector = (labels: object) => ({ ...ports(), spec: { selector: labels } });
    const object = stored(apply(service, undefined, selector({ a: '1' }), asService('one')));
    failure(() => apply(service, object, selector({ b: '2' }), asService('two')))(
      'conflict with "one": .spec.selector',
    );
  });
});

test.each<[string, Schema, object, number, string]>([
  ['another kind', configMap, { ...config(), kind: 'Secret' }, 400, 'invalid object type: /v1, Kind=Secret'],
  ['no version', configMap, { kind: 'ConfigMap' }, 400, 'invalid object type: /, Kind=ConfigMap'],
  ['managedFields', configMap, config({}, { managedFields: [] }), 400, 'metadata.managedFields must be nil'],
  [
    'a wrong scalar',
    configMap,
    config({ k: 5 }),
    500,
    'failed to create typed patch object (/a; /v1, Kind=ConfigMap): .data.k: expected string, got &value.valueUnstructured{Value:5}',
  ],
  [
    'an object for a scalar',
    configMap,
    config({ k: { b: [1, 'x', null], a: {} } }),
    500,
    'failed to create typed patch object (/a; /v1, Kind=ConfigMap): .data.k: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":map[string]interface {}{}, "b":[]interface {}{1, "x", interface {}(nil)}}}',
  ],
  [
    'unknown fields',
    configMap,
    { ...config(), dta: {}, more: 1 },
    500,
    'failed to create typed patch object (/a; /v1, Kind=ConfigMap): errors:\n  .dta: field not declared in schema\n  .more: field not declared in schema',
  ],
  [
    'null in a set',
    configMap,
    config({}, { finalizers: ['a/b', null, {}] }),
    500,
    "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .metadata.finalizers: element 1: associative list without keys has an element that's an explicit null",
  ],
  [
    'an object in a set',
    configMap,
    config({}, { finalizers: [{}] }),
    500,
    "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .metadata.finalizers: element 0: associative list without keys has an element that's a map type",
  ],
  [
    'a list in a set',
    configMap,
    config({}, { finalizers: [[]] }),
    500,
    'failed to create typed patch object (/a; /v1, Kind=ConfigMap): .metadata.finalizers: element 0: not supported: associative list with lists as elements',
  ],
  [
    'an element without its key',
    configMap,
    config({}, { ownerReferences: [{ name: 'o' }] }),
    500,
    'failed to create typed patch object (/a; /v1, Kind=ConfigMap): .metadata.ownerReferences: element 0: associative list with keys has an element that omits all key fields ["uid"] (and doesn\'t have default values for any key fields)',
  ],
])('%s is refused', (_name, schema, document, code, message) => {
  failure(() => apply(schema, undefined, document as Record<string, unknown>, request('one')))(
    expect.objectContaining({ message, status: expect.objectContaining({ code }) }),
  );
});

test('the claim of a volume is granular, though references to objects are units', () => {
  const volume = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'a' } };
  const claim = { ...volume, spec: { claimRef: { namespace: 'n', name: 'c' } } };
  const applied = apply(builtinSchema('core.v1.PersistentVolume'), undefined, claim, {
    ...request('one'),
    kind: 'PersistentVolume',
  });
  expect(owners(applied)['one Apply']).toEqual({
    'f:spec': { 'f:claimRef': { 'f:name': {}, 'f:namespace': {} } },
  });
});

describe('resources embedded in a custom resource', () => {
  const text = { type: 'string' } as const;
  const embedded: Schema = {
    type: 'object',
    embeddedResource: true,
    properties: new Map([['spec', { type: 'object', properties: new Map([['a', text]]) }]]),
  };
  const schema: Schema = {
    type: 'object',
    properties: new Map<string, Schema>([
      ['template', embedded],
      ['list', { type: 'array', items: embedded }],
    ]),
  };
  const custom = (template: object, rest: object = {}) => ({
    apiVersion: 'x/v1',
    kind: 'Box',
    metadata: { name: 'a' },
    template,
    ...rest,
  });
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels: { l: '1' }, finalizers: ['f'] } };
  const box = { ...request('one'), apiVersion: 'x/v1', kind: 'Box' };

  test('have apiVersion, kind and metadata, whose members have owners of their own', () => {
    const applied = apply(schema, undefined, custom({ ...pod, spec: { a: 'x' } }, { list: [pod] }), box);
    expect(owners(applied)['one Apply']).toEqual({
      'f:list': {},
      'f:template': {
        'f:apiVersion': {},
        'f:kind': {},
        'f:metadata': { 'f:finalizers': { 'v:"f"': {} }, 'f:labels': { 'f:l': {} }, 'f:name': {} },
        'f:spec': { 'f:a': {} },
      },
    });
  });

  test('have no other fields than these', () => {
    const wrong = { ...pod, other: 1, metadata: { name: 'p', odd: 'x' } };
    expect(() => apply(schema, undefined, custom(wrong), box)).toThrow(
      /\n {2}\.template\.metadata\.odd: field not declared in schema\n {2}\.template\.other: field not declared in schema$/,
    );
  });
});
