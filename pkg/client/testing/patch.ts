import { badRequest } from '../../api/errors.ts';
import { cloneJSON } from '../../base/json.ts';
import type { PatchKind } from '../client.ts';

type JSONObject = Record<string, unknown>;

/** Lists that strategic merge and apply merge by key; others are replaced. Enough for what controllers send. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  conditions: 'type',
  ownerReferences: 'uid',
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  env: 'name',
  taints: 'key',
  addresses: 'type',
};
const MERGED_SETS = new Set(['finalizers']);

/** The object after the patch; `object` is not changed. */
export function applyPatch(object: unknown, kind: PatchKind, patch: unknown): unknown {
  if (kind === 'json') return jsonPatch(object, patch as readonly Operation[]);
  if (kind === 'merge') return mergePatch(object, patch);
  return strategic(object, patch, '');
}

function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return cloneJSON(patch);
  const result: JSONObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

function strategic(target: unknown, patch: unknown, field: string): unknown {
  if (Array.isArray(patch)) return strategicList(Array.isArray(target) ? target : [], patch, field);
  if (!isObject(patch)) return patch;
  const result: JSONObject = isObject(target) && patch['$patch'] !== 'replace' ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$patch' || key.startsWith('$setElementOrder/')) continue;
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const name = key.slice(key.indexOf('/') + 1);
      const list = result[name] as unknown[] | undefined;
      result[name] = (list ?? []).filter((item) => !(value as unknown[]).includes(item));
    } else if (value === null) delete result[key];
    else result[key] = strategic(result[key], value, key);
  }
  return result;
}

function strategicList(target: readonly unknown[], patch: readonly unknown[], field: string): unknown[] {
  if (MERGED_SETS.has(field)) return [...new Set([...target, ...patch])];
  const mergeKey = MERGE_KEYS[field];
  if (!mergeKey) return cloneJSON(patch) as unknown[];
  const result = [...target];
  for (const item of patch as JSONObject[]) {
    const at = result.findIndex((other) => (other as JSONObject)[mergeKey] === item[mergeKey]);
    if (item['$patch'] === 'delete') {
      if (at >= 0) result.splice(at, 1);
    } else if (at >= 0) result[at] = strategic(result[at], item, '');
    else result.push(strategic({}, item, ''));
  }
  return result;
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

function jsonPatch(object: unknown, operations: readonly Operation[]): unknown {
  const root = { '': cloneJSON(object) } as JSONObject;
  for (const { op, path, value } of operations) {
    const steps = path.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = steps.pop() ?? '';
    let parent: unknown = steps.length === 0 ? root : root[''];
    for (const step of steps.slice(1)) parent = (parent as JSONObject)[step];
    const list = Array.isArray(parent) ? parent : undefined;
    const container = parent as JSONObject;
    if (parent === undefined) throw badRequest(`path ${path} does not exist`);
    if (op === 'test') {
      if (JSON.stringify(container[last]) !== JSON.stringify(value)) throw badRequest(`test ${path} failed`);
    } else if (op === 'remove') {
      if (!(last in container)) throw badRequest(`path ${path} does not exist`);
      if (list !== undefined) list.splice(Number(last), 1);
      else delete container[last];
    } else if (op === 'add' || op === 'replace') {
      if (list === undefined) container[last] = value;
      else if (last === '-') list.push(value);
      else list.splice(Number(last), op === 'add' ? 0 : 1, value);
    } else throw badRequest(`operation ${op} is not supported`);
  }
  return root[''];
}
