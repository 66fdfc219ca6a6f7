import type { DeepReadonly } from '../../base/json.ts';
import type { ColumnDefinition, Printer } from '../definition.ts';
import type { StoredMeta } from '../object.ts';
import { since } from './human-duration.ts';

export type Cell = string | number | bigint | boolean | null;

/** A stored object whose every field may be missing: printers must not fail on what older versions stored. */
export type Printable<T> = DeepReadonly<{ metadata: StoredMeta } & DeepPartial<Omit<T, 'metadata'>>>;

type DeepPartial<T> = T extends readonly (infer U)[]
  ? DeepPartial<U>[]
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T;

/** The printers of one API group by kind. */
export type PrinterTable = Readonly<Record<string, Printer>>;

/** A printer for objects of type `T`. */
export function definePrinter<T>(
  columns: readonly ColumnDefinition[],
  cells: (object: Printable<T>, nowMs: number) => readonly Cell[],
): Printer {
  return { columns, cells: (object, nowMs) => cells(object as unknown as Printable<T>, nowMs) };
}

export function text(name: string, description: string): ColumnDefinition {
  return { name, type: 'string', description };
}

export function integer(name: string, description: string): ColumnDefinition {
  return { name, type: 'integer', description };
}

export function boolean(name: string, description: string): ColumnDefinition {
  return { name, type: 'boolean', description };
}

/** A column that only `-o wide` shows. */
export function wide(name: string, description: string): ColumnDefinition {
  return { name, type: 'string', description, priority: 1 };
}

export const nameColumn: ColumnDefinition = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'The name of the object, unique for its kind within its namespace.',
};

export const ageColumn: ColumnDefinition = text('Age', 'How long ago the object was created.');

/** The Age cell. */
export function age(object: { readonly metadata: DeepReadonly<StoredMeta> }, nowMs: number): string {
  return since(object.metadata.creationTimestamp, nowMs);
}

/** What upstream shows for a built-in kind without columns of its own. */
export const createdAtPrinter: Printer = definePrinter<unknown>(
  [nameColumn, { name: 'Created At', type: 'date', description: 'When the object was created.' }],
  (object) => [object.metadata.name, object.metadata.creationTimestamp],
);
