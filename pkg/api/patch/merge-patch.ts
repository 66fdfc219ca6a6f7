import { badRequest } from '../errors.ts';
import { jsonKind } from './errors.ts';
import { isObject, type JSONObject, member, setMember } from './members.ts';

/**
 * Applies a JSON Merge Patch (RFC 7386) and returns a new document that may share unchanged parts with both arguments.
 * Like upstream's, it also drops null members of objects inside lists. Throws BadRequest when the patch is no object.
 */
export function applyMergePatch<T>(doc: T, patch: unknown): T {
  if (patch === null) throw badRequest('Invalid JSON Patch');
  if (!isObject(patch)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonKind(patch)} into Go value of type map[string]interface {}`,
    );
  }
  return mergeObjects(isObject(doc) ? doc : {}, patch) as T;
}

function mergeObjects(doc: JSONObject, patch: JSONObject): JSONObject {
  const merged = { ...doc };
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null || value === undefined) {
      delete merged[key];
      continue;
    }
    const current = member(doc, key);
    setMember(merged, key, isObject(current) && isObject(value) ? mergeObjects(current, value) : withoutNulls(value));
  }
  return merged;
}

/** Members that are null removed, at every depth; list elements that are null stay. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept: JSONObject = {};
  for (const key of Object.keys(value)) {
    if (value[key] !== null && value[key] !== undefined) setMember(kept, key, withoutNulls(value[key]));
  }
  return kept;
}
