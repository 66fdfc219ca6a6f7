import type { ResourceDefinition } from '../../api/definition.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import type { Entry } from '../watchcache/entry.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  readonly includeObject: IncludeObject;
  readonly nowMs: number;
  /** meta.k8s.io version of the answer. */
  readonly version: string;
}

/** A meta.k8s.io Table of these objects. `columns` false: rows only, as in the later events of a watch. */
export function tableOf(
  definition: ResourceDefinition,
  entries: readonly Entry[],
  metadata: Readonly<Record<string, unknown>>,
  options: TableOptions,
  columns = true,
): Record<string, unknown> {
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata,
    columnDefinitions: columns ? columnDefinitions(definition) : null,
    rows: entries.map((entry) => ({
      cells: definition.printer.cells(entry.object, options.nowMs),
      object: rowObject(entry, options),
    })),
  };
}

function columnDefinitions(definition: ResourceDefinition): unknown[] {
  return definition.printer.columns.map(({ name, type, format = '', description = '', priority = 0 }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
}

function rowObject(entry: Entry, options: TableOptions): unknown {
  if (options.includeObject === 'None') return null;
  return options.includeObject === 'Object' ? entry.object : partialMetadata(entry.object, options.version);
}

export function partialMetadata(object: DeepReadonly<KubeObject>, version: string): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}
