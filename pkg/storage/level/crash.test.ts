import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Revision, StoreEvent } from '../contract.ts';
import { crashValue } from './crash-writer.ts';
import { LevelStore } from './level-store.ts';

const ROUNDS = 200;
const SCRIPT = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));

interface Writer {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly acknowledgements: string;
}

let directory = '';
const children = new Set<ChildProcess>();
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kube-lite-crash-'));
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(directory, { recursive: true });
});

const storePath = (): string => join(directory, 'store');

function startWriter(round: number): Writer {
  const acknowledgements = join(directory, `acknowledged-${round}`);
  const child = spawn(process.execPath, [SCRIPT, storePath(), acknowledgements, String(round)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.add(child);
  child.stdin?.on('error', () => undefined);
  const exited = once(child, 'exit').finally(() => children.delete(child));
  return { child, exited, acknowledgements };
}

/** Lets the writer write for a while and kills it; the acknowledged writes by revision. */
async function runAndKill(writer: Writer, round: number): Promise<Map<Revision, string>> {
  const { child, exited, acknowledgements } = writer;
  const first = new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
  child.stdin?.write('!');
  // Some are killed while they open the store.
  if (round % 10 !== 9) await Promise.race([first, exited]);
  await sleep((round * 13) % 37);
  child.kill('SIGKILL');
  await exited;
  expect(child.signalCode).toBe('SIGKILL');
  const acknowledged = new Map<Revision, string>();
  if (!existsSync(acknowledgements)) return acknowledged;
  for (const line of (await readFile(acknowledgements, 'utf8')).split('\n').slice(0, -1)) {
    const [revision = '', ...rest] = line.split(' ');
    expect(acknowledged.has(Number(revision))).toBe(false);
    acknowledged.set(Number(revision), rest.join(' '));
  }
  await rm(acknowledgements);
  return acknowledged;
}

async function watchFrom(store: LevelStore, fromRevision: Revision): Promise<StoreEvent[]> {
  const events: StoreEvent[] = [];
  const abort = new AbortController();
  const last = store.revision();
  if (fromRevision > last) return events;
  for await (const batch of store.watch({ prefix: '/', fromRevision, withProgress: true }, abort.signal)) {
    events.push(...batch.events);
    if (batch.revision >= last) abort.abort();
  }
  return events;
}

/** As the writer notes it. */
function note(event: StoreEvent): string {
  if (event.type === 'delete') return `delete ${event.key} 0`;
  const value = Buffer.from(event.value).toString();
  const id = Number.parseInt(value, 10);
  if (value !== crashValue(id)) return `a torn value of ${event.key}`;
  return `put ${event.key} ${id}`;
}

it(`keeps every acknowledged write over ${ROUNDS} rounds of kill -9`, { timeout: 600_000 }, async () => {
  const state = new Map<string, string>();
  let lastRevision: Revision = 1;
  let total = 0;
  let next = startWriter(0);
  for (let round = 0; round < ROUNDS; round++) {
    const writer = next;
    if (round + 1 < ROUNDS) next = startWriter(round + 1);
    const acknowledged = await runAndKill(writer, round);
    total += acknowledged.size;
    const before = [...state.values()].sort();

    const store = await LevelStore.open({ path: storePath() });
    // Nothing seen before is lost, and no acknowledged revision was one that had been seen before.
    expect(store.revision()).toBeGreaterThanOrEqual(lastRevision);
    const events = await watchFrom(store, lastRevision + 1);
    expect(events.map((event) => event.revision)).toEqual(
      Array.from({ length: store.revision() - lastRevision }, (_, i) => lastRevision + 1 + i),
    );
    const found = new Map(events.map((event) => [event.revision, note(event)]));
    for (const [revision, write] of acknowledged) expect(found.get(revision)).toBe(write);

    const resumed = [...acknowledged.keys()][Math.floor(acknowledged.size / 2)];
    if (resumed !== undefined) {
      const missed = (await watchFrom(store, resumed)).map(note);
      expect(missed).toEqual(events.slice(resumed - lastRevision - 1).map(note));
    }
    const listed = async (revision: Revision): Promise<string[]> => {
      const { items } = await store.list({ prefix: '/', revision });
      const puts = items.map((item) => note({ ...item, type: 'put', revision: item.modRevision }));
      return puts.sort();
    };
    if (store.compactRevision() <= lastRevision) expect(await listed(lastRevision)).toEqual(before);
    for (const event of events) {
      if (event.type === 'put') state.set(event.key, note(event));
      else state.delete(event.key);
    }
    lastRevision = store.revision();
    expect(await listed(lastRevision)).toEqual([...state.values()].sort());
    await store.close();
  }
  expect(total).toBeGreaterThan(ROUNDS * 10);
});
