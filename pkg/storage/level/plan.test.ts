import { expect, it } from 'vitest';
import type { IndexEntry } from '../key-index.ts';
import { planOperations, planWrites, undoOperations, type WriteRequest } from './plan.ts';

const request = (kind: WriteRequest['kind'], key: string, expected = 0): WriteRequest => ({
  kind,
  key,
  value: Buffer.from('v'),
  expected,
  ttlMs: undefined,
  resolve: () => {},
  reject: () => {},
});

const state = (...entries: IndexEntry[]) => ({
  revision: 10,
  nowMs: 0,
  lookup: (key: string) => entries.find((entry) => entry.key === key),
});

it('lets each request see the ones before it', () => {
  const { writes, refused } = planWrites(
    [
      request('create', 'a'),
      request('create', 'a'),
      request('update', 'a', 11),
      request('update', 'a', 11),
      request('delete', 'b', 3),
      request('update', 'b', 3),
      request('create', 'b'),
    ],
    state({ key: 'b', createRevision: 2, modRevision: 3 }),
  );
  expect(writes.map((write) => [write.revision, write.request.kind, write.entry?.createRevision])).toEqual([
    [11, 'create', 11],
    [12, 'update', 11],
    [13, 'delete', undefined],
    [14, 'create', 14],
  ]);
  expect(refused.map(({ code }) => code)).toEqual(['KEY_EXISTS', 'REVISION_MISMATCH', 'KEY_NOT_FOUND']);
});

it('undoes what it does', () => {
  const before = new Map<string, string>();
  const entry = { key: 'b', createRevision: 2, modRevision: 3 };
  const seed = planWrites([request('create', 'b')], { ...state(), revision: 2 });
  const apply = (records: Map<string, string>, operations: ReturnType<typeof planOperations>): void => {
    for (const operation of operations) {
      if (operation.type === 'put') records.set(operation.key, Buffer.from(operation.value).toString('hex'));
      else records.delete(operation.key);
    }
  };
  apply(before, planOperations(seed.writes));
  const known = { ...entry, createRevision: 3 };
  const { writes } = planWrites(
    [request('update', 'b', 3), request('delete', 'b', 11), request('create', 'b'), request('create', 'c')],
    state(known),
  );
  const after = new Map(before);
  apply(after, planOperations(writes));
  expect(after).not.toEqual(before);
  const undone = new Map(after);
  apply(
    undone,
    undoOperations(writes, () => undefined),
  );
  expect(undone).toEqual(before);
  const untouched = new Map(before);
  apply(
    untouched,
    undoOperations(writes, () => undefined),
  );
  expect(untouched).toEqual(before);
});
