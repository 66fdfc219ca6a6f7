import { describe, expect, test } from 'vitest';
import type { ResourceDefinition } from '../../api/definition.ts';
import { parseLabelQuery } from '../../api/label-query.ts';
import type { KubeObject } from '../../api/object.ts';
import type { Filter } from '../selection/filter.ts';
import { Entry, encodeStored, entryOf } from './entry.ts';
import { ResourceCache } from './resource-cache.ts';

const filter: Filter = {
  definition: { type: {}, strategy: {} } as unknown as ResourceDefinition,
  namespace: undefined,
  name: undefined,
  labels: [],
  fields: [],
};

function object(namespace: string, name: string, more: object = {}): KubeObject {
  const metadata = { name, namespace, uid: 'u', resourceVersion: '', creationTimestamp: '2026-01-01T00:00:00Z' };
  return { kind: 'Thing', apiVersion: 'v1', metadata, ...more };
}

describe('an entry', () => {
  test('has the stored bytes with the resourceVersion in them', () => {
    const stored = encodeStored(object('a', 'x', { data: 'é' }));
    const entry = entryOf(stored, 7);
    expect(JSON.parse(entry.bytes.toString())).toEqual(entry.object);
    expect(entry.object.metadata.resourceVersion).toBe('7');
    expect(entry.bytes.subarray(entry.bodyStart).toString()).toMatch(/^"metadata":\{"resourceVersion":"7"/);
    expect(entryOf(Buffer.from(JSON.stringify(object('a', 'x'), undefined, 1)), 8).bytes.toString()).toContain(
      '"resourceVersion":"8"',
    );
    expect(JSON.parse(new Entry(object('a', 'x'), 0).bytes.toString()).metadata.resourceVersion).toBeUndefined();
  });
});

test('a released entry has the same object, each time another one', () => {
  const entry = entryOf(encodeStored(object('a', 'x', { data: { big: '9007199254740993' } })), 7);
  const { object: kept, bytes, bodyStart } = entry;
  entry.release();
  expect([entry.isReleased, entry.bytes, entry.bodyStart]).toEqual([true, bytes, bodyStart]);
  expect(entry.object).toEqual(kept);
  expect(entry.object).not.toBe(entry.object);
  const fresh = new Entry(object('a', 'x'), 0);
  fresh.release();
  expect(fresh.object).toEqual({
    ...object('a', 'x'),
    metadata: { ...object('a', 'x').metadata, resourceVersion: undefined },
  });
});

describe('a cache', () => {
  const fill = (historyEvents = 100): ResourceCache => {
    const cache = new ResourceCache({ prefix: '/registry/things/', namespaced: true, historyEvents });
    cache.loaded(1);
    let revision = 1;
    const put = (namespace: string, name: string): void => {
      revision++;
      cache.apply(namespace, name, new Entry(object(namespace, name), revision), revision);
    };
    for (const [namespace, name] of [
      ['b', 'y'],
      ['a-b', 'z'],
      ['a', 'x'],
      ['b', 'x'],
    ] as const)
      put(namespace, name);
    cache.apply('b', 'y', undefined, 6);
    put('a', 'x');
    return cache;
  };
  const names = (entries: readonly Entry[]): string[] => entries.map((entry) => `${entry.namespace}/${entry.name}`);

  test('keeps the order of storage keys', () => {
    expect(names(fill().select(filter))).toEqual(['a-b/z', 'a/x', 'b/x']);
    expect(names(fill().select({ ...filter, namespace: 'b' }))).toEqual(['b/x']);
  });

  test('tells listeners what is loaded after they came', () => {
    const cache = new ResourceCache({ prefix: '/registry/things/', namespaced: true, historyEvents: 10 });
    const seen: string[] = [];
    cache.onChange(({ metadata }, change) => seen.push(`${change} ${metadata.name}`));
    cache.load(new Entry(object('a', 'loaded'), 1));
    cache.loaded(1);
    cache.apply('a', 'created', new Entry(object('a', 'created'), 2), 2);
    expect(seen).toEqual(['ADDED loaded', 'ADDED created']);
  });

  test('knows what was', () => {
    const cache = fill();
    expect(names(cache.at(5, undefined) ?? [])).toEqual(['a-b/z', 'a/x', 'b/x', 'b/y']);
    expect(names(cache.at(3, 'b') ?? [])).toEqual(['b/y']);
    expect(names(cache.at(1, undefined) ?? [])).toEqual([]);
    expect(cache.since(4, filter)?.map(({ type, entry }) => `${type} ${entry.name} ${entry.revision}`)).toEqual([
      'ADDED x 5',
      'DELETED y 6',
      'MODIFIED x 6',
    ]);
    expect(fill(2).at(1, undefined)).toBeUndefined();
    expect(fill(2).since(1, filter)).toBeUndefined();
  });

  test('gives one event to all watchers, encoded once, batch by batch', () => {
    const cache = fill();
    const got: Buffer[][] = [[], []];
    const stops = got.map((lines) =>
      cache.watch(filter, { send: (deliveries) => lines.push(...deliveries.map(({ line }) => line)) }),
    );
    cache.apply('c', 'n', new Entry(object('c', 'n'), 9), 9);
    expect(got[0]).toHaveLength(0);
    cache.flush(9);
    expect(got[0]?.[0]).toBe(got[1]?.[0]);
    for (const stop of stops) stop();
    cache.apply('c', 'n', undefined, 10);
    cache.flush(10);
    expect(got[0]).toHaveLength(1);
  });

  test('keeps objects that are parsed on demand as bytes, and tells of them as of others', () => {
    const cache = new ResourceCache({ prefix: '/registry/things/', namespaced: true, parsedOnDemand: true });
    cache.load(new Entry(object('a', 'old'), 1));
    cache.loaded(1);
    const told: string[] = [];
    const first = [...cache.entries()][0];
    cache.onChange((changed, type) => told.push(`${type} ${changed.metadata.name}`));
    cache.watch(
      { ...filter, labels: parseLabelQuery('app=web') },
      {
        send: (deliveries) =>
          told.push(...deliveries.map(({ type, entry }) => `seen ${type} ${entry.object.metadata.name}`)),
      },
    );
    const labelled = { ...object('a', 'new'), metadata: { ...object('a', 'new').metadata, labels: { app: 'web' } } };
    cache.apply('a', 'new', new Entry(labelled, 2), 2);
    cache.flush(2);
    cache.apply('a', 'new', undefined, 3);
    cache.flush(3);
    expect(told).toEqual(['ADDED new', 'seen ADDED new', 'DELETED new', 'seen DELETED new']);
    expect(first?.isReleased).toBe(true);
    expect(cache.get('a', 'old')?.object.metadata.name).toBe('old');
  });
});
