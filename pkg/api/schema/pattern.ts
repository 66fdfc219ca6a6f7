import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RE2JS } from 're2js';
import type { SchemaConstraints } from '../schema.ts';

/** A user's regular expression that finds its matches in linear time. */
export interface Pattern {
  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean;
}

/** Compiles a pattern in RE2's syntax, as Go has it. The engine is loaded on first use. Throws on bad syntax. */
export async function compilePattern(pattern: string): Promise<Pattern> {
  const { RE2JS: engine } = await import('re2js');
  return new RE2Pattern(engine.compile(pattern));
}

/** Compiles patterns in the course of several turns. The result says what is wrong with one, as Go does; undefined: it compiles. */
export async function checkPatterns(patterns: ReadonlySet<string>): Promise<(pattern: string) => string | undefined> {
  const { RE2JS: engine } = await import('re2js');
  const problems = new Map<string, string>();
  for await (const pattern of inSlices(patterns)) {
    try {
      engine.compile(pattern);
    } catch (error) {
      problems.set(pattern, error instanceof Error ? error.message : String(error));
    }
  }
  return (pattern) => problems.get(pattern);
}

/** How long patterns are compiled before others get their turn. */
const SLICE_MS = 5;

async function* inSlices<T>(items: Iterable<T>): AsyncGenerator<T> {
  let started = performance.now();
  for (const item of items) {
    yield item;
    if (performance.now() - started < SLICE_MS) continue;
    await nextTurn();
    started = performance.now();
  }
}

class RE2Pattern implements Pattern {
  readonly #regex: RE2JS;

  constructor(regex: RE2JS) {
    this.#regex = regex;
  }

  test(text: string): boolean {
    return this.#regex.matcher(text).find();
  }
}

/** The patterns of schemas, compiled when the schema was made. */
const compiled = new WeakMap<SchemaConstraints, Pattern>();

/** Compiles the patterns of constraints, equal ones once; to be awaited before values are validated. Throws on bad syntax. */
export async function preparePatterns(all: readonly SchemaConstraints[]): Promise<void> {
  const known = new Map<string, Pattern>();
  for await (const constraints of inSlices(all)) {
    const { pattern } = constraints;
    if (pattern === undefined) continue;
    const prepared = known.get(pattern) ?? (await compilePattern(pattern));
    known.set(pattern, prepared);
    compiled.set(constraints, prepared);
  }
}

/** The compiled pattern of constraints; undefined when they have none. Throws when it has not been prepared. */
export function patternOf(constraints: SchemaConstraints): Pattern | undefined {
  if (constraints.pattern === undefined) return undefined;
  const pattern = compiled.get(constraints);
  if (pattern === undefined) throw new Error(`pattern ${constraints.pattern} has not been compiled`);
  return pattern;
}
