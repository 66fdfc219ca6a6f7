import { appendFileSync } from 'node:fs';
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LogOptions, type LogSource, readLogs } from './read-logs.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'read-logs-'));
});
afterEach(() => rm(dir, { recursive: true }));

const line = (second: number, text: string, stream = 'stdout', tag = 'F'): string =>
  `2026-01-01T00:00:0${second}.5Z ${stream} ${tag} ${text}\n`;
const LOG =
  line(1, 'one') + line(2, 'err', 'stderr') + line(3, 'par', 'stdout', 'P') + line(3, 'tial') + line(4, 'four');

async function read(options: LogOptions, source: Partial<LogSource> = {}): Promise<string> {
  const path = join(dir, '0.log');
  await writeFile(path, LOG);
  let text = '';
  const full = { path, running: () => false, ended: () => new Promise<void>(() => {}), ...source };
  for await (const chunk of readLogs(full, options, new AbortController().signal)) text += chunk;
  return text;
}

test.each<[LogOptions, string]>([
  [{}, 'one\nerr\npartial\nfour\n'],
  [{ tailLines: 1 }, 'four\n'],
  [{ tailLines: 0 }, ''],
  [{ tailLines: 99 }, 'one\nerr\npartial\nfour\n'],
  [{ limitBytes: 5 }, 'one\ne'],
  [{ sinceMs: Date.UTC(2026, 0, 1, 0, 0, 4) }, 'four\n'],
  [{ tailLines: 1, timestamps: true }, '2026-01-01T00:00:04.5Z four\n'],
  [{ stream: 'Stderr' }, 'err\n'],
])('%j', async (options, expected) => {
  expect(await read(options)).toBe(expected);
});

test('follows what is appended, through a rotation, until the container ends', async () => {
  const path = join(dir, '0.log');
  let running = true;
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  await writeFile(path, LOG);
  const source = { path, running: () => running, ended: () => ended };
  const seen: string[] = [];
  for await (const chunk of readLogs(source, { follow: true, tailLines: 1 }, new AbortController().signal)) {
    seen.push(String(chunk));
    if (seen.length === 1) await appendFile(path, line(5, 'five'));
    if (seen.length === 2) {
      await rename(path, `${path}.old`);
      await writeFile(path, line(6, 'six'));
    }
    if (seen.length === 3) {
      running = false;
      end();
    }
  }
  expect(seen).toEqual(['four\n', 'five\n', 'six\n']);
});

test('the last lines are as many as asked for, whatever is written meanwhile', async () => {
  const path = join(dir, '0.log');
  const source = {
    running: () => {
      appendFileSync(path, line(5, 'late'));
      return true;
    },
  };
  expect(await read({ tailLines: 2 }, source)).toBe('tial\nfour\n');
});

test('following leaves nothing that watches', async () => {
  const watchers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length;
  const before = watchers();
  expect(await read({ follow: true })).toContain('four');
  expect(watchers()).toBe(before);
});
