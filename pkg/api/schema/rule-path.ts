import type { Schema } from '../schema.ts';

/**
 * Reads the fieldPath of a validation rule (`.spec.name`, `.labels['a.b']`): the path as errors print it, below the schema's own.
 * undefined when it is malformed or names what the schema does not have; lists cannot be passed.
 */
export function readRulePath(schema: Schema, text: string): string | undefined {
  const token = /\.([^.[\]\s]+)|\['((?:[^'\\]|\\.)+)'\]/y;
  let current: Schema | undefined = schema;
  let path = '';
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) return undefined;
    const name: string = match[1] ?? (match[2] ?? '').replace(/\\(.)/g, '$1');
    const property: Schema | undefined = current.properties?.get(name);
    if (property !== undefined) path += path === '' ? name : `.${name}`;
    else if (current.additionalProperties !== undefined) path += `[${name}]`;
    const next: Schema | undefined = property ?? current.additionalProperties;
    if (next === undefined) return undefined;
    current = next;
  }
  return path === '' ? undefined : path;
}
