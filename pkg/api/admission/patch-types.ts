import { celTypes, ListValue, MapValue, type StructDecl, StructValue, toJSON, type Value } from '../cel/index.ts';

/** What mutations of type ApplyConfiguration give: `Object{spec: Object.spec{...}}`. */
export const OBJECT_TYPE = celTypes.objectType('Object', new Map());
/** What elements of the lists are that mutations of type JSONPatch give. */
export const JSON_PATCH_TYPE = celTypes.objectType('JSONPatch', new Map());

const JSON_PATCH: StructDecl = {
  type: JSON_PATCH_TYPE,
  field: (name) => {
    if (name === 'op' || name === 'path' || name === 'from') return celTypes.STRING;
    return name === 'value' ? celTypes.DYN : undefined;
  },
};

/** Types of literals in mutations: `JSONPatch`, `Object` and, below it, types named by the path of their field. */
export function patchStruct(name: string): StructDecl | undefined {
  if (name === 'JSONPatch') return JSON_PATCH;
  if (name !== 'Object' && !name.startsWith('Object.')) return undefined;
  return { type: celTypes.objectType(name, new Map()), field: () => celTypes.DYN };
}

/** Why a literal is not at the place that its type names; undefined: it is. */
export function misplaced(value: Value, path: string): string | undefined {
  if (value instanceof ListValue) {
    for (const item of value) {
      const problem = misplaced(item, `${path}.item`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  if (!(value instanceof MapValue)) return undefined;
  if (value instanceof StructValue && value.objectType.name !== path) {
    return `unexpected type name ${JSON.stringify(value.objectType.name)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`;
  }
  for (const key of value.keys()) {
    const problem = misplaced(value.get(String(key)) ?? null, `${path}.${String(key)}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The operations of a JSON patch from the list that an expression gave. Throws a Failure for what JSON cannot say. */
export function patchOperations(list: ListValue): Record<string, unknown>[] {
  return [...list].map((item) => {
    const operation = toJSON(item) as Record<string, unknown>;
    if (operation['from'] === '') delete operation['from'];
    return operation;
  });
}
