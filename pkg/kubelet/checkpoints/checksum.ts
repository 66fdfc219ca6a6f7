/**
 * A value as Go prints it with its types, which upstream's checkpoints are hashed as. `struct` has its fields in Go's order; a
 * `map` is sorted by key; `pointer` is one inside of a map.
 */
export type GoValue =
  | { readonly type: string; readonly scalar: string | number }
  | { readonly type: string; readonly struct: readonly (readonly [name: string, value: GoValue])[] }
  | { readonly type: string; readonly map: readonly (readonly [key: string | number, value: GoValue])[] }
  | { readonly type: string; readonly list: readonly GoValue[] }
  | { readonly type: string; readonly pointer: GoValue };

/** The checksum of upstream's checkpoints: FNV-1a (32 bits) of what `%#v` of the spew library prints of the object. */
export function checksum(object: GoValue): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`(*${object.type})${printValue(object)}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

/** Without its type: what a list or map holds is not typed again. */
function printValue(value: GoValue): string {
  if ('scalar' in value) return String(value.scalar);
  if ('struct' in value) {
    return `{${value.struct.map(([name, field]) => `${name}:(${field.type})${printValue(field)}`).join(' ')}}`;
  }
  if ('list' in value) return `[${value.list.map(printValue).join(' ')}]`;
  if ('pointer' in value) return `<*>${printValue(value.pointer)}`;
  const entries = [...value.map].sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, entry]) => `${key}:${printValue(entry)}`).join(' ')}]`;
}
