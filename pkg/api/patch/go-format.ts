import { isObject } from './members.ts';

/** A JSON value as Go's `%v` prints it: `map[image:x ports:[80 81]]`. Error texts show values this way. */
export function goFormat(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goFormat).join(' ')}]`;
  if (isObject(value)) {
    const members = Object.keys(value)
      .sort()
      .map((key) => `${key}:${goFormat(value[key])}`);
    return `map[${members.join(' ')}]`;
  }
  return String(value);
}
