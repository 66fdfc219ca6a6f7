import type { ColumnDefinition, Printer } from '../definition.ts';
import { since } from './human-duration.ts';
import { compileJSONPath, type JSONPath } from './json-path.ts';
import { type Cell, nameColumn } from './printer.ts';

/** A column of a CRD's additionalPrinterColumns. */
export interface PrinterColumn extends ColumnDefinition {
  readonly jsonPath: string;
}

const defaultColumns: readonly PrinterColumn[] = [
  {
    name: 'Age',
    type: 'date',
    description: 'How long ago the object was created.',
    jsonPath: '.metadata.creationTimestamp',
  },
];

/**
 * The printer of a custom resource: Name, then the columns of its version, or Age when it has none. Throws SyntaxError for
 * a malformed path.
 */
export function jsonPathPrinter(columns: readonly PrinterColumn[] = []): Printer {
  const shown = columns.length === 0 ? defaultColumns : columns;
  const readers = shown.map(({ type, jsonPath }) => ({ type, find: compileJSONPath(jsonPath) }));
  return {
    columns: [
      nameColumn,
      ...shown.map(({ jsonPath, ...column }) => ({
        ...column,
        description: column.description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
      })),
    ],
    cells: (object, nowMs) => [
      object.metadata.name,
      ...readers.map(({ type, find }) => cell(type, first(find, object), nowMs)),
    ],
  };
}

function first(find: JSONPath, object: unknown): unknown {
  return find(object)[0];
}

function cell(type: ColumnDefinition['type'], value: unknown, nowMs: number): Cell {
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
      if (typeof value === 'bigint') return value;
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? since(value, nowMs) : null;
    case 'string':
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
}
