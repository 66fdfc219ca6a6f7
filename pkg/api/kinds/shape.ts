/** Small operations on objects under construction, as Go's JSON encoding of structs would leave them. */

/** The member `key` of `parent` as an object, created when it is absent or null. */
export function childObject<T extends object>(parent: object, key: string): T {
  const fields = parent as Record<string, unknown>;
  const value = fields[key];
  if (typeof value === 'object' && value !== null) return value as T;
  const created = {} as T;
  fields[key] = created;
  return created;
}

/** True for what a field that is left out when empty does not show: false, 0, '', null and empty lists and maps. */
export function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

/** Removes those of `keys` that hold their zero value: plain (not pointer) fields marked omitempty in Go. */
export function dropZero(object: object, keys: readonly string[]): void {
  const fields = object as Record<string, unknown>;
  for (const key of keys) {
    if (fields[key] !== undefined && isZero(fields[key])) delete fields[key];
  }
}

/** Sets `key` when it is absent, null, '' or 0: the default of a plain field. */
export function defaultPlain(object: object, key: string, value: unknown): void {
  const fields = object as Record<string, unknown>;
  const current = fields[key];
  if (current === undefined || current === null || current === '' || current === 0) fields[key] = value;
}

/** Sets `key` when it is absent or null: the default of a pointer field, and of plain fields that are always written. */
export function defaultPointer(object: object, key: string, value: unknown): void {
  const fields = object as Record<string, unknown>;
  if (fields[key] === undefined || fields[key] === null) fields[key] = value;
}

/** Fills in what a status always shows. */
export function defaultStatus(object: object, shape: Readonly<Record<string, unknown>>): void {
  const status = childObject<Record<string, unknown>>(object, 'status');
  for (const key in shape) {
    if (status[key] === undefined || status[key] === null) status[key] = shape[key];
  }
}
