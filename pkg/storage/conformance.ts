import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  isStoreError,
  type Store,
  StoreError,
  type StoreErrorCode,
  type StoreEvent,
  type WatchOptions,
} from './contract.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens it again on the same data; absent where nothing outlives the store. */
  readonly reopen?: () => Promise<Store>;
  /** Lets `ms` pass for the store. */
  readonly advance: (ms: number) => Promise<void>;
  readonly cleanup: () => Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);

async function failure(promise: Promise<unknown>): Promise<StoreError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

async function expectCode(promise: Promise<unknown>, code: StoreErrorCode): Promise<StoreError> {
  const error = await failure(promise);
  expect(error.code).toBe(code);
  return error;
}

/** `revision:type:key=value<previous`, for short expectations. */
function brief(event: StoreEvent): string {
  const before = event.previous === undefined ? '' : `<${text(event.previous.value)}`;
  return event.type === 'put'
    ? `${event.revision}:put:${event.key}=${text(event.value)}${before}`
    : `${event.revision}:delete:${event.key}${before}`;
}

/** Watches until `count` events are there. */
async function take(store: Store, options: WatchOptions, count: number): Promise<StoreEvent[]> {
  const abort = new AbortController();
  return collect(store.watch(options, abort.signal), count, abort);
}

async function collect(
  watch: ReturnType<Store['watch']>,
  count: number,
  abort: AbortController,
): Promise<StoreEvent[]> {
  const events: StoreEvent[] = [];
  for await (const batch of watch) {
    events.push(...batch.events);
    const last = batch.events.at(-1);
    if (last !== undefined) expect(batch.revision).toBeGreaterThanOrEqual(last.revision);
    if (events.length >= count) abort.abort();
  }
  return events;
}

/** The suite that every backend of the store contract passes. */
export function describeStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name}: store contract`, () => {
    let subject: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });
    afterEach(() => subject.cleanup());

    const keysAt = async (prefix: string, revision?: number): Promise<string[]> =>
      (await store.list({ prefix, ...(revision !== undefined && { revision }) })).items.map(
        (item) => `${item.key}=${text(item.value)}`,
      );

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
        expect(await keysAt('/p/', 1)).toEqual([]);
        expect(await keysAt('/p/', 3)).toEqual(['/p/a=1', '/p/b=1']);
        expect(await keysAt('/p/', 5)).toEqual(['/p/a=1', '/p/b=2']);
        expect(await keysAt('/p/', 6)).toEqual(['/p/b=2']);
        expect(await keysAt('/p/')).toEqual(['/p/b=2', '/p/c=1']);
        expect(await keysAt('/')).toEqual(['/p/b=2', '/p/c=1', '/q/a=1']);
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

    describe('watch', () => {
      it('delivers history, then what happens live, without gap or duplicate', async () => {
        await store.create('/a', bytes('1')); // 2
        await store.update('/a', bytes('2'), 2); // 3
        const abort = new AbortController();
        const watched = collect(store.watch({ prefix: '/', fromRevision: 2 }, abort.signal), 5, abort);
        await store.create('/b', bytes('1')); // 4
        await store.delete('/a', 3); // 5
        await store.create('/a', bytes('3')); // 6
        expect((await watched).map((event) => brief({ ...event, previous: undefined } as StoreEvent))).toEqual([
          '2:put:/a=1',
          '3:put:/a=2',
          '4:put:/b=1',
          '5:delete:/a',
          '6:put:/a=3',
        ]);
      });

      it('delivers everything exactly once while writers are busy', async () => {
        const writers = Array.from({ length: 8 }, async (_, writer) => {
          for (let i = 0; i < 25; i++) await store.create(`/w${writer}/${i}`, bytes(`${i}`));
        });
        const watches: Promise<StoreEvent[]>[] = [];
        for (let i = 0; i < 5; i++) {
          watches.push(take(store, { prefix: '/', fromRevision: 2 }, 200));
          await store.get('/');
        }
        await Promise.all(writers);
        const revisions = Array.from({ length: 200 }, (_, i) => i + 2);
        for (const watch of watches) expect((await watch).map((event) => event.revision)).toEqual(revisions);
      });

      it('resumes from any retained revision', async () => {
        for (let i = 0; i < 10; i++) await store.create(`/${i}`, bytes(`${i}`));
        for (let from = 1; from <= 11; from++) {
          const events = await take(store, { prefix: '/', fromRevision: from }, 12 - Math.max(from, 2));
          expect(events[0]?.revision).toBe(Math.max(from, 2));
          expect(events.at(-1)?.revision).toBe(11);
        }
      });

      it('begins with what comes after the call by default', async () => {
        await store.create('/a', bytes('1'));
        const abort = new AbortController();
        const watch = store.watch({ prefix: '/' }, abort.signal);
        await store.create('/b', bytes('1'));
        expect((await collect(watch, 1, abort)).map((event) => event.key)).toEqual(['/b']);
      });

      it('can begin in the future', async () => {
        const abort = new AbortController();
        const watch = store.watch({ prefix: '/', fromRevision: 4 }, abort.signal);
        for (const key of ['/a', '/b', '/c']) await store.create(key, bytes('1'));
        expect((await collect(watch, 1, abort)).map((event) => event.revision)).toEqual([4]);
      });

      it('is confined to its prefix', async () => {
        const abort = new AbortController();
        const live = store.watch({ prefix: '/p/' }, abort.signal);
        for (const key of ['/p', '/p/a', '/pa', '/q/b', '/p/b']) await store.create(key, bytes('1'));
        expect((await collect(live, 2, abort)).map((event) => event.key)).toEqual(['/p/a', '/p/b']);
        const past = await take(store, { prefix: '/p/', fromRevision: 2 }, 2);
        expect(past.map((event) => event.key)).toEqual(['/p/a', '/p/b']);
      });

      it('gives the previous values, in history and live', async () => {
        const abort = new AbortController();
        const watch = store.watch({ prefix: '/', withPrevious: true }, abort.signal);
        await store.create('/a', bytes('1')); // 2
        await Promise.all([store.update('/a', bytes('2'), 2), store.create('/b', bytes('1'))]); // 3, 4
        await store.delete('/a', 3); // 5
        await store.create('/a', bytes('3')); // 6
        const expected = ['2:put:/a=1', '3:put:/a=2<1', '4:put:/b=1', '5:delete:/a<2', '6:put:/a=3'];
        const live = await collect(watch, 5, abort);
        expect(live.map(brief)).toEqual(expected);
        expect(live[3]?.previous).toMatchObject({ createRevision: 2, modRevision: 3 });
        const past = await take(store, { prefix: '/', fromRevision: 2, withPrevious: true }, 5);
        expect(past.map(brief)).toEqual(expected);
        expect(past[3]?.previous).toMatchObject({ createRevision: 2, modRevision: 3 });
      });

      it('reports progress when asked to', async () => {
        await store.create('/q/a', bytes('1'));
        const abort = new AbortController();
        const revisions: number[] = [];
        const watch = store.watch({ prefix: '/p/', fromRevision: 1, withProgress: true }, abort.signal);
        await store.create('/q/b', bytes('1'));
        for await (const batch of watch) {
          expect(batch.events).toEqual([]);
          revisions.push(batch.revision);
          if (batch.revision === 3) abort.abort();
        }
        expect(revisions.at(-1)).toBe(3);
      });

      it('ends when its signal aborts, also while it waits', async () => {
        const abort = new AbortController();
        const watched = collect(store.watch({ prefix: '/' }, abort.signal), 1, abort);
        await store.get('/a');
        abort.abort();
        expect(await watched).toEqual([]);
        expect(await collect(store.watch({ prefix: '/' }, abort.signal), 1, abort)).toEqual([]);
      });

      it('catches up from history when its consumer is slow', async () => {
        const abort = new AbortController();
        const watch = store.watch({ prefix: '/' }, abort.signal);
        const count = 20_000;
        let revision = 1;
        for (let done = 0; done < count; done += 1000) {
          const writes = Array.from({ length: 1000 }, (_, i) => store.create(`/${done + i}`, bytes('1')));
          revision = Math.max(...(await Promise.all(writes)));
        }
        expect(revision).toBe(count + 1);
        const events = await collect(watch, count, abort);
        expect(events.map((event) => event.revision)).toEqual(Array.from({ length: count }, (_, i) => i + 2));
      });
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
        expect(await keysAt('/', 5)).toEqual(['/a=2']);
        expect(await keysAt('/')).toEqual(['/a=3']);
        const events = await take(store, { prefix: '/', fromRevision: 5, withPrevious: true }, 2);
        expect(events.map(brief)).toEqual(['5:delete:/b<1', '6:put:/a=3<2']);
        await store.compact(3);
        expect(store.compactRevision()).toBe(5);
        await store.compact(6);
        expect(await keysAt('/')).toEqual(['/a=3']);
        await expectCode(store.compact(7), 'FUTURE_REVISION');
        expect(await store.create('/b', bytes('2'))).toBe(7);
        expect(await keysAt('/', 6)).toEqual(['/a=3']);
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
        await subject.advance(1500);
        const events = await collect(watch, 4, abort);
        expect(events[3]).toMatchObject({ type: 'delete', key: '/short', revision: 5 });
        expect(await keysAt('/')).toEqual(['/ever=1', '/long=1']);
      });

      it('is set anew by each write', async () => {
        await store.create('/longer', bytes('1'), { ttlMs: 1000 });
        await store.create('/ever', bytes('1'), { ttlMs: 1000 });
        await store.create('/gone', bytes('1'));
        await store.update('/longer', bytes('2'), 2, { ttlMs: 10_000 });
        await store.update('/ever', bytes('2'), 3);
        await store.update('/gone', bytes('2'), 4, { ttlMs: 500 });
        const gone = take(store, { prefix: '/gone', fromRevision: 8 }, 1);
        await subject.advance(2000);
        expect(await gone).toHaveLength(1);
        expect(await keysAt('/')).toEqual(['/ever=2', '/longer=2']);
        const longer = take(store, { prefix: '/longer', fromRevision: 9 }, 1);
        await subject.advance(10_000);
        expect(await longer).toMatchObject([{ type: 'delete', revision: 9 }]);
      });
    });

    describe('concurrency', () => {
      it('lets exactly one of several creators win', async () => {
        const results = await Promise.allSettled(
          Array.from({ length: 50 }, (_, i) => store.create('/a', bytes(`${i}`))),
        );
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
        if (subject.reopen === undefined) return skip('nothing outlives this store');
        await store.create('/a', bytes('1')); // 2
        await store.create('/b', bytes('1'), { ttlMs: 5000 }); // 3
        await store.update('/a', bytes('2'), 2); // 4
        await store.create('/c', bytes('1')); // 5
        await store.delete('/c', 5); // 6
        await store.compact(3);
        store = await subject.reopen();
        expect(store.revision()).toBe(6);
        expect(store.compactRevision()).toBe(3);
        expect(await keysAt('/')).toEqual(['/a=2', '/b=1']);
        expect(await keysAt('/', 3)).toEqual(['/a=1', '/b=1']);
        expect(await store.get('/a')).toMatchObject({ createRevision: 2, modRevision: 4 });
        await expectCode(store.get('/a', 2), 'COMPACTED');
        const events = await take(store, { prefix: '/', fromRevision: 3, withPrevious: true }, 4);
        expect(events.map(brief)).toEqual(['3:put:/b=1', '4:put:/a=2<1', '5:put:/c=1', '6:delete:/c<1']);
        const gone = take(store, { prefix: '/b', fromRevision: 7 }, 1);
        await subject.advance(6000);
        expect(await gone).toMatchObject([{ type: 'delete', key: '/b', revision: 7 }]);
        expect(await store.create('/c', bytes('2'))).toBe(8);
      });

      it('does not give out the revision of a deleted key again', async ({ skip }) => {
        if (subject.reopen === undefined) return skip('nothing outlives this store');
        await store.create('/a', bytes('1'));
        await store.delete('/a', 2);
        await store.compact(3);
        store = await subject.reopen();
        expect(store.revision()).toBe(3);
        expect(await store.create('/a', bytes('1'))).toBe(4);
      });
    });
  });
}
