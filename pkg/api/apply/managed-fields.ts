import type { DeepReadonly } from '../../base/json.ts';
import { equalJSON } from '../../base/json.ts';
import type { ManagedFieldsEntry } from '../generated/types.ts';
import { type FieldSet, isEmptySet, union } from './field-set.ts';
import { readFieldSet } from './path-element.ts';

/** Most entries of managers that update; older ones are merged into one. */
const maxUpdateManagers = 10;
const ancientManager = 'ancient-changes';

/** One entry of metadata.managedFields: what a manager owns through one kind of operation. */
export interface Managed {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339, or '' when unknown. */
  readonly time: string;
  readonly fields: FieldSet;
}

export type Identity = Pick<Managed, 'manager' | 'operation' | 'apiVersion' | 'subresource'>;

/** Appliers stay the same when they change the version that they use, updaters do not. */
export function sameManager(a: Identity, b: Identity): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
  );
}

type Entries = readonly DeepReadonly<ManagedFieldsEntry>[];

/** The entries of a stored object, whose sets are in canonical form. */
export function managedOf(entries: Entries | null | undefined): Managed[] {
  return (entries ?? []).map((entry) => managedEntry(entry, (entry.fieldsV1 ?? {}) as FieldSet));
}

/** The entries that a client sent. Throws SyntaxError for malformed ones. */
export function readManaged(entries: Entries): Managed[] {
  return entries.map((entry) => {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') {
      throw new SyntaxError(`invalid operation ${JSON.stringify(entry.operation)}`);
    }
    return managedEntry(entry, readFieldSet(entry.fieldsV1 ?? {}));
  });
}

/** What is wrong with metadata.managedFields, in upstream's words; undefined: nothing. */
export function managedFieldsProblem(entries: Entries | null | undefined): string | undefined {
  for (const [index, { operation, apiVersion, fieldsType, fieldsV1, manager }] of (entries ?? []).entries()) {
    if (operation !== 'Apply' && operation !== 'Update') return 'operation must be `Apply` or `Update`';
    if (!apiVersion) return 'apiVersion must not be empty';
    if (!fieldsType) return `missing fieldsType in managed fields entry ${index}`;
    if (fieldsType !== 'FieldsV1')
      return `invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${index}`;
    try {
      readFieldSet(fieldsV1 ?? {});
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return `error decoding versioned set of ${manager ?? ''}: error decoding set: ${error.message}`;
    }
  }
  return undefined;
}

function managedEntry(entry: DeepReadonly<ManagedFieldsEntry>, fields: FieldSet): Managed {
  return {
    manager: entry.manager ?? '',
    operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
    apiVersion: entry.apiVersion ?? '',
    subresource: entry.subresource ?? '',
    time: entry.time ?? '',
    fields,
  };
}

/** metadata.managedFields as it is stored: without empty entries, in upstream's order; undefined when there are none. */
export function managedEntries(managed: readonly Managed[]): ManagedFieldsEntry[] | undefined {
  const kept = managed.filter(({ fields }) => !isEmptySet(fields));
  if (kept.length === 0) return undefined;
  kept.sort(compareManaged);
  return kept.map(({ manager, operation, apiVersion, subresource, time, fields }) => ({
    manager,
    operation,
    apiVersion,
    ...(time === '' ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields as Record<string, unknown>,
    ...(subresource === '' ? {} : { subresource }),
  }));
}

function compareManaged(a: Managed, b: Managed): number {
  return (
    compareText(a.operation, b.operation) ||
    secondsOf(a) - secondsOf(b) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function secondsOf({ time }: Managed): number {
  return time === '' ? 0 : Math.floor(Date.parse(time) / 1000);
}

/**
 * The entries that a write starts from: those of the request when it may and does change them, else those of the live
 * object. An empty list in the request resets them; clients that do not know managedFields do not delete them.
 */
export function startingEntries(live: Entries | undefined, requested: Entries | null | undefined): Managed[] {
  if (requested === undefined || requested === null || requested === live) return managedOf(live);
  if (requested.length === 0 || (requested.length === 1 && Object.keys(requested[0] ?? {}).length === 0)) return [];
  if (equalJSON(requested, live)) return managedOf(live);
  let managed: Managed[];
  try {
    managed = readManaged(requested);
  } catch (error) {
    if (error instanceof SyntaxError) return managedOf(live);
    throw error;
  }
  return managed.every(({ fields }) => isEmptySet(fields)) ? managedOf(live) : managed;
}

/** Merges the oldest updaters of a version into one entry until few enough are left. */
export function capUpdaters(managed: readonly Managed[]): readonly Managed[] {
  const updaters = managed.filter(({ operation }) => operation === 'Update');
  let excess = updaters.length - maxUpdateManagers;
  if (excess <= 0) return managed;
  updaters.sort(compareManaged);
  const merged = new Set<Managed>();
  const buckets = new Map<string, { first: Managed; bucket: Managed | undefined }>();
  for (const updater of updaters) {
    if (excess <= 0) break;
    const found = buckets.get(updater.apiVersion);
    if (found === undefined) {
      buckets.set(updater.apiVersion, { first: updater, bucket: undefined });
      continue;
    }
    const { first, bucket } = found;
    merged.add(first).add(updater);
    found.bucket = {
      manager: ancientManager,
      operation: 'Update',
      apiVersion: updater.apiVersion,
      subresource: '',
      time: updater.time,
      fields: union((bucket ?? first).fields, updater.fields),
    };
    excess--;
  }
  const kept = managed.filter((entry) => !merged.has(entry));
  for (const { bucket } of buckets.values()) if (bucket !== undefined) kept.push(bucket);
  return kept;
}
