import type { DeepReadonly } from '../../base/json.ts';
import type { ColumnDefinition, Printer } from '../definition.ts';
import type { ListMeta } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import type { Cell } from './printer.ts';

/** How much of each object its row carries (the `includeObject` option). */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableRow {
  readonly cells: readonly Cell[];
  readonly object: unknown;
}

/** A meta.k8s.io/v1 Table as JSON has it. */
export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: 'meta.k8s.io/v1';
  readonly metadata: DeepReadonly<ListMeta>;
  /** Null in all but the first event of a watch. */
  readonly columnDefinitions: readonly Required<ColumnDefinition>[] | null;
  readonly rows: readonly TableRow[];
}

/**
 * The table of `objects`: one row each. `listMeta` is the metadata of the list, or resourceVersion of the only object.
 * `headers: false` leaves the column definitions out, as in later events of a watch.
 */
export function renderTable(
  definition: { readonly printer: Printer },
  objects: readonly DeepReadonly<KubeObject>[],
  listMeta: DeepReadonly<ListMeta>,
  nowMs: number,
  includeObject: IncludeObject,
  { headers = true }: { headers?: boolean } = {},
): Table {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: listMeta,
    columnDefinitions: headers ? definition.printer.columns.map(completeColumn) : null,
    rows: objects.map((object) => renderRow(definition.printer, object, nowMs, includeObject)),
  };
}

/** One row; for tables that are written in chunks. */
export function renderRow(
  printer: Printer,
  object: DeepReadonly<KubeObject>,
  nowMs: number,
  includeObject: IncludeObject,
): TableRow {
  return { cells: printer.cells(object, nowMs), object: rowObject(object, includeObject) };
}

function completeColumn(column: ColumnDefinition): Required<ColumnDefinition> {
  const { name, type, format = '', description = '', priority = 0 } = column;
  return { name, type, format, description, priority };
}

function rowObject(object: DeepReadonly<KubeObject>, includeObject: IncludeObject): unknown {
  switch (includeObject) {
    case 'None':
      return null;
    case 'Metadata':
      return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
    case 'Object':
      return object;
  }
}
