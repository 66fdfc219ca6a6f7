import { Failure } from './failure.ts';

/** A compiled regular expression. */
export interface Regex {
  /** Whether it is found anywhere in the text. */
  test(text: string): boolean;
  /** The matches from the left, at most `limit`. */
  find(text: string, limit: number): string[];
}

/** Compiles RE2 patterns, as Go has them. */
export interface RegexEngine {
  /** Throws a Failure on bad syntax. */
  compile(pattern: string): Regex;
}

/** How many patterns that are computed at run time are kept. */
const CACHE_SIZE = 256;

/** Loads the engine; its matches take linear time. */
export async function loadRegexEngine(): Promise<RegexEngine> {
  const { RE2JS } = await import('re2js');
  const cache = new Map<string, Regex>();
  return {
    compile(pattern) {
      const known = cache.get(pattern);
      if (known !== undefined) return known;
      const compiled = compileWith(() => RE2JS.compile(pattern), pattern);
      if (cache.size >= CACHE_SIZE) cache.delete(cache.keys().next().value ?? '');
      cache.set(pattern, compiled);
      return compiled;
    },
  };
}

interface Matcher {
  find(): boolean;
  group(): string | null;
}

function compileWith(compile: () => { matcher(text: string): Matcher }, pattern: string): Regex {
  let compiled: { matcher(text: string): Matcher };
  try {
    compiled = compile();
  } catch (error) {
    const reason = error instanceof Error ? error.message : pattern;
    throw new Failure(reason.startsWith('error parsing regexp') ? reason : `error parsing regexp: ${reason}`);
  }
  return {
    test: (text) => compiled.matcher(text).find(),
    find(text, limit) {
      const matcher = compiled.matcher(text);
      const found: string[] = [];
      while (found.length < limit && matcher.find()) found.push(matcher.group() ?? '');
      return found;
    },
  };
}
