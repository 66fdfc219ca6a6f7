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
  return (pattern) => {
    try {
      engine.compile(pattern);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
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

/** Compiles the pattern of constraints; to be awaited before values are validated. */
export async function preparePattern(constraints: SchemaConstraints): Promise<void> {
  if (constraints.pattern !== undefined) compiled.set(constraints, await compilePattern(constraints.pattern));
}

/** The compiled pattern of constraints; undefined when they have none. Throws when it has not been prepared. */
export function patternOf(constraints: SchemaConstraints): Pattern | undefined {
  if (constraints.pattern === undefined) return undefined;
  const pattern = compiled.get(constraints);
  if (pattern === undefined) throw new Error(`pattern ${constraints.pattern} has not been compiled`);
  return pattern;
}
