import { goFormat, goSyntax, goTypeName } from '../patch/go-format.ts';
import type { Schema } from '../schema.ts';
import { formatPath } from './path-element.ts';
import { isObject, itemSchema, knownMemberSchema, listElement } from './structure.ts';

/** What keeps a configuration from being applied, as upstream words it: fields that do not exist, wrong types, duplicates. */
export function configErrors(schema: Schema, config: unknown): string[] {
  const errors: string[] = [];
  check(errors, [], schema, config);
  return errors;
}

function check(errors: string[], path: string[], schema: Schema, value: unknown): void {
  if (value === null || value === undefined) return;
  const report = (text: string): void => {
    errors.push(`${formatPath(path)}: ${text}`);
  };
  switch (schema.type) {
    case 'object':
      if (schema.format === 'raw' || schema.format === 'fields') return;
      if (!isObject(value)) report(`expected map, got &{${goFormat(value)}}`);
      else checkMembers(errors, path, schema, value);
      return;
    case 'array':
      if (!Array.isArray(value)) report(`expected list, got &{${goFormat(value)}}`);
      else checkElements(errors, path, schema, value);
      return;
    case 'string':
    case 'time':
    case 'microTime':
    case 'bytes':
      if (typeof value !== 'string') report(`expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`);
      return;
    case 'integer':
    case 'number':
      if (typeof value !== 'number' && typeof value !== 'bigint')
        report(`expected numeric (int or float), got ${goTypeName(value)}`);
      return;
    case 'boolean':
      if (typeof value !== 'boolean') report(`expected boolean, got &{${goFormat(value)}}`);
      return;
    case 'intOrString':
    case 'quantity':
      if (typeof value === 'object') report(`expected any scalar, got &{${goFormat(value)}}`);
      return;
    case 'any':
      return;
  }
}

function checkMembers(
  errors: string[],
  path: string[],
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
): void {
  for (const name of Object.keys(value)) {
    const member = knownMemberSchema(schema, name);
    path.push(`f:${name}`);
    if (member === undefined) errors.push(`${formatPath(path)}: field not declared in schema`);
    else check(errors, path, member, value[name]);
    path.pop();
  }
}

function checkElements(errors: string[], path: string[], schema: Schema, value: readonly unknown[]): void {
  const associative = schema.listType === 'map' || schema.listType === 'set';
  const seen = new Set<string>();
  for (const [i, item] of value.entries()) {
    const element = associative ? listElement(schema, item) : `i:${i}`;
    if (element === undefined) {
      errors.push(`${formatPath(path)}: element ${i}: ${whyWithoutKey(schema, item)}`);
      return;
    }
    path.push(element);
    if (seen.has(element)) {
      errors.push(`${formatPath(path.slice(0, -1))}: duplicate entries for key ${formatPath([element])}`);
    }
    seen.add(element);
    check(errors, path, itemSchema(schema), item);
    path.pop();
  }
}

function whyWithoutKey(schema: Schema, item: unknown): string {
  if (schema.listType === 'set') {
    if (item === null) return "associative list without keys has an element that's an explicit null";
    if (Array.isArray(item)) return 'not supported: associative list with lists as elements';
    return "associative list without keys has an element that's a map type";
  }
  if (item === null) return 'associative list with keys may not have a null element';
  if (!isObject(item)) return 'associative list with keys may not have non-map elements';
  const keys = (schema.listMapKeys ?? []).map((name) => JSON.stringify(name)).join(' ');
  return `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`;
}
