import { beforeEach, describe, expect, it } from 'vitest';
import { isStoreError, type Store } from '../contract.ts';
import { bytes, expectCode, keysAt, text } from './expectations.ts';
import type { StoreUnderTest } from './store-contract.ts';

/** What is written is read as it was at every revision, whoever else writes. */
export function describeKeys(subject: () => StoreUnderTest): void {
  let store: Store;

  beforeEach(() => {
    store = subject().store;
  });

  describe('single keys', () => {
    it('begins empty at revision 1', async () => {
      expect(store.revision()).toBe(1);
      expect(store.compactRevision()).toBe(1);
      expect(await store.get('/a')).toBeUndefined();
      expect(await store.list({ prefix: '/' })).toEqual({ items: [], revision: 1, more: false });
    });

    it('creates, updates and deletes with increasing revisions', async () => {
      expect(await store.create('/a', bytes('1'))).toBe(2);
      expect(await store.create('/b', bytes('1'))).toBe(3);
      expect(await store.update('/a', bytes('2'), 2)).toBe(4);
      expect(await store.get('/a')).toMatchObject({ key: '/a', createRevision: 2, modRevision: 4 });
      expect(text((await store.get('/a'))?.value)).toBe('2');
      expect(await store.delete('/a', 4)).toBe(5);
      expect(await store.get('/a')).toBeUndefined();
      expect(await store.create('/a', bytes('3'))).toBe(6);
      expect(await store.get('/a')).toMatchObject({ createRevision: 6, modRevision: 6 });
      expect(store.revision()).toBe(6);
    });

    it('keeps bytes as they are, also none and many', async () => {
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const large = new Uint8Array(2 << 20).fill(7);
      await store.create('/all', all);
      await store.create('/none', new Uint8Array(0));
      await store.create('/large', large);
      expect(Buffer.from((await store.get('/all'))?.value ?? []).equals(all)).toBe(true);
      expect((await store.get('/none'))?.value.length).toBe(0);
      expect(Buffer.from((await store.get('/large'))?.value ?? []).equals(large)).toBe(true);
    });

    it('refuses what does not fit the present state, and says what that is', async () => {
      await store.create('/a', bytes('1'));
      const exists = await expectCode(store.create('/a', bytes('x')), 'KEY_EXISTS');
      expect(text(exists.current?.value)).toBe('1');
      await expectCode(store.update('/b', bytes('x'), 2), 'KEY_NOT_FOUND');
      await expectCode(store.delete('/b', 2), 'KEY_NOT_FOUND');
      await store.update('/a', bytes('2'), 2);
      const mismatch = await expectCode(store.update('/a', bytes('x'), 2), 'REVISION_MISMATCH');
      expect(mismatch.current).toMatchObject({ key: '/a', createRevision: 2, modRevision: 3 });
      expect(text(mismatch.current?.value)).toBe('2');
      await expectCode(store.delete('/a', 2), 'REVISION_MISMATCH');
      await expectCode(store.update('/a', bytes('x'), 99), 'REVISION_MISMATCH');
      expect(store.revision()).toBe(3);
      await expect(store.create('', bytes('x'))).rejects.toThrow(TypeError);
    });
  });

  describe('reads in the past', () => {
    it('gets a key at each revision', async () => {
      await store.create('/a', bytes('1')); // 2
      await store.create('/b', bytes('1')); // 3
      await store.update('/a', bytes('2'), 2); // 4
      await store.delete('/a', 4); // 5
      await store.create('/a', bytes('3')); // 6
      const seen: (string | undefined)[] = [];
      for (let revision = 1; revision <= 6; revision++) seen.push(text((await store.get('/a', revision))?.value));
      expect(seen).toEqual([undefined, '1', '1', '2', undefined, '3']);
      expect(await store.get('/a', 4)).toMatchObject({ createRevision: 2, modRevision: 4 });
      await expectCode(store.get('/a', 7), 'FUTURE_REVISION');
    });

    it('lists a prefix at each revision', async () => {
      await store.create('/p/b', bytes('1')); // 2
      await store.create('/p/a', bytes('1')); // 3
      await store.create('/q/a', bytes('1')); // 4
      await store.update('/p/b', bytes('2'), 2); // 5
      await store.delete('/p/a', 3); // 6
      await store.create('/p/c', bytes('1')); // 7
      expect(await keysAt(store, '/p/', 1)).toEqual([]);
      expect(await keysAt(store, '/p/', 3)).toEqual(['/p/a=1', '/p/b=1']);
      expect(await keysAt(store, '/p/', 5)).toEqual(['/p/a=1', '/p/b=2']);
      expect(await keysAt(store, '/p/', 6)).toEqual(['/p/b=2']);
      expect(await keysAt(store, '/p/')).toEqual(['/p/b=2', '/p/c=1']);
      expect(await keysAt(store, '/')).toEqual(['/p/b=2', '/p/c=1', '/q/a=1']);
      expect((await store.list({ prefix: '/p/', revision: 3 })).revision).toBe(3);
      expect(await store.count('/p/')).toBe(2);
      await expectCode(store.list({ prefix: '/', revision: 8 }), 'FUTURE_REVISION');
    });

    it('pages at a fixed revision while the keys change', async () => {
      for (let i = 0; i < 25; i++) await store.create(`/p/${String(i).padStart(2, '0')}`, bytes('old'));
      await store.create('/pz', bytes('outside'));
      const first = await store.list({ prefix: '/p/', limit: 10 });
      expect(first).toMatchObject({ revision: 27, more: true });
      await store.delete('/p/12', 14);
      await store.update('/p/15', bytes('new'), 17);
      await store.create('/p/101', bytes('new'));
      await store.create('/p/99', bytes('new'));
      const keys = first.items.map((item) => item.key);
      let more = first.more;
      while (more) {
        const page = await store.list({
          prefix: '/p/',
          startKey: `${keys.at(-1)}\0`,
          limit: 10,
          revision: first.revision,
        });
        expect(page.revision).toBe(first.revision);
        for (const item of page.items) expect(text(item.value)).toBe('old');
        keys.push(...page.items.map((item) => item.key));
        more = page.more;
      }
      expect(keys).toEqual(Array.from({ length: 25 }, (_, i) => `/p/${String(i).padStart(2, '0')}`));
    });

    it('says exactly whether more follow', async () => {
      for (const key of ['/p/a', '/p/b', '/p/c']) await store.create(key, bytes(key));
      expect(await store.list({ prefix: '/p/', limit: 3 })).toMatchObject({ more: false });
      expect(await store.list({ prefix: '/p/', limit: 2 })).toMatchObject({ more: true });
      expect((await store.list({ prefix: '/p/', startKey: '/p/b' })).items.map((item) => item.key)).toEqual([
        '/p/b',
        '/p/c',
      ]);
    });
  });

  describe('concurrency', () => {
    it('lets exactly one of several creators win', async () => {
      const results = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => store.create('/a', bytes(`${i}`))));
      const won = results.filter((result) => result.status === 'fulfilled');
      expect(won.map((result) => result.value)).toEqual([2]);
      for (const result of results) {
        if (result.status === 'rejected') expect(isStoreError(result.reason, 'KEY_EXISTS')).toBe(true);
      }
      expect(store.revision()).toBe(2);
    });

    it('loses no increment of many compare-and-swap writers', async () => {
      await store.create('/counter', bytes('0'));
      const increment = async (): Promise<void> => {
        let current = await store.get('/counter');
        for (;;) {
          if (current === undefined) throw new Error('the counter is gone');
          try {
            await store.update('/counter', bytes(`${Number(text(current.value)) + 1}`), current.modRevision);
            return;
          } catch (error) {
            if (!isStoreError(error, 'REVISION_MISMATCH')) throw error;
            current = error.current;
          }
        }
      };
      await Promise.all(Array.from({ length: 40 }, increment));
      expect(text((await store.get('/counter'))?.value)).toBe('40');
      expect(store.revision()).toBe(42);
    });

    it('hands out each revision once', async () => {
      const writes = Array.from({ length: 500 }, (_, i) => store.create(`/${i}`, bytes('1')));
      const revisions = (await Promise.all(writes)).sort((a, b) => a - b);
      expect(revisions).toEqual(Array.from({ length: 500 }, (_, i) => i + 2));
      expect(await store.count('/')).toBe(500);
    });

    it('shows a write to the reads that follow it', async () => {
      for (let i = 0; i < 20; i++) {
        const revision = await store.create(`/${i}`, bytes('1'));
        expect(store.revision()).toBeGreaterThanOrEqual(revision);
        expect((await store.get(`/${i}`))?.modRevision).toBe(revision);
      }
    });
  });
}
