import type { FieldSet } from './field-set.ts';

/** The JSON of sets that many objects share, made once for each. */
const texts = new WeakMap<object, string>();

/** To be called for a set that many objects will have. */
export function shareText(set: FieldSet): void {
  texts.set(set, JSON.stringify(set));
}

/** The JSON of a fieldsV1. */
export function fieldsText(set: object): string {
  return texts.get(set) ?? JSON.stringify(set);
}
