import { type Filter, matches, storedPart } from '../selection/filter.ts';
import type { Entry } from '../watchcache/entry.ts';
import { filterEntries } from '../watchcache/resource-cache.ts';
import type { RegistryCore } from './core.ts';

/** Requirements of selectors checked in one turn of the event loop. */
const CHECKS_A_TURN = 50_000;
/** What parsing an object for its check costs, in checks. */
const PARSE_CHECKS = 25;

/** The stored entries that match a filter in the version it is about. Rejects with StatusError when one cannot be converted. */
export async function matchingEntries(core: RegistryCore, entries: Entry[], filter: Filter): Promise<Entry[]> {
  const stored = storedPart(filter);
  if (stored === undefined) return filterInTurns(entries, filter);
  const { definition } = filter;
  const candidates = await filterInTurns(entries, stored);
  await core.readable(definition, candidates);
  return candidates.filter((entry) => matches(filter, core.view(definition, entry)));
}

/** filterEntries, for selectors with many requirements, and for objects that have to be parsed, in several turns of the loop. */
export function filterInTurns(entries: Entry[], filter: Filter): Entry[] | Promise<Entry[]> {
  const checks = requirements(filter) * (entries[0]?.isReleased === true ? PARSE_CHECKS : 1);
  return checks * entries.length > CHECKS_A_TURN
    ? inTurns(entries, filter, Math.max(1, Math.floor(CHECKS_A_TURN / checks)))
    : filterEntries(entries, filter);
}

async function inTurns(entries: readonly Entry[], filter: Filter, step: number): Promise<Entry[]> {
  const found: Entry[] = [];
  for (let at = 0; at < entries.length; at += step) {
    if (at > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    for (const entry of entries.slice(at, at + step)) if (matches(filter, entry)) found.push(entry);
  }
  return found;
}

function requirements({ labels, fields }: Filter): number {
  return labels.length + fields.length;
}
