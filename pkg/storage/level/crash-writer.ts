/**
 * The process that the crash test kills: `crash-writer.ts <directory> <acknowledgements file> <round>`. It waits for a
 * byte on standard input, then writes to the store until it dies. What was acknowledged it notes in the file, one line
 * per write: `<revision> <put|delete> <key> <id>`. After the first one it writes a byte to standard output.
 */
import { openSync, readSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isStoreError, type Revision } from '../contract.ts';
import { LevelStore } from './level-store.ts';

const WRITERS = 16;
const KEYS_PER_WRITER = 8;
const SHARED_KEYS = 8;

/** The value of a put: the id, and padding whose length follows from the id. */
export function crashValue(id: number): string {
  return `${id}:${'x'.repeat((id * 7919) % (id % 50 === 0 ? 20_000 : 700))}`;
}

async function main(path: string, acknowledgements: string, round: number): Promise<void> {
  const file = openSync(acknowledgements, 'w');
  await import('level');
  readSync(0, Buffer.alloc(1));
  const store = await LevelStore.open({ path });
  const begin = store.revision();
  const known = new Map<string, Revision>();
  for (const item of (await store.list({ prefix: '/' })).items) known.set(item.key, item.modRevision);
  let id = round * 1_000_000;
  let acknowledged = 0;

  const acknowledge = (line: string): void => {
    writeSync(file, `${line}\n`);
    acknowledged++;
    if (acknowledged === 1) writeSync(1, '.');
    // Everything before this round may go.
    if (acknowledged === 100) void store.compact(begin);
  };

  const step = async (key: string): Promise<void> => {
    const expected = known.get(key);
    const own = ++id;
    if (expected !== undefined && own % 4 === 0) {
      const revision = await store.delete(key, expected);
      if (known.get(key) === expected) known.delete(key);
      acknowledge(`${revision} delete ${key} 0`);
      return;
    }
    const value = Buffer.from(crashValue(own));
    const revision = await (expected === undefined ? store.create(key, value) : store.update(key, value, expected));
    known.set(key, Math.max(revision, known.get(key) ?? 0));
    acknowledge(`${revision} put ${key} ${own}`);
  };

  const write = async (writer: number): Promise<never> => {
    for (let i = writer; ; i++) {
      const key = i % 3 === 0 ? `/shared/${i % SHARED_KEYS}` : `/own/${writer}/${i % KEYS_PER_WRITER}`;
      try {
        await step(key);
      } catch (error) {
        if (isStoreError(error, 'KEY_NOT_FOUND')) known.delete(key);
        else if (isStoreError(error) && error.current !== undefined) known.set(key, error.current.modRevision);
        else if (!isStoreError(error, 'KEY_EXISTS') && !isStoreError(error, 'REVISION_MISMATCH')) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
}

const [script = '', path = '', acknowledgements = '', round = '0'] = process.argv.slice(1);
if (import.meta.url === pathToFileURL(script).href) await main(path, acknowledgements, Number(round));
