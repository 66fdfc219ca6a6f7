import { parseExact } from '../../base/integers.ts';
import { canonicalJSON } from '../../base/json.ts';
import { type FieldSet, setOfNodes } from './field-set.ts';

type JSONObject = Readonly<Record<string, unknown>>;

/** The path element of an element of a list of scalars. */
export function valueElement(value: unknown): string {
  return `v:${canonicalJSON(value)}`;
}

/** The path element of an element of a list of objects; `key` holds the values of the list's keys. */
export function keyElement(key: JSONObject): string {
  return `k:${canonicalJSON(key)}`;
}

/** A path as conflicts print it: `.spec.ports[port=80,protocol="TCP"].name`. */
export function formatPath(path: readonly string[]): string {
  return path.map(formatElement).join('');
}

function formatElement(element: string): string {
  const content = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return `.${content}`;
    case 'k:': {
      const key = parseExact(content) as JSONObject;
      return `[${Object.keys(key)
        .map((name) => `${name}=${JSON.stringify(key[name])}`)
        .join(',')}]`;
    }
    case 'v:':
      return `[=${content}]`;
    default:
      return `[${content}]`;
  }
}

/**
 * Reads a FieldsV1 document from a client: brings its path elements into canonical form and order. Throws SyntaxError for what is no
 * FieldsV1.
 */
export function readFieldSet(fields: unknown): FieldSet {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new SyntaxError(`fields must be objects, not ${JSON.stringify(fields)}`);
  }
  const nodeOf = new Map<string, FieldSet>();
  for (const [element, below] of Object.entries(fields)) nodeOf.set(readElement(element), readFieldSet(below));
  return setOfNodes([...nodeOf.keys()], [...nodeOf.values()]);
}

function readElement(element: string): string {
  if (element === '.') return element;
  const content = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return element;
    case 'k:': {
      const key: unknown = parseExact(content);
      if (typeof key !== 'object' || key === null || Array.isArray(key)) break;
      return keyElement(key as JSONObject);
    }
    case 'v:':
      return valueElement(parseExact(content));
    case 'i:':
      if (/^\d+$/.test(content)) return element;
      break;
  }
  throw new SyntaxError(`unknown path element ${JSON.stringify(element)}`);
}
