/** A user's regular expression; it takes time linear in the text (RE2). */
export interface UserRegex {
  /** The whole match and its groups when the text begins with a match. */
  matchStart(text: string): readonly string[] | undefined;
  /** Whether the expression is found anywhere. */
  found(text: string): boolean;
}

/** Throws on bad syntax. */
export type CompileRegex = (pattern: string, options?: { readonly ignoreCase?: boolean }) => UserRegex;

/** Loads the engine, which nobody needs who has no expressions. */
export async function loadRegexCompiler(): Promise<CompileRegex> {
  const { RE2JS } = await import('re2js');
  return (pattern, { ignoreCase = false } = {}) => {
    const regex = RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
    return {
      matchStart(text) {
        const matcher = regex.matcher(text);
        if (!matcher.lookingAt()) return undefined;
        return Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? '');
      },
      found: (text) => regex.matcher(text).find(),
    };
  };
}
