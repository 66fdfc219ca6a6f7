import { expect, it } from 'vitest';
import { maxRevision, newestAnnotations, REVISION, revisionOf } from './annotations.ts';
import type { ReadDeployment, ReadReplicaSet } from './replica-counts.ts';

const set = (revision: string | undefined): ReadReplicaSet =>
  ({ metadata: { name: 's', annotations: revision === undefined ? {} : { [REVISION]: revision } } }) as never;

it.each([
  ['none', undefined, 0n],
  ['a number', '7', 7n],
  ['more than a double holds', '3546343826724305832', 3546343826724305832n],
  ['the highest int64', '9223372036854775807', 9223372036854775807n],
  ['more than an int64', '9223372036854775808', 0n],
  ['no number', '1.5', 0n],
])('a revision is an int64: %s', (_, text, revision) => {
  expect(revisionOf(set(text))).toBe(revision);
});

it('the highest revision is found', () => {
  const sets = [set('3546343826724305832'), set('3546343826724305833'), set(undefined), set('12')];
  expect(maxRevision(sets)).toBe(3546343826724305833n);
  expect(maxRevision([])).toBe(0n);
});

it('a new revision replaces the old one, which is remembered; a lower one is not taken', () => {
  const deployment = { metadata: { name: 'd', annotations: { note: 'x' } } } as unknown as ReadDeployment;
  const first = newestAnnotations(deployment, {}, 3546343826724305833n);
  expect(first).toEqual({ note: 'x', [REVISION]: '3546343826724305833' });
  expect(newestAnnotations(deployment, first, 3546343826724305832n)).toEqual(first);
  expect(newestAnnotations(deployment, first, 3546343826724305834n)).toEqual({
    note: 'x',
    [REVISION]: '3546343826724305834',
    'deployment.kubernetes.io/revision-history': '3546343826724305833',
  });
});
