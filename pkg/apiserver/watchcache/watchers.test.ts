import { expect, test } from 'vitest';
import type { ResourceDefinition } from '../../api/definition.ts';
import { parseFieldSelector } from '../../api/field-selector.ts';
import type { Filter } from '../selection/filter.ts';
import { Watchers } from './watchers.ts';

function watcher(namespace: string | undefined, fields = '', name?: string): { filter: Filter } {
  const definition = {} as ResourceDefinition;
  return { filter: { definition, namespace, name, labels: [], fields: parseFieldSelector(fields) } };
}

const named = {
  all: watcher(undefined),
  space: watcher('a'),
  otherSpace: watcher('b'),
  object: watcher('a', '', 'x'),
  otherObject: watcher('a', '', 'y'),
  everywhere: watcher(undefined, '', 'x'),
  node: watcher(undefined, 'spec.nodeName=n1'),
  nodeInSpace: watcher('b', 'spec.nodeName=n1'),
  otherNode: watcher(undefined, 'spec.nodeName=n2'),
  noNode: watcher(undefined, 'spec.nodeName='),
  anyNode: watcher(undefined, 'spec.nodeName!='),
};
type Name = keyof typeof named;

function asked(before: string | undefined, now: string | undefined, indexedPath?: string): Name[] {
  const watchers = new Watchers<{ filter: Filter }>({ namespaced: true, indexedPath });
  for (const one of Object.values(named)) watchers.add(one);
  const found = [...watchers.concerned({ namespace: 'a', name: 'x' }, { before, now })];
  const names = found.map((one) => (Object.keys(named) as Name[]).find((name) => named[name] === one) as Name);
  expect(new Set(names).size).toBe(names.length);
  return names.sort();
}

test.each<[string, string | undefined, string | undefined, Name[]]>([
  ['a new object', undefined, '', ['noNode']],
  ['an object that stays', 'n1', 'n1', ['node', 'nodeInSpace']],
  ['an object that moves', '', 'n1', ['noNode', 'node', 'nodeInSpace']],
  ['an object that goes', 'n2', undefined, ['otherNode']],
])('of %s those hear that may see it', (_, before, now, expected) => {
  expect(asked(before, now, 'spec.nodeName')).toEqual(
    [...expected, 'all', 'anyNode', 'everywhere', 'object', 'space'].sort(),
  );
});

test('without an indexed field its selectors are asked one by one', () => {
  expect(asked(undefined, undefined)).toEqual(
    ['all', 'anyNode', 'everywhere', 'noNode', 'node', 'object', 'otherNode', 'space'].sort(),
  );
});

test('cluster-scoped objects are found by their names alone; who leaves hears nothing', () => {
  const watchers = new Watchers<{ filter: Filter }>({ namespaced: false, indexedPath: undefined });
  const [own, other] = [watcher(undefined, '', 'x'), watcher(undefined, '', 'y')];
  for (const one of [own, other, named.all]) watchers.add(one);
  const concerned = (): unknown[] => [
    ...watchers.concerned({ namespace: '', name: 'x' }, { before: undefined, now: '' }),
  ];
  expect(concerned()).toEqual([named.all, own]);
  watchers.delete(own);
  watchers.delete(named.all);
  expect([concerned(), watchers.size, watchers.has(own), watchers.has(other)]).toEqual([[], 1, false, true]);
});
