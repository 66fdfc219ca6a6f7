import type { DeepReadonly } from '../../base/json.ts';
import type { ColumnDefinition, Printer, RowCondition } from '../definition.ts';
import type { ListMeta } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import type { Cell } from './printer.ts';

/** How much of each object its row carries (the `includeObject` option). */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  readonly includeObject: IncludeObject;
  readonly nowMs: number;
  /** meta.k8s.io version of the answer: v1 or v1beta1. */
  readonly version: string;
  /** False leaves the column definitions out, as in later events of a watch. Default true. */
  readonly columns?: boolean;
}

interface TableRow {
  readonly cells: readonly Cell[];
  readonly conditions?: readonly RowCondition[];
  readonly object: unknown;
}

/** A meta.k8s.io Table as JSON has it. */
export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: string;
  readonly metadata: DeepReadonly<ListMeta>;
  /** Null in all but the first event of a watch. */
  readonly columnDefinitions: readonly Required<ColumnDefinition>[] | null;
  readonly rows: readonly TableRow[];
}

/** The table of `objects`: one row each. `listMeta` is the metadata of the list, or resourceVersion of the only object. */
export function renderTable(
  { printer }: { readonly printer: Printer },
  objects: readonly DeepReadonly<KubeObject>[],
  listMeta: DeepReadonly<ListMeta>,
  options: TableOptions,
): Table {
  const { nowMs, version, columns = true } = options;
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: listMeta,
    columnDefinitions: columns ? printer.columns.map(completeColumn) : null,
    rows: objects.map((object) => {
      const conditions = printer.conditions?.(object);
      return {
        cells: printer.cells(object, nowMs),
        ...(conditions && { conditions }),
        object: rowObject(object, options),
      };
    }),
  };
}

/** An object without all but its metadata. */
export function partialMetadata(object: DeepReadonly<KubeObject>, version: string): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

function completeColumn(column: ColumnDefinition): Required<ColumnDefinition> {
  const { name, type, format = '', description = '', priority = 0 } = column;
  return { name, type, format, description, priority };
}

function rowObject(object: DeepReadonly<KubeObject>, { includeObject, version }: TableOptions): unknown {
  if (includeObject === 'None') return null;
  return includeObject === 'Object' ? object : partialMetadata(object, version);
}
