import { expect, test } from 'vitest';
import type { OwnerReference } from '../../api/generated/types.ts';
import { dedupOwnerReferences } from './owner-references.ts';

const reference = (uid: string, controller?: boolean): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: uid,
  uid,
  ...(controller === undefined ? {} : { controller }),
});

test.each([
  ['none', undefined, undefined, 0],
  ['different ones', [reference('a'), reference('b')], ['a', 'b'], 0],
  ['the same uid with another field', [reference('a'), reference('a', true)], ['a', 'a'], 0],
  ['duplicates', [reference('a'), reference('b'), reference('a'), reference('a')], ['a', 'b'], 1],
])('%s', (_name, references, expected, count) => {
  const object = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'x',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(references === undefined ? {} : { ownerReferences: references }),
    },
  };
  const warnings: string[] = [];
  dedupOwnerReferences(object, 'before', warnings);
  expect(object.metadata.ownerReferences?.map(({ uid }) => uid)).toEqual(expected);
  expect(warnings).toHaveLength(count);
  if (count > 0) expect(warnings[0]).toMatch(/; duplicate UID\(s\) observed: a, a$/);
});
