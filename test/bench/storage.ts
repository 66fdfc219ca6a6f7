/**
 * Store benchmark: `scripts/node test/bench/storage.ts [objects]`. Prints durable puts per second by concurrency, beside
 * a naive store that syncs each put by itself in the same run, then list throughput and opening time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { LevelStore } from '../../pkg/storage/index.ts';

const VALUE = Buffer.alloc(1024, 'kube-lite ');
const SECONDS = 2;

type Put = (key: string) => Promise<unknown>;

/** Puts per second with so many writers at once. */
async function putRate(put: Put, concurrency: number): Promise<number> {
  let done = 0;
  const begin = performance.now();
  const end = begin + SECONDS * 1000;
  await Promise.all(
    Array.from({ length: concurrency }, async (_, writer) => {
      for (let i = 0; performance.now() < end; i++) {
        await put(`/registry/bench/${concurrency}/${writer}/${i}`);
        done++;
      }
    }),
  );
  return (done * 1000) / (performance.now() - begin);
}

/** One synced write after another, as a store without group commit does it. */
function naive(db: Level<string, Uint8Array>): Put {
  let tail: Promise<unknown> = Promise.resolve();
  return (key) => {
    tail = tail.then(() => db.put(key, VALUE, { sync: true } as object));
    return tail;
  };
}

/** After a collection (run with --expose-gc), so that the difference of two means something. */
function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const number = (value: number): string => Math.round(value).toLocaleString('en-US').padStart(12);

async function main(objects: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'kube-lite-bench-'));
  try {
    const path = join(directory, 'store');
    const store = await LevelStore.open({ path });
    const db = new Level<string, Uint8Array>(join(directory, 'naive'), { valueEncoding: 'view' });
    await db.open();
    console.log('durable puts of 1 KiB     store/s     naive/s   ratio');
    for (const concurrency of [1, 32, 256]) {
      const grouped = await putRate((key) => store.create(key, VALUE), concurrency);
      const single = await putRate(naive(db), concurrency);
      console.log(
        `  ${String(concurrency).padStart(4)} at once    ${number(grouped)}${number(single)}   ${(grouped / single).toFixed(1)}x`,
      );
    }
    await db.close();
    await store.close();
    await readRates(join(directory, 'objects'), objects);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function readRates(path: string, objects: number): Promise<void> {
  const store = await LevelStore.open({ path });
  const key = (i: number): string => `/registry/pods/default/pod-${String(i).padStart(7, '0')}`;
  for (let from = 0; from < objects; from += 1000) {
    await Promise.all(
      Array.from({ length: Math.min(1000, objects - from) }, (_, i) => store.create(key(from + i), VALUE)),
    );
  }
  await store.close();

  const heapBefore = heapBytes();
  let begin = performance.now();
  const again = await LevelStore.open({ path });
  const openMs = performance.now() - begin;
  const keyBytes = Math.round((heapBytes() - heapBefore) / objects);
  begin = performance.now();
  const { items } = await again.list({ prefix: '/registry/pods/' });
  const listMs = performance.now() - begin;
  const old = again.revision() - 500;
  begin = performance.now();
  await again.list({ prefix: '/registry/pods/', revision: old, limit: 500 });
  const pageMs = performance.now() - begin;
  begin = performance.now();
  const gets = 5000;
  for (let i = 0; i < gets; i++) await again.get(key((i * 7919) % objects));
  const getMs = performance.now() - begin;
  begin = performance.now();
  const abort = new AbortController();
  for await (const batch of again.watch({ prefix: '/', fromRevision: 1 }, abort.signal)) {
    if (batch.revision === again.revision()) abort.abort();
  }
  const watchMs = performance.now() - begin;
  console.log(`with ${objects} objects of 1 KiB`);
  console.log(`  open               ${openMs.toFixed(1).padStart(9)} ms, ${keyBytes} heap bytes/key`);
  console.log(`  list               ${number((items.length * 1000) / listMs)} objects/s (${listMs.toFixed(1)} ms)`);
  console.log(`  page of 500, old   ${pageMs.toFixed(1).padStart(9)} ms`);
  console.log(`  get                ${number((gets * 1000) / getMs)} /s, one at a time`);
  console.log(`  watch from start   ${number((objects * 1000) / watchMs)} events/s`);
  await again.close();
}

await main(Number(process.argv[2] ?? 10_000));
