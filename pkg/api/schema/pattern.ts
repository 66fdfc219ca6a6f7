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

/** Loads a check of patterns: what is wrong with one, as Go says it; undefined when it compiles. */
export async function loadPatternCheck(): Promise<(pattern: string) => string | undefined> {
  const { RE2JS: engine } = await import('re2js');
  const known = new Map<string, string | undefined>();
  return (pattern) => {
    if (known.has(pattern)) return known.get(pattern);
    let problem: string | undefined;
    try {
      engine.compile(pattern);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    known.set(pattern, problem);
    return problem;
  };
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

/** How long patterns are compiled before others get their turn. */
const SLICE_MS = 5;

/** Compiles the patterns of constraints, equal ones once; to be awaited before values are validated. Throws on bad syntax. */
export async function preparePatterns(all: readonly SchemaConstraints[]): Promise<void> {
  const known = new Map<string, Pattern>();
  let started = performance.now();
  for (const constraints of all) {
    const { pattern } = constraints;
    if (pattern === undefined) continue;
    let prepared = known.get(pattern);
    if (prepared === undefined) {
      prepared = await compilePattern(pattern);
      known.set(pattern, prepared);
      if (performance.now() - started > SLICE_MS) {
        await nextTurn();
        started = performance.now();
      }
    }
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
