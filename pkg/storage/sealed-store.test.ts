import { expect, test } from 'vitest';
import { FakeClock } from '../base/clock.ts';
import { describeStoreContract } from './conformance/store-contract.ts';
import { MemoryStore } from './memory/memory-store.ts';
import { SealedStore, type Sealer } from './sealed-store.ts';

/** Turns every byte over and puts the version in front; what has another version is stale. */
class Flip implements Sealer {
  version = 1;
  opened = 0;

  seal(_key: string, value: Uint8Array): Uint8Array {
    return Buffer.concat([Buffer.from([this.version]), value.map((byte) => byte ^ 0xff)]);
  }

  open(_key: string, value: Uint8Array): Uint8Array {
    this.opened++;
    return value.subarray(1).map((byte) => byte ^ 0xff);
  }

  covers(key: string): boolean {
    return !key.startsWith('/plain/');
  }

  isStale(_key: string, sealed: Uint8Array): boolean {
    return sealed[0] !== this.version;
  }
}

describeStoreContract('sealed', async () => {
  const clock = new FakeClock();
  const store = new SealedStore(new MemoryStore({ clock }), new Flip());
  return { store, advance: (ms) => clock.advance(ms), cleanup: () => store.close() };
});

test('values are sealed below, and known to be stale after a change', async () => {
  const inner = new MemoryStore({ clock: new FakeClock() });
  const sealer = new Flip();
  const store = new SealedStore(inner, sealer);
  await store.create('/a/x', Buffer.from('value'));
  const found = await inner.get('/a/x');
  expect(Buffer.from(found?.value ?? []).toString('latin1')).not.toContain('value');
  expect(await store.isStale('/a/x')).toBe(false);
  sealer.version = 2;
  expect(await store.isStale('/a/x')).toBe(true);
  expect(store.isStale('/plain/x')).toBeUndefined();
  await store.close();
});

test('a watcher gets the very value that was written, without opening it', async () => {
  const sealer = new Flip();
  const store = new SealedStore(new MemoryStore({ clock: new FakeClock() }), sealer);
  const stop = new AbortController();
  const batches = store.watch({ prefix: '/' }, stop.signal);
  const value = Buffer.from('value');
  await store.create('/a/x', value);
  for await (const batch of batches) {
    const [event] = batch.events;
    expect(event?.type === 'put' && event.value).toBe(value);
    break;
  }
  stop.abort();
  expect(sealer.opened).toBe(0);
  await store.close();
});
