import { describe, expect, test } from 'vitest';
import type { DeepReadonly } from '../../base/json.ts';
import type { KubeObject } from '../object.ts';
import { builtinSchema } from '../schema/builtin.ts';
import { completeObject } from '../schema/complete.ts';
import type { Schema } from '../schema.ts';
import { apply } from './apply.ts';
import { managedFieldsAfterScale, scaleManagedFields } from './scale.ts';
import { trackUpdate, type WriteRequest } from './track-update.ts';

const startMs = Date.parse('2024-01-01T00:00:00Z');
const configMap = builtinSchema('core.v1.ConfigMap');
const pod = builtinSchema('core.v1.Pod');

const request = (manager: string, seconds = 0, more: Partial<WriteRequest> = {}): WriteRequest => ({
  manager,
  apiVersion: 'v1',
  subresource: '',
  nowMs: startMs + seconds * 1000,
  ...more,
});

/** The object as it is stored after a write by `request`. */
function write(schema: Schema, live: DeepReadonly<KubeObject> | undefined, change: object, by: WriteRequest) {
  const { metadata, ...rest } = change as Partial<KubeObject>;
  const object = { apiVersion: 'v1', kind: 'X', ...live, ...rest } as KubeObject;
  const { managedFields: _, ...liveMetadata } = live?.metadata ?? {};
  object.metadata = { name: 'a', ...liveMetadata, ...metadata } as KubeObject['metadata'];
  completeObject(schema, object);
  const managedFields = trackUpdate(schema, live, object, by);
  const { managedFields: __, ...others } = object.metadata;
  return { ...object, metadata: { ...others, uid: 'u', managedFields } } as DeepReadonly<KubeObject>;
}

const entries = (object: DeepReadonly<KubeObject>): unknown[] =>
  (object.metadata.managedFields ?? []).map(({ manager, time, fieldsV1 }) => [manager, time?.slice(17, 19), fieldsV1]);

describe('updates', () => {
  const created = write(configMap, undefined, { data: { x: '1', y: '1' } }, request('one'));

  test('a creator owns everything, maps included', () => {
    expect(created.metadata.managedFields).toEqual([
      {
        manager: 'one',
        operation: 'Update',
        apiVersion: 'v1',
        time: '2024-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { '.': {}, 'f:x': {}, 'f:y': {} } },
      },
    ]);
  });

  test('who changes a field owns it alone', () => {
    const changed = write(configMap, created, { data: { x: '2', y: '1' } }, request('two', 5));
    expect(entries(changed)).toEqual([
      ['one', '00', { 'f:data': { '.': {}, 'f:y': {} } }],
      ['two', '05', { 'f:data': { 'f:x': {} } }],
    ]);
  });

  test('who removes a field takes it from its owner', () => {
    const changed = write(configMap, created, { data: { y: '1' } }, request('two', 5));
    expect(entries(changed)).toEqual([['one', '00', { 'f:data': { '.': {}, 'f:y': {} } }]]);
  });

  test('no change keeps the stored entries', () => {
    expect(trackUpdate(configMap, created, created, request('two', 5))).toBe(created.metadata.managedFields);
  });

  test('objects without entries stay without', () => {
    const untracked = { ...created, metadata: { ...created.metadata, managedFields: undefined } };
    expect(trackUpdate(configMap, untracked, { ...untracked, data: {} }, request('two'))).toBeUndefined();
  });

  test('clients may replace and reset the entries', () => {
    const fieldsV1 = { 'f:data': { 'f:x': {} } };
    const renamed = [{ manager: 'renamed', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 }];
    expect(entries(write(configMap, created, { metadata: { managedFields: renamed } }, request('two')))).toEqual([
      ['renamed', undefined, fieldsV1],
    ]);
    const entriesAfter = (requestedEntries: WriteRequest['requestedEntries']): unknown[] =>
      entries(write(configMap, created, {}, request('two', 0, { requestedEntries })));
    expect(entriesAfter([])).toEqual([]);
    expect(entriesAfter([{}])).toEqual([]);
    expect(entriesAfter(null)).toEqual(entries(created));
    expect(entriesAfter([{ manager: 'x', operation: 'Apply', fieldsV1: { 'q:x': {} } }])).toEqual(entries(created));
  });

  test('the oldest updaters become ancient-changes', () => {
    let object = write(configMap, undefined, { data: { k0: '0' } }, request('m0'));
    for (let i = 1; i <= 12; i++) {
      const data = { ...(object['data'] as object), [`k${i}`]: '1' };
      object = write(configMap, object, { data }, request(`m${i}`, i));
    }
    expect(object.metadata.managedFields).toHaveLength(10);
    expect(entries(object)[0]).toEqual([
      'ancient-changes',
      '03',
      { 'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {}, 'f:k3': {} } },
    ]);
  });
});

describe('pods', () => {
  const containers = [{ name: 'main', image: 'a', env: [{ name: 'A', value: '1' }], resources: {} }];
  const created = write(pod, undefined, { spec: { containers } }, request('one', 0, { resetFields: ['status'] }));

  test('what is always there is no addition', () => {
    expect(entries(created)).toEqual([
      [
        'one',
        '00',
        {
          'f:spec': {
            'f:containers': {
              'k:{"name":"main"}': {
                '.': {},
                'f:name': {},
                'f:image': {},
                'f:env': { '.': {}, 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                'f:resources': {},
              },
            },
          },
        },
      ],
    ]);
  });

  test('status has entries of its own', () => {
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    const change = { status, spec: { containers: [] } };
    const by = request('kubelet', 9, { subresource: 'status', resetFields: ['spec'] });
    const changed = write(pod, created, change, by);
    expect(changed.metadata.managedFields?.[1]).toMatchObject({
      manager: 'kubelet',
      subresource: 'status',
      fieldsV1: {
        'f:status': {
          'f:phase': {},
          'f:conditions': { '.': {}, 'k:{"type":"Ready"}': { '.': {}, 'f:type': {}, 'f:status': {} } },
        },
      },
    });
  });
});

test('custom resources need not describe metadata', () => {
  const schema: Schema = { type: 'object', properties: new Map([['spec', { type: 'any' } as Schema]]) };
  const created = write(schema, undefined, { metadata: { labels: { a: 'b' } }, spec: { l: [1] } }, request('one'));
  expect(entries(created)).toEqual([
    ['one', '00', { 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } }, 'f:spec': { '.': {}, 'f:l': {} } }],
  ]);
});

test('the scale subresource owns the replicas of the object', () => {
  const deployment = builtinSchema('apps.v1.Deployment');
  const config = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: { replicas: 1, paused: true },
  };
  const by = { ...request('one'), apiVersion: 'apps/v1', kind: 'Deployment', force: false };
  const live = apply(deployment, undefined, config, by);
  const path = '.spec.replicas';
  const scale = {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { ...live.metadata, managedFields: scaleManagedFields(live.metadata.managedFields, path) },
    spec: { replicas: 1 },
  } as unknown as KubeObject;
  expect(entries(scale)).toEqual([['one', '00', { 'f:spec': { 'f:replicas': {} } }]]);
  const byScaler = request('scaler', 7, { apiVersion: 'autoscaling/v1', subresource: 'scale' });
  const scaled = trackUpdate(
    builtinSchema('autoscaling.v1.Scale'),
    scale,
    { ...scale, spec: { replicas: 3 } },
    byScaler,
  );
  const after = managedFieldsAfterScale(live.metadata.managedFields, scaled, path, 'apps/v1');
  expect(after).toMatchObject([
    { manager: 'one', fieldsV1: { 'f:spec': { 'f:paused': {} } } },
    { manager: 'scaler', apiVersion: 'apps/v1', subresource: 'scale', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
  ]);
  expect(after?.[1]).not.toHaveProperty('time');
});
