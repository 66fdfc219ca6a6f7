import { type Library, overload } from '../declarations.ts';
import type { RegexEngine } from '../regex.ts';
import { ArrayList } from '../values.ts';

/** `find` and `findAll`. */
export function regexLibrary(regex: RegexEngine): Library {
  const findAll = (text: string, pattern: string, limit: number): ArrayList =>
    new ArrayList(regex.compile(pattern).find(text, limit));
  return {
    name: 'kubernetes.regex',
    overloads: [
      overload(
        'string_find_string',
        'string#find(string) string',
        (text: string, pattern: string) => regex.compile(pattern).find(text, 1)[0] ?? '',
      ),
      overload('string_find_all_string', 'string#findAll(string) list<string>', (text: string, pattern: string) =>
        findAll(text, pattern, Number.POSITIVE_INFINITY),
      ),
      overload(
        'string_find_all_string_int',
        'string#findAll(string, int) list<string>',
        (text: string, pattern: string, limit: bigint) =>
          findAll(text, pattern, limit < 0n ? Number.POSITIVE_INFINITY : Number(limit)),
      ),
    ],
  };
}
