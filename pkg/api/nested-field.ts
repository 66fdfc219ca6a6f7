import { type Integer, isInteger } from '../base/integers.ts';
import { goFormat, goTypeName } from './patch/go-format.ts';

/** A value, or an object on the way to it, has another type than it is asked for; the message is upstream's. */
export class AccessorError extends Error {
  override readonly name = 'AccessorError';
}

/** The integer at a path like `.spec.replicas`; undefined when it is not there. Throws AccessorError. */
export function nestedInteger(object: unknown, path: string): Integer | undefined {
  const value = nestedField(object, path);
  if (value === undefined || isInteger(value)) return value;
  throw accessorError(path, value, 'int64');
}

/** The string at a path; undefined when it is not there. Throws AccessorError. */
export function nestedString(object: unknown, path: string): string | undefined {
  const value = nestedField(object, path);
  if (value === undefined || typeof value === 'string') return value;
  throw accessorError(path, value, 'string');
}

/** Whatever is at a path; undefined when it is not there. Throws AccessorError. */
function nestedField(object: unknown, path: string): unknown {
  let value = object;
  const parts = path.split('.').slice(1);
  for (const [i, part] of parts.entries()) {
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) {
      throw accessorError(`.${parts.slice(0, i + 1).join('.')}`, value, 'map[string]interface{}');
    }
    value = Object.hasOwn(value, part) ? (value as Readonly<Record<string, unknown>>)[part] : undefined;
  }
  return value;
}

function accessorError(path: string, value: unknown, expected: string): AccessorError {
  const found = `${goFormat(value)} is of the type ${goTypeName(value)}`;
  return new AccessorError(`${path} accessor error: ${found}, expected ${expected}`);
}
