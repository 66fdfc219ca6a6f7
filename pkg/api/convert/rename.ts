type JSONObject = Readonly<Record<string, unknown>>;

/** A copy with members renamed: `[from, to]` pairs; the others keep their names. Absent members stay absent. */
export function renameMembers(
  object: JSONObject,
  names: readonly (readonly [string, string])[],
): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...object };
  for (const [from] of names) delete copy[from];
  for (const [from, to] of names) if (object[from] !== undefined) copy[to] = object[from];
  return copy;
}

/** The same pairs the other way round. */
export function reversed(names: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  return names.map(([from, to]) => [to, from]);
}
