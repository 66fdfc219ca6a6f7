import type { IndexEntry } from '../key-index.ts';

/**
 * Merges the present entries (in order) with what is known of an earlier state, giving at most `limit` entries of that
 * state in order. `earlier` holds every key that changed since, with the entry it had then (undefined: none).
 */
export function selectEntries(
  present: Iterable<IndexEntry>,
  earlier: ReadonlyMap<string, IndexEntry | undefined>,
  limit: number,
): IndexEntry[] {
  const restored = [...earlier.values()].filter((entry) => entry !== undefined);
  restored.sort((a, b) => (a.key < b.key ? -1 : 1));
  const selected: IndexEntry[] = [];
  let next = 0;
  for (const entry of present) {
    if (selected.length >= limit) return selected;
    if (earlier.size > 0) {
      for (let other = restored[next]; other !== undefined && other.key <= entry.key; other = restored[++next]) {
        if (selected.push(other) >= limit) return selected;
      }
      if (earlier.has(entry.key)) continue;
    }
    selected.push(entry);
  }
  while (next < restored.length && selected.length < limit) selected.push(restored[next++] as IndexEntry);
  return selected;
}
