import { beforeEach, describe, expect, it } from 'vitest';
import type { Store, StoreEvent } from '../contract.ts';
import { brief, bytes, collect, take } from './expectations.ts';
import type { StoreUnderTest } from './store-contract.ts';

/** Watches deliver every event of their prefix once and in order. */
export function describeWatches(subject: () => StoreUnderTest): void {
  let store: Store;

  beforeEach(() => {
    store = subject().store;
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
}
