import { notApplicable, unclassified, wrongType } from './errors.ts';
import { goFormat, goText, goTypeName } from './go-format.ts';
import { isObject, type JSONObject, member } from './members.ts';

/** How the elements of one list are told apart and combined. */
export interface ListMerge {
  /** The member that identifies an element; '' for lists of scalars. */
  readonly mergeKey: string;
  /** The element type, for error texts. */
  readonly typeName: string;
  mergeElements(original: JSONObject, patch: JSONObject): JSONObject;
  /** A patch value as it is when there is nothing to merge it with. */
  plain(value: unknown): unknown;
}

/** Merges the elements of `patch` into `original`; the result has upstream's order. */
export function mergeList(
  original: readonly unknown[],
  patch: readonly unknown[],
  merge: ListMerge,
  deletesFromList: boolean,
): unknown[] {
  if (original.length === 0 && patch.length === 0) return [];
  if (!holdsObjects(original, patch)) {
    if (deletesFromList) {
      const deleted = new Set(patch);
      return original.filter((element) => !deleted.has(element));
    }
    return orderMergedList(uniqueScalars([...original, ...patch]), patch, original, '');
  }
  if (merge.mergeKey === '') {
    throw unclassified(`cannot merge lists without merge key for ${merge.typeName}`);
  }
  const { kept, changes, replaced } = applyElementDirectives(original as JSONObject[], patch as JSONObject[], merge);
  if (replaced) return changes.map((change) => merge.plain(change));
  return orderMergedList(mergeElements(kept, changes, merge), changes, kept, merge.mergeKey);
}

/** All elements of both lists have one type. */
function holdsObjects(original: readonly unknown[], patch: readonly unknown[]): boolean {
  const [first, ...others] = [...original, ...patch];
  if (Array.isArray(first)) throw notApplicable('lists of lists are not supported');
  const type = goTypeName(first);
  if (others.some((element) => goTypeName(element) !== type)) {
    throw unclassified(`list element types are not identical: ${goFormat([original, patch])}`);
  }
  return isObject(first);
}

function uniqueScalars(elements: readonly unknown[]): unknown[] {
  return [...new Set(elements)];
}

/** Carries out `$patch` in list elements: `delete` takes an element out, `replace` makes the patch the whole list. */
function applyElementDirectives(original: readonly JSONObject[], patch: readonly JSONObject[], merge: ListMerge) {
  const deleted = new Set<string>();
  let replaced = false;
  const changes: JSONObject[] = [];
  for (const element of patch) {
    if (!Object.hasOwn(element, '$patch')) {
      changes.push(element);
      continue;
    }
    switch (element['$patch']) {
      case 'delete': {
        deleted.add(identityOf(requireMergeKey(element, merge.mergeKey), merge.mergeKey));
        break;
      }
      case 'replace':
        replaced = true;
        break;
      case 'merge':
        throw unclassified('merging lists cannot yet be specified in the patch');
      default:
        throw unclassified(`unknown patch type: ${goText(element['$patch'])} in map: ${goFormat(element)}`);
    }
  }
  const kept = deleted.size === 0 ? original : original.filter((it) => !deleted.has(identityOf(it, merge.mergeKey)));
  return { kept, changes, replaced };
}

function mergeElements(original: readonly JSONObject[], changes: readonly JSONObject[], merge: ListMerge): unknown[] {
  const merged: JSONObject[] = [...original];
  const positions = positionsOf(original, merge.mergeKey);
  for (const change of changes) {
    const identity = identityOf(requireMergeKey(change, merge.mergeKey), merge.mergeKey);
    const at = positions.get(identity);
    const current = at === undefined ? undefined : merged[at];
    if (at !== undefined && current !== undefined) {
      merged[at] = merge.mergeElements(current, change);
    } else {
      positions.set(identity, merged.length);
      merged.push(merge.plain(change) as JSONObject);
    }
  }
  return merged;
}

function requireMergeKey(element: JSONObject, mergeKey: string): JSONObject {
  if (!Object.hasOwn(element, mergeKey)) {
    throw unclassified(`map: ${goFormat(element)} does not contain declared merge key: ${mergeKey}`);
  }
  return element;
}

/**
 * Puts a merged list into its final order. Elements named by `order` (the patch, or `$setElementOrder`) follow that order,
 * the others keep the order they have on the server (`live`). The two sequences are then interleaved: a server-only
 * element stands before a named one exactly when both are in `live` and it comes first there.
 */
export function orderMergedList(
  merged: readonly unknown[],
  order: readonly unknown[],
  live: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const orderedAt = positionsOf(order, mergeKey);
  const liveAt = positionsOf(live, mergeKey);
  const named: { element: unknown; rank: number; at: number }[] = [];
  const serverOnly: { element: unknown; at: number }[] = [];
  for (const element of merged) {
    const identity = identityOf(element, mergeKey);
    const rank = orderedAt.get(identity);
    const at = liveAt.get(identity) ?? -1;
    if (rank === undefined) serverOnly.push({ element, at });
    else named.push({ element, rank, at });
  }
  named.sort((a, b) => a.rank - b.rank);
  serverOnly.sort((a, b) => (a.at < 0 || b.at < 0 ? 0 : a.at - b.at));

  const result: unknown[] = [];
  let next = 0;
  for (const { element, at } of named) {
    for (; next < serverOnly.length; next++) {
      const candidate = serverOnly[next];
      if (candidate === undefined || candidate.at < 0 || at < 0 || candidate.at >= at) break;
      result.push(candidate.element);
    }
    result.push(element);
  }
  for (; next < serverOnly.length; next++) result.push(serverOnly[next]?.element);
  return result;
}

/** Where each element of a list is first found, by identity. */
function positionsOf(list: readonly unknown[], mergeKey: string): Map<string, number> {
  const positions = new Map<string, number>();
  for (const [at, element] of list.entries()) {
    const identity = identityOf(element, mergeKey);
    if (!positions.has(identity)) positions.set(identity, at);
  }
  return positions;
}

/** Two elements are the same one when these are equal: the merge key's value, or the scalar itself. */
function identityOf(element: unknown, mergeKey: string): string {
  if (mergeKey === '') return JSON.stringify(element);
  if (!isObject(element)) throw wrongType('map[string]interface {}', element);
  return JSON.stringify(member(element, mergeKey) ?? null);
}
