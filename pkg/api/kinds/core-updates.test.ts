import { describe, expect, it } from 'vitest';
import type { Node } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import { defaultPullPolicy } from './image-tag.ts';
import { strategies } from './index.ts';
import { create, newObject, update, updateStored } from './testing.ts';

describe('nodes', () => {
  const features: [string, string[], string[]][] = [
    ['sorted', ['A', 'Ab/c', 'B'], []],
    ['unsorted', ['B', 'A'], ['status.declaredFeatures[1] Invalid']],
    ['named twice', ['A', 'A'], ['status.declaredFeatures[1] Duplicate']],
    ['malformed', ['a'], ['status.declaredFeatures[0] Invalid']],
  ];

  it.each(features)('features %s', (_name, declaredFeatures, errors) => {
    expect(create('/Node', { status: { declaredFeatures } }).errors).toEqual(errors);
  });

  it('take no configuration any more', () => {
    const config = { active: { configMap: { namespace: 'n', name: 'c', kubeletConfigKey: 'k' } } };
    const { object } = update('/Node', {}, (node) => Object.assign(node, { status: { config } }), 'status');
    expect((object as unknown as Node).status?.config).toBeUndefined();
  });
});

describe('replication controllers', () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };

  it('whose selector is no selector', () => {
    const { errors } = create('/ReplicationController', { spec: { selector: { 'not a key!': 'b' }, template } });
    expect(errors).toEqual(['spec.template.metadata.labels Invalid']);
  });

  it('warn of the template that was', () => {
    const warned = structuredClone(template);
    Object.assign(warned.spec, { imagePullSecrets: [{ name: '' }] });
    const now = newObject('/ReplicationController', { metadata: { generation: 2 }, spec: { template: warned } });
    const before = newObject('/ReplicationController', { metadata: { generation: 1 }, spec: { template } });
    const { warnings } = strategies.get('/ReplicationController') ?? {};
    expect(warnings?.(now, undefined)).toEqual(['spec.template.spec.imagePullSecrets[0].name: invalid empty name ""']);
    expect(warnings?.(now, before)).toEqual([]);
  });
});

describe('names', () => {
  it('are made up for limit ranges', () => {
    const range: KubeObject = newObject('/LimitRange', { metadata: { name: '' }, spec: { limits: [] } });
    strategies.get('/LimitRange')?.prepareForCreate?.(range, { nowMs: 0, subresource: '' });
    expect(range.metadata.name).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('of services may begin with a digit', () => {
    expect(strategies.get('/Service')?.validateName?.('1a')).toEqual([]);
    expect(strategies.get('/Service')?.validateName?.('a.b')).not.toEqual([]);
  });

  it('of images are no digests', () => {
    expect(defaultPullPolicy('a'.repeat(64))).toBe('IfNotPresent');
    expect(defaultPullPolicy(`x/${'a'.repeat(64)}`)).toBe('Always');
    expect(defaultPullPolicy('x'.repeat(255))).toBe('Always');
    expect(defaultPullPolicy('x'.repeat(256))).toBe('IfNotPresent');
  });
});

describe('pods', () => {
  it('with a limit and a request of nothing are burstable', () => {
    const resources = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '0', memory: '1Gi' } };
    const { object } = create('/Pod', { spec: { containers: [{ name: 'c', image: 'i', resources }] } });
    expect(object.status).toMatchObject({ qosClass: 'Burstable' });
  });
});

describe('Services of a type that there is not', () => {
  it('are told only that', () => {
    const spec = { type: 'ClusterIP', clusterIP: '10.0.0.1', ipFamilies: ['IPv4'], ports: [{ port: 80 }] };
    const change = (service: KubeObject) => Object.assign(service.spec as object, { type: 'Odd' });
    expect(update('/Service', { spec }, change).errors).toEqual(['spec.type NotSupported']);
  });
});

describe('persistent volumes', () => {
  const before = { phase: 'Bound', lastPhaseTransitionTime: '2020-01-01T00:00:00Z' };
  const other = '2021-01-01T00:00:00Z';
  const now = '2030-01-01T00:00:00Z';
  const changes: [string, object, string][] = [
    ['the same phase', { phase: 'Bound' }, before.lastPhaseTransitionTime],
    ['the same phase since another time', { phase: 'Bound', lastPhaseTransitionTime: other }, other],
    ['another phase', { phase: 'Failed' }, now],
    ['another phase since the old time', { ...before, phase: 'Failed' }, now],
    ['another phase since a time', { phase: 'Failed', lastPhaseTransitionTime: other }, other],
  ];

  it.each(changes)('in %s', (_name, status, since) => {
    const old = newObject('/PersistentVolume', { spec: {}, status: before });
    const { object } = updateStored('/PersistentVolume', old, (volume) => Object.assign(volume, { status }), 'status');
    expect(object.status).toMatchObject({ lastPhaseTransitionTime: since });
  });

  it('warn of volumes that are gone, but for two', () => {
    const { warnings } = strategies.get('/PersistentVolume') ?? {};
    const volume = newObject('/PersistentVolume', { spec: { flocker: {}, quobyte: {}, scaleIO: {} } });
    expect(warnings?.(volume, undefined)).toEqual(['spec.scaleIO: deprecated in v1.16, non-functional in v1.22+']);
  });
});
