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

function filter(selector: string): Filter {
  const definition = { type: {}, strategy: {} } as unknown as ResourceDefinition;
  return { definition, namespace: undefined, name: undefined, labels: parseLabelQuery(selector), fields: [] };
}

test('few requirements are checked at once', () => {
  expect(filterInTurns(entries, filter('shard=s1'))).toHaveLength(100);
});

test('many requirements leave the loop to others', async () => {
  const selector = ['shard=s1', ...Array.from({ length: 500 }, (_, i) => `!absent-${i}`)].join();
  let turns = 0;
  const count = (): void => {
    turns++;
    counter = setImmediate(count);
  };
  let counter = setImmediate(count);
  const found = await filterInTurns(entries, filter(selector));
  clearImmediate(counter);
  expect(found).toEqual(filterInTurns(entries, filter('shard=s1')));
  expect(turns).toBeGreaterThan(1);
});
