import { isInteger } from '../../base/integers.ts';
import { goQuote } from '../validation/go-format.ts';
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

/** A JSON value as Go's `%s` prints it: everything but text as a mistake, `%!s(int64=1)`. */
export function goText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '%!s(<nil>)';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (!isObject(value)) return `%!s(${goTypeName(value)}=${String(value)})`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${key}:${goText(value[key])}`);
  return `map[${members.join(' ')}]`;
}

/** The type that a JSON value has in Go, as `%T` prints it. */
export function goTypeName(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
    case 'bigint':
      return isInteger(value) ? 'int64' : 'float64';
    default:
      if (Array.isArray(value)) return '[]interface {}';
      return isObject(value) ? 'map[string]interface {}' : '<nil>';
  }
}

/** A JSON value as Go's `%#v` prints it: `map[string]interface {}{"a":[]interface {}{1, "x"}}`. */
export function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (typeof value === 'string') return goQuote(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (!isObject(value)) return String(value);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${goQuote(key)}:${goSyntax(value[key])}`);
  return `map[string]interface {}{${members.join(', ')}}`;
}
