import { stringify as stringifyYAML } from 'yaml';
import type { Steps } from '../base/steps.ts';

/** A JSON value for programs, on a line of its own, or for people. */
export function jsonText(value: unknown, pretty: boolean): string {
  return pretty ? JSON.stringify(value, undefined, 2) : `${JSON.stringify(value)}\n`;
}

/** A JSON value as YAML. */
export function yamlText(value: unknown): string {
  return stringifyYAML(value, { aliasDuplicateObjects: false, lineWidth: 0, sortMapEntries: true, version: '1.1' });
}

/** How many values are written in one step: each takes some 10 µs. */
const STEP_VALUES = 500;

/** The same in steps of limited length, as far as lists and objects have many parts. */
export function* yamlSteps(value: unknown): Steps<string> {
  if (!isLong(value)) return yamlText(value);
  const parts: string[] = [];
  yield* writeParts(value, [], parts);
  return parts.join('');
}

/** Writes what is in an object or a list, which `path` leads to from the root, a few members or elements at a time. */
function* writeParts(value: object, path: readonly string[], parts: string[]): Steps<void> {
  const isList = Array.isArray(value);
  let part: [string, unknown][] = [];
  let size = 0;
  const flush = (): void => {
    if (part.length === 0) return;
    const inner = isList ? part.map(([, item]) => item) : Object.fromEntries(part);
    const whole = path.reduceRight<unknown>((below, name) => ({ [name]: below }), inner);
    parts.push(withoutLines(yamlText(whole), path.length));
    part = [];
    size = 0;
  };
  const names = Object.keys(value);
  for (const name of isList ? names : names.sort()) {
    const member = (value as Record<string, unknown>)[name];
    const long = isLong(member) ? member : undefined;
    const head = isList ? '' : long && headOf(name);
    if (long !== undefined && head !== undefined) {
      flush();
      yield;
      const indent = '  '.repeat(path.length);
      if (!isList) parts.push(indent, head);
      const first = parts.length;
      yield* writeParts(long, [...path, name], parts);
      // An element is as deep as what is in a member, and begins with a dash there.
      if (isList) parts[first] = `${indent}- ${(parts[first] ?? '').slice(indent.length + 2)}`;
      continue;
    }
    part.push([name, member]);
    size += sizeOf(member);
    if (size < STEP_VALUES) continue;
    flush();
    yield;
  }
  flush();
}

/** The line in front of an object or a list; undefined for a name that takes several. */
function headOf(name: string): string | undefined {
  const [head, ...more] = yamlText({ [name]: [0] }).split('\n', 3);
  return more[0] === '  - 0' ? `${head}\n` : undefined;
}

function withoutLines(text: string, count: number): string {
  let at = 0;
  for (let i = 0; i < count; i++) at = text.indexOf('\n', at) + 1;
  return text.slice(at);
}

function isLong(value: unknown): value is object {
  return sizeOf(value) >= STEP_VALUES;
}

/** How many values there are, counted up to STEP_VALUES. */
function sizeOf(value: unknown, counted = 0): number {
  let size = counted + 1;
  if (typeof value !== 'object' || value === null) return size;
  for (const name in value) {
    if (size >= STEP_VALUES) break;
    size = sizeOf((value as Record<string, unknown>)[name], size);
  }
  return size;
}
