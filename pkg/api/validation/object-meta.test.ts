import { describe, expect, it } from 'vitest';
import type { ObjectMeta } from '../generated/types.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';

const rules = { namespaced: true };
const short = (errors: readonly { field: string; type: string }[]): string[] =>
  errors.map((error) => `${error.field} ${error.type.replace('FieldValue', '')}`);

describe('metadata of new objects', () => {
  const cases: [string, ObjectMeta, string[]][] = [
    ['valid', { name: 'a', namespace: 'n', labels: { 'x.y/z': '' }, finalizers: ['a.b/c', 'orphan'] }, []],
    ['no name', { namespace: 'n' }, ['metadata.name Required']],
    ['no namespace', { name: 'a' }, ['metadata.namespace Required']],
    ['generated', { name: 'web-x', generateName: 'web-', namespace: 'n' }, []],
    [
      'bad generateName',
      { name: 'B_x', generateName: 'B_', namespace: 'n' },
      ['metadata.generateName Invalid', 'metadata.name Invalid'],
    ],
    [
      'bad label',
      { name: 'a', namespace: 'n', labels: { 'a b': 'c d' } },
      ['metadata.labels Invalid', 'metadata.labels Invalid'],
    ],
    [
      'empty finalizer',
      { name: 'a', namespace: 'n', finalizers: [''] },
      ['metadata.finalizers Invalid', 'metadata.finalizers Invalid', 'metadata.finalizers[0] Invalid'],
    ],
    ['bad finalizer', { name: 'a', namespace: 'n', finalizers: ['x'] }, ['metadata.finalizers[0] Invalid']],
    [
      'conflicting finalizers',
      { name: 'a', namespace: 'n', finalizers: ['orphan', 'foregroundDeletion'] },
      ['metadata.finalizers Invalid'],
    ],
    [
      'big annotations',
      { name: 'a', namespace: 'n', annotations: { a: 'x'.repeat(262_144) } },
      ['metadata.annotations TooLong'],
    ],
    ['annotation key in upper case', { name: 'a', namespace: 'n', annotations: { 'Example.COM/a': '' } }, []],
  ];

  it.each(cases)('%s', (_name, metadata, errors) => {
    expect(short(validateObjectMeta(metadata, rules))).toEqual(errors);
  });

  it('allows short finalizers on custom resources', () => {
    const metadata = { name: 'a', namespace: 'n', finalizers: ['x'] };
    expect(validateObjectMeta(metadata, { ...rules, custom: true })).toEqual([]);
    expect(validateObjectMetaUpdate(metadata, metadata, { custom: true })).toEqual([]);
  });

  it('allows one controller only', () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true };
    const errors = validateObjectMeta(
      { name: 'a', namespace: 'n', ownerReferences: [owner, { ...owner, uid: 'v' }] },
      rules,
    );
    expect(short(errors)).toEqual(['metadata.ownerReferences Invalid']);
  });
});

describe('metadata of updates', () => {
  const old: ObjectMeta = { name: 'a', namespace: 'n', uid: 'u', generation: 3, creationTimestamp: 't' };
  const cases: [string, ObjectMeta, ObjectMeta, string[]][] = [
    ['unchanged', old, old, []],
    ['uid', { ...old, uid: 'v' }, old, ['metadata.uid Invalid']],
    ['generation goes back', { ...old, generation: 2 }, old, ['metadata.generation Invalid']],
    [
      'finalizers added while deleting',
      { ...old, deletionTimestamp: 'd', finalizers: ['a/b'] },
      { ...old, deletionTimestamp: 'd' },
      ['metadata.finalizers Forbidden'],
    ],
    ['generateName', { ...old, generateName: 'a/' }, old, ['metadata.generateName Invalid']],
    ['grace period', { ...old, deletionGracePeriodSeconds: 0 }, old, ['metadata.deletionGracePeriodSeconds Invalid']],
    ['deletion withdrawn', old, { ...old, deletionTimestamp: 'd' }, ['metadata.deletionTimestamp Invalid']],
  ];

  it.each(cases)('%s', (_name, metadata, before, errors) => {
    expect(short(validateObjectMetaUpdate(metadata, before))).toEqual(errors);
  });
});
