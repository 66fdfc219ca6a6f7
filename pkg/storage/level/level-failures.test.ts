import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { isStoreError, type StoreErrorCode } from '../contract.ts';
import type { Database, LevelClass, Space } from './disk.ts';
import { LevelStore, type LevelStoreDeps, type LevelStoreOptions } from './level-store.ts';

const MIB = 1 << 20;
const DISK = { interval: 1 };
const bytes = (text: string): Uint8Array => Buffer.from(text);

let path = '';
let clock = new FakeClock();
const stores: LevelStore[] = [];
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'kube-lite-store-'));
  clock = new FakeClock();
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await rm(path, { recursive: true });
});

async function open(deps: LevelStoreDeps = {}, options: Partial<LevelStoreOptions> = {}): Promise<LevelStore> {
  const store = await LevelStore.open({ path, ...options }, { clock, ...deps });
  stores.push(store);
  return store;
}

async function expectCode(promise: Promise<unknown>, code: StoreErrorCode): Promise<void> {
  await expect(promise).rejects.toSatisfy((error) => isStoreError(error, code));
}

describe('failing disk', () => {
  /** LevelDB on a disk that fills up: synced batches fail, before or after they reached the log. */
  function failingLevel(): { state: { failing: 'no' | 'before' | 'after'; opened: number }; deps: LevelStoreDeps } {
    const state: { failing: 'no' | 'before' | 'after'; opened: number } = { failing: 'no', opened: 0 };
    class FailingLevel extends Level<string, Uint8Array> {
      override async open(): Promise<void> {
        state.opened++;
        await super.open();
      }
      override batch(...args: unknown[]): never {
        const write = super.batch as (...args: unknown[]) => unknown;
        if (args.length > 0) return this.#write(() => write.apply(this, args) as Promise<void>) as never;
        const chained = write.apply(this) as { write(options: unknown): Promise<void> };
        const writeChained = chained.write.bind(chained);
        chained.write = (options) => this.#write(() => writeChained(options));
        return chained as never;
      }
      async #write(write: () => Promise<void>): Promise<void> {
        if (state.failing === 'no') return write();
        if (state.failing === 'after') await write();
        throw new Error('IO error: 000005.log: No space left on device');
      }
    }
    return { state, deps: { loadLevel: async () => FailingLevel as unknown as LevelClass } };
  }

  it.each(['before', 'after'] as const)('takes back what failed %s it reached the log', async (failing) => {
    const { state, deps } = failingLevel();
    let store = await open(deps);
    await store.create('/a', bytes('1'), { ttlMs: 60_000 });
    state.failing = failing;
    await Promise.all([
      expectCode(store.update('/a', bytes('2'), 2), 'NO_SPACE'),
      expectCode(store.create('/b', bytes('1')), 'NO_SPACE'),
      expectCode(store.delete('/a', 3), 'NO_SPACE'),
    ]);
    expect(store.revision()).toBe(2);
    expect(Buffer.from((await store.get('/a'))?.value ?? []).toString()).toBe('1');
    await expectCode(store.create('/c', bytes('1')), 'NO_SPACE');
    state.failing = 'no';
    expect(await store.create('/d', bytes('1'))).toBe(3);
    expect(state.opened).toBeGreaterThan(1);
    await store.close();
    store = await open();
    expect(store.revision()).toBe(3);
    const { items } = await store.list({ prefix: '/' });
    expect(items.map((item) => [item.key, item.modRevision])).toEqual([
      ['/a', 2],
      ['/d', 3],
    ]);
    await clock.advance(61_000);
    const abort = new AbortController();
    for await (const batch of store.watch({ prefix: '/a', fromRevision: 4 }, abort.signal)) {
      expect(batch.events).toMatchObject([{ type: 'delete', key: '/a' }]);
      abort.abort();
    }
  });

  it('refuses new data before the disk is full, but lets deletions through', async () => {
    let space: Space = { freeBytes: 100 * MIB, totalBytes: 1000 * MIB };
    const store = await open({ space: async () => space });
    await store.create('/a', bytes('1'));
    space = { ...space, freeBytes: 10 * MIB };
    await store.create('/large', new Uint8Array(2 * MIB));
    await expectCode(store.create('/b', bytes('1')), 'NO_SPACE');
    await expectCode(store.update('/a', bytes('2'), 2), 'NO_SPACE');
    expect(await store.delete('/large', 3)).toBe(4);
    space = { ...space, freeBytes: 20 * MIB };
    expect(await store.create('/b', bytes('1'))).toBe(5);
  });
});

describe('opening', () => {
  it('refuses a directory that is in use', async () => {
    const store = await open();
    await expect(LevelStore.open({ path })).rejects.toThrow(/used by another running process/);
    await expectCode(LevelStore.open({ path }), 'LOCKED');
    expect(await store.create('/a', bytes('1'))).toBe(2);
  });

  it('refuses what it cannot read', async () => {
    const store = await open();
    await store.create('/a', bytes('1'));
    await store.close();
    await writeFile(join(path, 'CURRENT'), 'MANIFEST-999999\n');
    await expect(LevelStore.open({ path })).rejects.toSatisfy(isStoreError);
    await writeFile(join(path, 'CURRENT'), 'nonsense');
    await expectCode(LevelStore.open({ path }), 'CORRUPT');
  });

  it.each([
    ['another database', { x: 'y' }],
    ['another format', { f: 'kube-lite store 99' }],
    ['no compaction record', { f: 'kube-lite store 1' }],
    ['a damaged index', { f: 'kube-lite store 1', c: '\0\0\0\0\0\x01\0\0\0\0\0\x01', 'i/a': 'short' }],
  ])('refuses a directory with %s', async (_, records) => {
    const db = new Level<string, Uint8Array>(path, { valueEncoding: 'view' }) as Database;
    for (const [key, value] of Object.entries(records)) await db.put(key, bytes(value));
    await db.close();
    await expectCode(LevelStore.open({ path }), 'CORRUPT');
  });
});

describe('retention', () => {
  const HOUR_MS = 3_600_000;

  /** Waits for a compaction in the background. */
  async function compactedTo(store: LevelStore, revision: number): Promise<void> {
    // The work between the timers is on a real disk.
    await expect.poll(() => clock.advance(0).then(() => store.compactRevision()), DISK).toBe(revision);
  }

  it('drops history by age, also after opening again, and keeps no timer without history', async () => {
    let store = await open({}, { retentionMs: HOUR_MS });
    expect(clock.pending).toBe(0);
    await store.create('/a', bytes('1')); // 2
    await clock.advance(HOUR_MS / 2);
    await store.update('/a', bytes('2'), 2); // 3
    await clock.advance(HOUR_MS / 4);
    await store.close();
    store = await open({}, { retentionMs: HOUR_MS });
    expect(clock.pending).toBe(1);
    expect(store.compactRevision()).toBe(1);
    await store.update('/a', bytes('3'), 3); // 4
    await clock.advance(HOUR_MS / 4);
    expect(store.compactRevision()).toBe(1);
    await clock.advance(HOUR_MS / 2);
    await compactedTo(store, 3);
    await clock.advance(2 * HOUR_MS);
    await compactedTo(store, 4);
    await clock.advance(0);
    expect(Buffer.from((await store.get('/a'))?.value ?? []).toString()).toBe('3');
    await store.close();
    expect(clock.pending).toBe(0);
    store = await open({}, { retentionMs: HOUR_MS });
    expect(clock.pending).toBe(0);
    expect(store.compactRevision()).toBe(4);
  });

  it('drops history by size', async () => {
    const store = await open({}, { retentionBytes: 32 * 1024 });
    await store.create('/a', new Uint8Array(1024));
    for (let revision = 2; revision < 100; revision++) await store.update('/a', new Uint8Array(1024), revision);
    await expect.poll(() => clock.advance(0).then(() => store.compactRevision()), DISK).toBeGreaterThan(60);
    expect(store.compactRevision()).toBeLessThan(80);
    expect((await store.get('/a'))?.modRevision).toBe(100);
  });
});
