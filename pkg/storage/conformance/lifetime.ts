import { beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../contract.ts';
import { brief, bytes, collect, expectCode, keysAt, take } from './expectations.ts';
import type { StoreUnderTest } from './store-contract.ts';

/** What becomes of keys and history: compacted, expired, closed and opened again. */
export function describeLifetime(subject: () => StoreUnderTest): void {
  let store: Store;

  beforeEach(() => {
    store = subject().store;
  });

  describe('compaction', () => {
    it('drops history and keeps what is live', async () => {
      await store.create('/a', bytes('1')); // 2
      await store.create('/b', bytes('1')); // 3
      await store.update('/a', bytes('2'), 2); // 4
      await store.delete('/b', 3); // 5
      await store.update('/a', bytes('3'), 4); // 6
      await store.compact(5);
      expect(store.compactRevision()).toBe(5);
      expect((await expectCode(store.get('/a', 4), 'COMPACTED')).compactRevision).toBe(5);
      await expectCode(store.list({ prefix: '/', revision: 4 }), 'COMPACTED');
      await expectCode(take(store, { prefix: '/', fromRevision: 4 }, 1), 'COMPACTED');
      expect(await keysAt(store, '/', 5)).toEqual(['/a=2']);
      expect(await keysAt(store, '/')).toEqual(['/a=3']);
      const events = await take(store, { prefix: '/', fromRevision: 5, withPrevious: true }, 2);
      expect(events.map(brief)).toEqual(['5:delete:/b<1', '6:put:/a=3<2']);
      await store.compact(3);
      expect(store.compactRevision()).toBe(5);
      await store.compact(6);
      expect(await keysAt(store, '/')).toEqual(['/a=3']);
      await expectCode(store.compact(7), 'FUTURE_REVISION');
      expect(await store.create('/b', bytes('2'))).toBe(7);
      expect(await keysAt(store, '/', 6)).toEqual(['/a=3']);
    });

    it('goes on beside writers and readers', async () => {
      await store.create('/a', bytes('0'));
      const errors: unknown[] = [];
      let done = false;
      const reader = (async () => {
        while (!done) {
          const item = await store.get('/a');
          if (item === undefined) errors.push('the key was gone');
          const listed = await store.list({ prefix: '/' });
          if (listed.items.length !== 1) errors.push(listed);
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      for (let revision = 2; revision < 200; revision++) {
        await store.update('/a', bytes(`${revision}`), revision);
        if (revision % 7 === 0) await store.compact(store.revision());
      }
      done = true;
      await reader;
      expect(errors).toEqual([]);
    });
  });

  describe('expiry', () => {
    it('deletes a key when its time has come', async () => {
      const abort = new AbortController();
      const watch = store.watch({ prefix: '/' }, abort.signal);
      await store.create('/short', bytes('1'), { ttlMs: 1000 });
      await store.create('/long', bytes('1'), { ttlMs: 60_000 });
      await store.create('/ever', bytes('1'));
      await subject().advance(1500);
      const events = await collect(watch, 4, abort);
      expect(events[3]).toMatchObject({ type: 'delete', key: '/short', revision: 5 });
      expect(await keysAt(store, '/')).toEqual(['/ever=1', '/long=1']);
    });

    it('is set anew by each write', async () => {
      await store.create('/longer', bytes('1'), { ttlMs: 1000 });
      await store.create('/ever', bytes('1'), { ttlMs: 1000 });
      await store.create('/gone', bytes('1'));
      await store.update('/longer', bytes('2'), 2, { ttlMs: 10_000 });
      await store.update('/ever', bytes('2'), 3);
      await store.update('/gone', bytes('2'), 4, { ttlMs: 500 });
      const gone = take(store, { prefix: '/gone', fromRevision: 8 }, 1);
      await subject().advance(2000);
      expect(await gone).toHaveLength(1);
      expect(await keysAt(store, '/')).toEqual(['/ever=2', '/longer=2']);
      const longer = take(store, { prefix: '/longer', fromRevision: 9 }, 1);
      await subject().advance(10_000);
      expect(await longer).toMatchObject([{ type: 'delete', revision: 9 }]);
    });
  });

  describe('closing', () => {
    it('finishes the writes under way and refuses everything after', async () => {
      const writes = Array.from({ length: 20 }, (_, i) => store.create(`/${i}`, bytes('1')));
      const closing = store.close();
      expect((await Promise.all(writes)).at(-1)).toBe(21);
      await closing;
      await store.close();
      await expectCode(store.get('/0'), 'CLOSED');
      await expectCode(store.list({ prefix: '/' }), 'CLOSED');
      await expectCode(store.count('/'), 'CLOSED');
      await expectCode(store.create('/x', bytes('1')), 'CLOSED');
      await expectCode(store.update('/0', bytes('1'), 2), 'CLOSED');
      await expectCode(store.delete('/0', 2), 'CLOSED');
      await expectCode(store.compact(2), 'CLOSED');
    });

    it('fails the watches', async () => {
      const watched = take(store, { prefix: '/' }, 1);
      await store.create('/a', bytes('1'));
      expect(await watched).toHaveLength(1);
      const waiting = take(store, { prefix: '/' }, 1);
      const refused = expectCode(waiting, 'CLOSED');
      await store.close();
      await refused;
      await expectCode(take(store, { prefix: '/' }, 1), 'CLOSED');
    });
  });

  describe('opening again', () => {
    it('finds everything as it was left', async ({ skip }) => {
      const { reopen } = subject();
      if (reopen === undefined) return skip('nothing outlives this store');
      await store.create('/a', bytes('1')); // 2
      await store.create('/b', bytes('1'), { ttlMs: 5000 }); // 3
      await store.update('/a', bytes('2'), 2); // 4
      await store.create('/c', bytes('1')); // 5
      await store.delete('/c', 5); // 6
      await store.compact(3);
      store = await reopen();
      expect(store.revision()).toBe(6);
      expect(store.compactRevision()).toBe(3);
      expect(await keysAt(store, '/')).toEqual(['/a=2', '/b=1']);
      expect(await keysAt(store, '/', 3)).toEqual(['/a=1', '/b=1']);
      expect(await store.get('/a')).toMatchObject({ createRevision: 2, modRevision: 4 });
      await expectCode(store.get('/a', 2), 'COMPACTED');
      const events = await take(store, { prefix: '/', fromRevision: 3, withPrevious: true }, 4);
      expect(events.map(brief)).toEqual(['3:put:/b=1', '4:put:/a=2<1', '5:put:/c=1', '6:delete:/c<1']);
      const gone = take(store, { prefix: '/b', fromRevision: 7 }, 1);
      await subject().advance(6000);
      expect(await gone).toMatchObject([{ type: 'delete', key: '/b', revision: 7 }]);
      expect(await store.create('/c', bytes('2'))).toBe(8);
    });

    it('does not give out the revision of a deleted key again', async ({ skip }) => {
      const { reopen } = subject();
      if (reopen === undefined) return skip('nothing outlives this store');
      await store.create('/a', bytes('1'));
      await store.delete('/a', 2);
      await store.compact(3);
      store = await reopen();
      expect(store.revision()).toBe(3);
      expect(await store.create('/a', bytes('1'))).toBe(4);
    });
  });
}
