import { type Library, overload } from '../declarations.ts';

/** `jsonpatch.escapeKey('a/b')` for a path of a JSON patch (RFC 6901). */
export function jsonPatchLibrary(): Library {
  return {
    name: 'kubernetes.jsonpatch',
    overloads: [
      overload('string_jsonpatch_escapeKey_string', 'jsonpatch.escapeKey(string) string', (key: string) =>
        key.replaceAll('~', '~0').replaceAll('/', '~1'),
      ),
    ],
  };
}
