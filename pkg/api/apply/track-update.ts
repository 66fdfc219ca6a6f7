import type { DeepReadonly } from '../../base/json.ts';
import { atOnce, type Steps } from '../../base/steps.ts';
import type { ManagedFieldsEntry } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import { completeObject } from '../schema/complete.ts';
import type { Schema } from '../schema.ts';
import { formatTime } from '../time.ts';
import { type Comparison, compareSteps } from './compare.ts';
import { difference, emptySet, type FieldSet, isEmptySet, union } from './field-set.ts';
import { KnownComparisons } from './known-comparisons.ts';
import {
  capUpdaters,
  type Managed,
  managedEntries,
  managedOf,
  sameManager,
  startingEntries,
} from './managed-fields.ts';
import { objectSchema } from './object-schema.ts';
import { untrackedFields } from './untracked-fields.ts';
import { type ComparisonFor, comparisonsFor, type VersionViews } from './versions.ts';

/** Who writes, through what. */
export interface WriteRequest {
  /** The fieldManager option, or what the user agent says. */
  readonly manager: string;
  /** The version of the request, and of the objects given. */
  readonly apiVersion: string;
  /** '' for the object itself. */
  readonly subresource: string;
  readonly nowMs: number;
  /** What this write cannot change; see `resetFieldsOf`. */
  readonly resetFields?: readonly string[];
  /**
   * metadata.managedFields as the request has it, before decoding and completing drop an empty list: that resets all
   * ownership. Default: what the object carries.
   */
  readonly requestedEntries?: readonly DeepReadonly<ManagedFieldsEntry>[] | null;
  /** The write as seen in the other versions through which fields of the object have been set. */
  readonly views?: VersionViews;
  /** The objects are large: nothing is asked about them that others of their kind might have answered. Default: false. */
  readonly isLarge?: boolean;
}

type Live = DeepReadonly<KubeObject> | undefined;

/**
 * The metadata.managedFields that `object` gets when it is created (`live` undefined) or replaces `live` by an update or a
 * patch that is no apply: the manager owns all that differs, nobody else does. Undefined: none.
 *
 * Both objects are complete (see `completeObject`) and in the version of the request; `object` carries the managedFields of
 * the request. Objects whose ownership nobody tracked so far stay that way.
 */
export function trackUpdate(...wanted: Parameters<typeof trackUpdateSteps>): ManagedEntries | undefined {
  return atOnce(trackUpdateSteps(...wanted));
}

type ManagedEntries = readonly DeepReadonly<ManagedFieldsEntry>[];

/** The same in steps, each of which takes time by the size of the objects. */
export function* trackUpdateSteps(
  schema: Schema,
  live: Live,
  object: DeepReadonly<KubeObject>,
  request: WriteRequest,
): Steps<ManagedEntries | undefined> {
  const liveEntries = live?.metadata.managedFields;
  const requested = request.requestedEntries === undefined ? object.metadata.managedFields : request.requestedEntries;
  const ignoresRequested = request.subresource !== '' || requested === undefined || requested === null;
  if (live !== undefined && ignoresRequested && (liveEntries?.length ?? 0) === 0) return undefined;
  schema = objectSchema(schema);
  const untracked = untrackedFields(request.resetFields);
  const comparison = yield* live === undefined
    ? compareToEmpty(schema, object, untracked, request.isLarge)
    : compareSteps(schema, live, object, untracked);
  // Nothing changed, ownership included: the stored entries stay as they are.
  if (comparison.same && (ignoresRequested || requested === liveEntries)) return liveEntries;
  yield;
  const managed = ignoresRequested ? managedOf(liveEntries) : startingEntries(liveEntries, requested);
  if (managed.length === 0 && live !== undefined) return undefined;
  yield;
  const comparisonFor = comparisonsFor(comparison, request.views, untracked);
  const recorded = yield* recordUpdate(managed, comparison, request, comparisonFor);
  return managedEntries(capUpdaters(recorded));
}

/** Gives what was added or modified to the manager and takes it, and what was removed, from everyone else. In steps. */
export function* recordUpdate(
  managed: readonly Managed[],
  comparison: Comparison,
  request: WriteRequest,
  comparisonFor: ComparisonFor = comparisonsFor(comparison, undefined, emptySet),
): Steps<Managed[]> {
  const taken = union(comparison.added, comparison.modified);
  const identity = { ...request, operation: 'Update' as const };
  const manager = request.manager === '' ? 'unknown' : request.manager;
  const others: Managed[] = [];
  let own = { manager, operation: 'Update' as const, apiVersion: request.apiVersion, subresource: request.subresource };
  let fields = taken;
  let time = isEmptySet(taken) ? '' : formatTime(request.nowMs);
  for (const entry of managed) {
    const isOwn = sameManager(entry, { ...identity, manager });
    const seen = yield* comparisonFor(entry);
    yield;
    let left = entry.fields;
    // What the manager takes again is its own already, whatever else it had.
    if (!isOwn || seen !== comparison) left = difference(left, union(seen.added, seen.modified));
    yield;
    left = difference(left, seen.removed);
    yield;
    if (isOwn) {
      own = entry as typeof own;
      fields = union(left, taken);
      if (time === '') time = entry.time;
    } else if (!isEmptySet(left)) {
      others.push(left === entry.fields ? entry : { ...entry, fields: left });
    }
    yield;
  }
  const { operation, apiVersion, subresource } = own;
  return isEmptySet(fields) ? others : [...others, { manager, operation, apiVersion, subresource, time, fields }];
}

/** All that differs between an object and one that was just created without content. */
export function compareToEmpty(
  schema: Schema,
  object: DeepReadonly<KubeObject>,
  untracked: FieldSet,
  isLarge = false,
): Steps<Comparison> {
  let known = knownComparisons.get(schema);
  if (known === undefined) {
    known = new KnownComparisons(schema, emptyObject(schema, object.apiVersion, object.kind));
    knownComparisons.set(schema, known);
  }
  return known.compare(object, untracked, isLarge);
}

/** Made once for every type. */
const knownComparisons = new WeakMap<Schema, KnownComparisons>();

/** What there is before an object is created: the fields that are always there. */
function emptyObject(schema: Schema, apiVersion: string, kind: string): Readonly<Record<string, unknown>> {
  const empty = { apiVersion, kind, metadata: {} };
  completeObject(schema, empty);
  return empty;
}
