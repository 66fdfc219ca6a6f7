import { ADDRESS, isIntruder, isRecent, type Normalizer } from './normalize.ts';
import { isObject, placeholder, valueAt } from './variables.ts';

type JSONObject = Record<string, unknown>;

const AGE = /^(\d+(y|d|h|m|s|ms))+$|^<unknown>$|^<invalid>$/;

export interface ComparedTable {
  readonly columns: readonly { readonly name: string; readonly type: unknown; readonly format: unknown }[];
  readonly rows: readonly { readonly cells: JSONObject; readonly object: unknown }[];
}

/** The columns that `kubectl get` shows without `-o wide`, and their cells without what depends on the time. */
export function tableOf(table: JSONObject, normalizer: Normalizer, withKeys: boolean): ComparedTable {
  const definitions = (table['columnDefinitions'] ?? []) as JSONObject[];
  const columns = definitions
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => !column['priority'])
    .map(({ column, index }) => ({
      name: String(column['name']),
      type: column['type'],
      format: column['format'],
      index,
    }));
  const rows = ((table['rows'] ?? []) as { cells?: unknown[]; object?: unknown }[]).filter(
    ({ object }) => !isIntruder(object),
  );
  return {
    columns: columns.map(({ name, type, format }) => ({ name, type, format })),
    rows: rows.map(({ cells, object }) => ({
      cells: Object.fromEntries(columns.map(({ name, index }) => [name, cellOf(cells?.[index], normalizer)])),
      object: objectOf(object, normalizer, withKeys),
    })),
  };
}

function cellOf(cell: unknown, normalizer: Normalizer): unknown {
  if (typeof cell !== 'string') return cell;
  if (AGE.test(cell)) return placeholder('age');
  if (ADDRESS.test(cell)) return placeholder('ip');
  if (isRecent(cell)) return placeholder('ts');
  return normalizer
    .text(cell)
    .replace(/(^|[ (])(\d+[smhdy])+ ago/g, `$1$${placeholder('age')} ago`)
    .replace(/:3\d{4}\//g, `:$${placeholder('port')}/`);
}

function objectOf(object: unknown, normalizer: Normalizer, withKeys: boolean): unknown {
  if (!isObject(object)) return null;
  return {
    kind: object['kind'],
    apiVersion: object['apiVersion'],
    name: normalizer.text(String(valueAt(object, 'metadata.name') ?? '')),
    ...(withKeys ? { keys: Object.keys(object).sort() } : {}),
  };
}
