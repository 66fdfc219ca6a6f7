import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { coverage, type Evidence } from '../conformance/coverage.ts';

const root = join(import.meta.dirname, '../..');

/** Cases of the certified suite. */
const CASES = 380;

const LITERAL = /'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`/g;
/** A string before a function: `test('title', async () =>` and `test.each(rows)('title', ({ row }) =>`. */
const TITLE = new RegExp(`(?:${LITERAL.source}),\\s*(?:async\\s*)?(?:\\(|\\w+\\s*=>)`, 'g');
const KEY = /^\s*([\w-]+|'[^'\n]+'|"[^"\n]+"):/gm;

interface Titles {
  readonly written: readonly string[];
  /** Strings and keys that a title such as `%s` may be filled with; empty where no title has such a place. */
  readonly filled: ReadonlySet<string>;
}

function titlesOf(file: string): Titles | undefined {
  const path = join(root, file);
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  if (file.endsWith('.json')) {
    const { scenarios } = JSON.parse(text) as { scenarios: readonly { name: string }[] };
    return { written: scenarios.map(({ name }) => name), filled: new Set() };
  }
  const literals = (pattern: RegExp): string[] =>
    [...text.matchAll(pattern)].map(([, single, double, template]) =>
      (single ?? double ?? template ?? '').replaceAll(/\\(.)/g, '$1'),
    );
  const written = literals(TITLE);
  const tables = written.some((title) => /%[sdi]|\$\w/.test(title));
  const keys = [...text.matchAll(KEY)].map(([, key = '']) => key.replaceAll(/^['"]|['"]$/g, ''));
  return { written, filled: new Set(tables ? [...literals(LITERAL), ...keys] : []) };
}

const files = new Map<string, Titles | undefined>();

function isThere(evidence: Evidence): boolean {
  const [file = '', part = ''] = evidence.split(' > ', 2);
  if (!files.has(file)) files.set(file, titlesOf(file));
  const titles = files.get(file);
  if (titles === undefined || part === '') return false;
  return titles.filled.has(part) || titles.written.some((title) => title.includes(part));
}

const named = coverage.flatMap(({ sig, cases }) => Object.keys(cases).map((name) => `${sig} ${name}`));

describe('the Conformance suite', () => {
  test('every case is listed, and none twice', () => {
    expect(named.filter((name, index) => named.indexOf(name) !== index)).toEqual([]);
    expect(named).toHaveLength(CASES);
  });

  test('every listed case names tests, and they exist', () => {
    const wrong = coverage.flatMap(({ cases }) =>
      Object.entries(cases).flatMap(([name, tests]) =>
        tests.length === 0 ? [`${name}: no test`] : tests.filter((evidence) => !isThere(evidence)),
      ),
    );
    expect(wrong).toEqual([]);
  });
});
