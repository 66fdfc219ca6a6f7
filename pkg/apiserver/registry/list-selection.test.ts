import { expect, test } from 'vitest';
import type { ResourceDefinition } from '../../api/definition.ts';
import { parseLabelQuery } from '../../api/label-query.ts';
import type { KubeObject } from '../../api/object.ts';
import type { Filter } from '../selection/filter.ts';
import { Entry } from '../watchcache/entry.ts';
import { filterInTurns } from './list-selection.ts';

const entries = Array.from({ length: 300 }, (_, i) => {
  const labels = { shard: `s${i % 3}` };
  return new Entry(
    { apiVersion: 'v1', kind: 'Thing', metadata: { name: `n${i}`, labels } } as unknown as KubeObject,
    i + 1,
  );
});

function released({ object, revision }: Entry): Entry {
  const entry = new Entry(object, revision);
  entry.release();
  return entry;
}

function filter(selector: string): Filter {
  const definition = { type: {}, strategy: {} } as unknown as ResourceDefinition;
  return { definition, namespace: undefined, name: undefined, labels: parseLabelQuery(selector), fields: [] };
}

test('few requirements are checked at once', () => {
  expect(filterInTurns(entries, filter('shard=s1'))).toHaveLength(100);
});

test.each([
  ['many requirements', 500, entries],
  ['objects that have to be parsed', 20, entries.map(released)],
])('%s leave the loop to others', async (_, more, among) => {
  const selector = ['shard=s1', ...Array.from({ length: more }, (_, i) => `!absent-${i}`)].join();
  let turns = 0;
  const count = (): void => {
    turns++;
    counter = setImmediate(count);
  };
  let counter = setImmediate(count);
  const found = await filterInTurns(among, filter(selector));
  clearImmediate(counter);
  expect(found.map(({ name }) => name)).toEqual(
    (await filterInTurns(entries, filter('shard=s1'))).map(({ name }) => name),
  );
  expect(turns).toBeGreaterThan(1);
});
