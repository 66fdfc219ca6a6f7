import { badRequest } from '../errors.ts';
import type { Schema } from '../schema.ts';
import { jsonKind, unclassified, wrongType } from './errors.ts';
import { goFormat, goText } from './go-format.ts';
import { type ListMerge, mergeList, orderMergedList } from './list-merge.ts';
import { isObject, type JSONObject, member, setMember } from './members.ts';

const patchDirective = '$patch';
const retainKeysDirective = '$retainKeys';
const deleteFromListPrefix = '$deleteFromPrimitiveList/';
const elementOrderPrefix = '$setElementOrder/';

/**
 * Applies a strategic merge patch: objects merge member by member, null deletes, lists are replaced unless the schema
 * says `patchStrategy: merge`; then they merge by `patchMergeKey` (objects) or by value (scalars). Directives: `$patch:
 * replace | delete`, `$retainKeys`, `$deleteFromPrimitiveList/<list>`, `$setElementOrder/<list>`.
 *
 * Returns a new document that may share unchanged parts with the arguments. Throws BadRequest for malformed directives;
 * a list element without its merge key is upstream's unclassified error (code 500).
 */
export function applyStrategicMergePatch<T>(schema: Schema, doc: T, patch: unknown): T {
  if (patch === null) return doc;
  if (!isObject(patch)) {
    throw badRequest(`json: cannot unmarshal ${jsonKind(patch)} into Go value of type map[string]interface {}`);
  }
  return mergeMap(schema, isObject(doc) ? doc : {}, patch) as T;
}

function mergeMap(schema: Schema | undefined, original: JSONObject, patch: JSONObject): JSONObject {
  if (Object.hasOwn(patch, patchDirective)) return replaceOrDelete(patch);
  const merged = retainKeys(original, patch);
  const ordered = mergeOrderedLists(schema, merged, patch);
  for (const key of Object.keys(patch)) {
    if (key === retainKeysDirective || key.startsWith(elementOrderPrefix) || ordered.has(key)) continue;
    const deletesFromList = key.startsWith(deleteFromListPrefix);
    mergeMember(schema, merged, deletesFromList ? key.slice(deleteFromListPrefix.length) : key, patch[key], {
      deletesFromList,
    });
  }
  return merged;
}

function mergeMember(
  schema: Schema | undefined,
  merged: JSONObject,
  key: string,
  value: unknown,
  { deletesFromList }: { deletesFromList: boolean },
): void {
  if (value === null || value === undefined) {
    delete merged[key];
    return;
  }
  const current = member(merged, key);
  const field = fieldSchema(schema, key);
  if (isObject(current) && isObject(value)) {
    const replaced = strategyOf(field) === 'replace';
    setMember(merged, key, replaced ? value : mergeMap(field, current, value));
  } else if (Array.isArray(current) && Array.isArray(value)) {
    setMember(merged, key, mergeLists(field, current, value, deletesFromList));
  } else if (!deletesFromList) {
    const plain = withoutDirectives(value);
    if (plain !== undefined) setMember(merged, key, plain);
  }
}

function mergeLists(field: Schema | undefined, current: unknown[], patch: unknown[], deletesFromList: boolean) {
  if (strategyOf(field) !== 'merge') return patch;
  return mergeList(current, patch, listMergeOf(field), deletesFromList);
}

/** `$patch` in an object: what it says happens instead of a merge. */
function replaceOrDelete(patch: JSONObject): JSONObject {
  const directive = patch[patchDirective];
  if (directive === 'delete') return {};
  if (directive !== 'replace') {
    throw unclassified(`unknown patch type: ${goText(directive)} in map: ${goFormat(patch)}`);
  }
  return withoutDirectives(patch) as JSONObject;
}

/** A copy of `original`, without the members that the patch's `$retainKeys` does not list. */
function retainKeys(original: JSONObject, patch: JSONObject): JSONObject {
  if (!Object.hasOwn(patch, retainKeysDirective)) return { ...original };
  const list = patch[retainKeysDirective];
  if (!Array.isArray(list)) throw badRequest('invalid patch format of retainKeys');
  const retained = new Set<unknown>(list);
  for (const key of Object.keys(patch)) {
    if (patch[key] === null || isDirective(key)) continue;
    if (!retained.has(key)) throw badRequest('invalid patch format of retainKeys');
  }
  const kept: JSONObject = {};
  for (const key of Object.keys(original)) if (retained.has(key)) setMember(kept, key, original[key]);
  return kept;
}

/** Merges the lists that have a `$setElementOrder/<list>` into `merged`; returns their names. */
function mergeOrderedLists(schema: Schema | undefined, merged: JSONObject, patch: JSONObject): Set<string> {
  const done = new Set<string>();
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(elementOrderPrefix)) continue;
    const key = directive.slice(elementOrderPrefix.length);
    const order = requireList(patch[directive]);
    const current = Object.hasOwn(merged, key) ? requireList(merged[key]) : undefined;
    const changes = Object.hasOwn(patch, key) && patch[key] !== null ? requireList(patch[key]) : undefined;
    if (Object.hasOwn(patch, key) && changes === undefined) continue;
    if (current === undefined && changes === undefined) continue;
    const field = fieldSchema(schema, key);
    const merge = listMergeOf(field);
    checkOrder(changes ?? [], order, merge.mergeKey);
    const list =
      current === undefined
        ? (withoutDirectives(changes) as unknown[])
        : changes === undefined
          ? current
          : (mergeLists(field, current, changes, false) as unknown[]);
    setMember(merged, key, orderMergedList(list, order, current ?? [], merge.mergeKey));
    done.add(key);
  }
  return done;
}

/** The elements that the patch changes must stand in the order that `$setElementOrder` lists. */
function checkOrder(changes: unknown[], order: unknown[], mergeKey: string): void {
  let at = 0;
  for (const change of changes) {
    if (isObject(change) && change[patchDirective] === 'delete') continue;
    const identity = identityOf(change, mergeKey);
    while (at < order.length && identityOf(order[at], mergeKey) !== identity) at++;
    if (at === order.length) {
      throw unclassified(
        `The order in patch list:\n${goFormat(changes)}\n doesn't match $setElementOrder list:\n${goFormat(order)}\n`,
      );
    }
  }
}

function identityOf(element: unknown, mergeKey: string): unknown {
  if (mergeKey === '') return element;
  if (!isObject(element)) throw wrongType('map[string]interface {}', element);
  return member(element, mergeKey);
}

function requireList(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw wrongType('[]interface {}', value);
  return value;
}

function listMergeOf(field: Schema | undefined): ListMerge {
  const items = field?.items;
  return {
    mergeKey: field?.patchMergeKey ?? '',
    typeName: items?.name ?? '',
    mergeElements: (original, patch) => mergeMap(items, original, patch),
    plain: withoutDirectives,
  };
}

function fieldSchema(schema: Schema | undefined, key: string): Schema | undefined {
  return schema?.properties?.get(key) ?? schema?.additionalProperties;
}

/** `retainKeys` only allows the directive of that name; what is left says how to combine. */
function strategyOf(field: Schema | undefined): 'merge' | 'replace' | undefined {
  for (const strategy of field?.patchStrategy ?? []) if (strategy !== 'retainKeys') return strategy;
  return undefined;
}

function isDirective(key: string): boolean {
  return (
    key === patchDirective ||
    key === retainKeysDirective ||
    key.startsWith(deleteFromListPrefix) ||
    key.startsWith(elementOrderPrefix)
  );
}

/** What a patch value becomes where there is nothing to merge it into: no directives, no nulls. Undefined: nothing. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    const elements = value.map(withoutDirectives);
    // An element of only `$patch: replace` marks the list, it is no element.
    return elements.filter((element, i) => element !== undefined && !isListMarker(value[i]));
  }
  if (!isObject(value)) return value;
  if (value[patchDirective] === 'delete') return undefined;
  const plain: JSONObject = {};
  for (const key of Object.keys(value)) {
    if (value[key] === null || isDirective(key)) continue;
    const kept = withoutDirectives(value[key]);
    if (kept !== undefined) setMember(plain, key, kept);
  }
  return plain;
}

function isListMarker(value: unknown): boolean {
  return isObject(value) && value[patchDirective] === 'replace';
}
