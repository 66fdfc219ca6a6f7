import { isNewerField, newerColumns } from './newer-fields.ts';
import type { Outcome } from './recording.ts';
import type { ComparedTable } from './tables.ts';
import { isObject } from './variables.ts';

/** The first difference between what was recorded and what came; undefined when they agree. */
export function difference(expected: Outcome, actual: Outcome): string | undefined {
  if (expected.status !== actual.status) {
    return `status: expected ${expected.status} got ${actual.status} ${show(actual.body)}, wanted ${show(expected.body)}`;
  }
  if (expected.contentType !== undefined && expected.contentType !== actual.contentType) {
    return `content type: expected ${expected.contentType} got ${actual.contentType}`;
  }
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    if (actual.headers?.[name] !== value) return `header ${name}: expected ${value} got ${actual.headers?.[name]}`;
  }
  return (
    warningDifference(expected.warnings, actual.warnings ?? []) ??
    bodyDifference(expected, actual) ??
    relationDifference(expected.rel, actual.rel)
  );
}

function warningDifference(expected: readonly string[] | undefined, actual: readonly string[]): string | undefined {
  if (expected === undefined) return undefined;
  const missing = expected.find((text) => !actual.includes(text));
  if (missing !== undefined) return `warning missing: ${show(missing)} got ${show(actual)}`;
  return expected.length === 0 && actual.length > 0 ? `unexpected warning ${show(actual[0])}` : undefined;
}

function relationDifference(
  expected: Readonly<Record<string, boolean>> | undefined,
  actual: Readonly<Record<string, boolean>> | undefined,
): string | undefined {
  for (const [what, value] of Object.entries(expected ?? {})) {
    if (actual?.[what] !== value) return `${what}: expected ${value} got ${actual?.[what]}`;
  }
  return undefined;
}

function bodyDifference(expected: Outcome, actual: Outcome): string | undefined {
  const { compare } = expected;
  if (compare === 'status') return undefined;
  if (compare !== actual.compare) {
    return `body: expected ${compare} ${show(expected.body)} got ${actual.compare} ${show(actual.body)}`;
  }
  switch (compare) {
    case 'error':
      return failureDifference(expected.body as Failure, actual.body as Failure);
    case 'discovery':
    case 'schema':
    case 'shape':
      return missingPart(expected.body, actual.body, '');
    case 'keys': {
      const missing = (expected.body as string[]).filter((key) => !(actual.body as string[]).includes(key));
      return missing.length === 0 ? undefined : `keys: missing ${show(missing)}`;
    }
    case 'text':
      return expected.body === actual.body
        ? undefined
        : `text: expected ${show(expected.body)} got ${show(actual.body)}`;
    case 'table':
      return tableDifference(expected.body as ComparedTable, actual.body as ComparedTable);
    case 'watch':
      return eventDifference(expected.body as unknown[], actual.body as unknown[]);
    default:
      return valueDifference(expected.body, actual.body, '');
  }
}

interface Failure {
  readonly code: number;
  readonly reason: string;
  readonly causes: readonly string[];
}

/** Texts of messages change between versions; codes, reasons and the fields of causes do not. */
function failureDifference(expected: Failure, actual: Failure): string | undefined {
  if (expected.code !== actual.code) return `code: expected ${expected.code} got ${show(actual)}`;
  if (expected.reason !== actual.reason) return `reason: expected ${expected.reason} got ${show(actual)}`;
  const missing = expected.causes.filter((cause) => !actual.causes.includes(cause));
  const extra = actual.causes.filter((cause) => !expected.causes.includes(cause));
  return missing.length + extra.length === 0 ? undefined : `causes: missing ${show(missing)} extra ${show(extra)}`;
}

function tableDifference(expected: ComparedTable, actual: ComparedTable): string | undefined {
  const names = expected.columns.map(({ name }) => name);
  const got = actual.columns.map(({ name }) => name);
  const extra = got.filter((name) => !names.includes(name) && !newerColumns.has(name));
  const common = got.filter((name) => names.includes(name));
  if (extra.length > 0 || common.join() !== names.join()) {
    return `columns: expected ${show(names)} got ${show(got)}`;
  }
  for (const column of expected.columns) {
    const other = actual.columns.find(({ name }) => name === column.name);
    const found = valueDifference(column, other, `column ${column.name}`);
    if (found !== undefined) return found;
  }
  if (expected.rows.length !== actual.rows.length) {
    return `rows: expected ${expected.rows.length} got ${actual.rows.length}`;
  }
  for (const [i, row] of expected.rows.entries()) {
    const other = actual.rows[i];
    for (const name of names) {
      const [wanted, cell] = [row.cells[name], other?.cells[name]];
      if (JSON.stringify(wanted) !== JSON.stringify(cell))
        return `row ${i} ${name}: expected ${show(wanted)} got ${show(cell)}`;
    }
    const found = valueDifference(row.object, other?.object, `row ${i} object`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function eventDifference(expected: readonly unknown[], actual: readonly unknown[]): string | undefined {
  for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
    const found = valueDifference(expected[i], actual[i], `event ${i}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Everything recorded has to be there, and nothing else but what newer versions add. */
function valueDifference(expected: unknown, actual: unknown, path: string): string | undefined {
  if (expected === actual) return undefined;
  const different = `${path}: expected ${show(expected)} got ${show(actual)}`;
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return different;
    return firstOf(expected.keys(), (i) => valueDifference(expected[i], actual[i], `${path}[]`));
  }
  if (!isObject(expected) || !isObject(actual)) return different;
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  return (
    firstOf(Object.keys(expected), (key) => valueDifference(expected[key], actual[key], at(key))) ??
    firstOf(Object.keys(actual), (key) =>
      key in expected || isNewerField(at(key)) ? undefined : `${at(key)}: unexpected ${show(actual[key])}`,
    )
  );
}

/** Everything recorded has to be there; there may be more. Items of lists are found by their names. */
function missingPart(expected: unknown, actual: unknown, path: string): string | undefined {
  if (expected === actual) return undefined;
  const different = `${path}: expected ${show(expected)} got ${show(actual)}`;
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return different;
    return firstOf(expected, (item) => {
      if (!isObject(item)) return actual.includes(item) ? undefined : `${path}: missing ${show(item)}`;
      const name = nameOf(item);
      const other = actual.find((candidate) => nameOf(candidate) === name);
      return other === undefined ? `${path}[${name}]: missing` : missingPart(item, other, `${path}[${name}]`);
    });
  }
  if (!isObject(expected) || !isObject(actual)) return different;
  return firstOf(Object.keys(expected), (key) =>
    missingPart(expected[key], actual[key], path === '' ? key : `${path}.${key}`),
  );
}

function nameOf(item: unknown): unknown {
  if (!isObject(item)) return item;
  const { resource, subresource, name, groupVersion, version, metadata } = item;
  return (
    resource ?? subresource ?? name ?? groupVersion ?? version ?? (isObject(metadata) ? metadata['name'] : undefined)
  );
}

function firstOf<T>(items: Iterable<T>, find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function show(value: unknown): string {
  const text = value === undefined ? '(absent)' : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 297)}...` : text;
}
