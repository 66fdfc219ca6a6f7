import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import { atOnce, type Steps } from '../../base/steps.ts';
import { badRequest, newStatus, StatusError } from '../errors.ts';
import type { ManagedFieldsEntry } from '../generated/types.ts';
import { type KubeObject, parseAPIVersion } from '../object.ts';
import type { Schema } from '../schema.ts';
import { formatTime } from '../time.ts';
import { appliedSteps } from './applied-set.ts';
import { configErrors } from './check-config.ts';
import { compareSteps } from './compare.ts';
import { applyConflict, type Conflict } from './conflicts.ts';
import { difference, emptySet, type FieldSet, intersection, isEmptySet, setOf, union } from './field-set.ts';
import { kubectlManager, syncedAnnotations, unchangedSinceLastApplied } from './last-applied.ts';
import { type Managed, managedEntries, managedOf, sameManager } from './managed-fields.ts';
import { mergeConfig } from './merge.ts';
import { objectSchema } from './object-schema.ts';
import { pruneUnowned } from './prune.ts';
import { compareToEmpty, recordUpdate, type WriteRequest } from './track-update.ts';
import { untrackedFields } from './untracked-fields.ts';
import { type ComparisonFor, comparisonsFor } from './versions.ts';

/** Who owned everything of an object whose ownership nobody tracked before it was first applied. */
const beforeFirstApply = 'before-first-apply';

export interface ApplyRequest extends WriteRequest {
  readonly kind: string;
  /** Take over what others own instead of failing. */
  readonly force: boolean;
}

/**
 * Server-side apply: `live` (undefined when the object does not exist yet) with what `config` says, without what the same
 * manager applied before and does not any more, and with its managedFields. The result shares unchanged parts with
 * the arguments and is neither defaulted nor validated; it carries resourceVersion and uid of the configuration, if any.
 *
 * Throws BadRequest for a configuration of another kind or with managedFields, upstream's unclassified error (code 500) for
 * fields that the schema does not have, and Conflict when others own what the configuration changes. Each step takes time by
 * the size of the objects.
 */
export function* applySteps(
  schema: Schema,
  live: DeepReadonly<KubeObject> | undefined,
  config: DeepReadonly<Record<string, unknown>>,
  request: ApplyRequest,
): Steps<DeepReadonly<KubeObject>> {
  schema = objectSchema(schema);
  checkConfig(schema, config, request);
  yield;
  const untracked = untrackedFields(request.resetFields);
  const { manager, apiVersion, subresource, nowMs } = request;
  const fields = yield* appliedSteps(schema, config, untracked);
  const own: Managed = { manager, operation: 'Apply', apiVersion, subresource, time: formatTime(nowMs), fields };
  if (live === undefined) return finish(config as DeepReadonly<KubeObject>, config, managedEntries([own]), request);

  yield;
  let managed = managedOf(live.metadata.managedFields);
  if (managed.length === 0) managed = yield* ownedBefore(schema, live, untracked, request);
  yield;
  const last = managed.find((entry) => sameManager(entry, own));
  const others = managed.filter((entry) => entry !== last);
  let object = mergeConfig(schema, live, config);
  yield;
  if (last !== undefined && !isEmptySet(last.fields)) {
    let owned = union(fields, identityOf(config));
    for (const entry of others) {
      owned = union(owned, entry.fields);
      yield;
    }
    object = pruneUnowned(schema, object, last.fields, owned);
    yield;
  }

  const comparison = yield* compareSteps(schema, live, object, untracked);
  const comparisonFor = comparisonsFor(comparison, request.views, untracked);
  if (!request.force) {
    const conflicts = yield* findConflicts(others, comparisonFor);
    yield;
    refuseConflicts(schema, live, conflicts, request);
  }
  // The time is that of the last apply that changed the object: a manager that only joins others has none.
  const unchanged = comparison.same && equalJSON(object, live);
  yield;
  const left = yield* yieldFields(others, comparisonFor);
  const entries = managedEntries([...left, unchanged ? { ...own, time: last?.time ?? '' } : own]);
  yield;
  return finish(object as KubeObject, config, entries, request);
}

/** The same at once. */
export function apply(...wanted: Parameters<typeof applySteps>): DeepReadonly<KubeObject> {
  return atOnce(applySteps(...wanted));
}

function checkConfig(schema: Schema, config: DeepReadonly<Record<string, unknown>>, request: ApplyRequest): void {
  const apiVersion = typeof config['apiVersion'] === 'string' ? config['apiVersion'] : '';
  const kind = typeof config['kind'] === 'string' ? config['kind'] : '';
  const { group, version } = parseAPIVersion(apiVersion);
  const fullKind = `${group}/${version}, Kind=${kind}`;
  if (apiVersion !== request.apiVersion || kind !== request.kind) {
    throw badRequest(`invalid object type: ${fullKind}`);
  }
  const metadata = (config['metadata'] ?? {}) as Readonly<Record<string, unknown>>;
  if (metadata['managedFields'] !== undefined && metadata['managedFields'] !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const errors = configErrors(schema, config);
  if (errors.length === 0) return;
  const about = `${metadata['namespace'] ?? ''}/${metadata['name'] ?? ''}; ${fullKind}`;
  const text = errors.length === 1 ? errors[0] : ['errors:', ...errors.map((error) => `  ${error}`)].join('\n');
  throw new StatusError(newStatus(500, '', `failed to create typed patch object (${about}): ${text}`));
}

const namedOnly = setOf(['f:metadata', 'f:name']);

/** The name is the applier's as long as it applies: the metadata does not go with the last label that it gives up. */
function identityOf({ metadata }: DeepReadonly<Record<string, unknown>>): FieldSet {
  const isNamed = typeof metadata === 'object' && metadata !== null && 'name' in metadata;
  return isNamed ? namedOnly : emptySet;
}

/** Before the first apply, everything belongs to whoever wrote the object until then. */
function* ownedBefore(
  schema: Schema,
  live: DeepReadonly<KubeObject>,
  untracked: FieldSet,
  request: ApplyRequest,
): Steps<Managed[]> {
  const comparison = yield* compareToEmpty(schema, live, untracked, request.isLarge);
  return yield* recordUpdate([], comparison, { ...request, manager: beforeFirstApply });
}

function* findConflicts(others: readonly Managed[], comparisonFor: ComparisonFor): Steps<Conflict[]> {
  const conflicts: Conflict[] = [];
  for (const owner of others) {
    const { added, modified } = yield* comparisonFor(owner);
    const changed = union(added, modified);
    yield;
    const fields = intersection(owner.fields, changed);
    if (!isEmptySet(fields)) conflicts.push({ owner, fields });
    yield;
  }
  return conflicts;
}

/** kubectl may override what client-side apply owns, when that is what client-side apply last set. */
function refuseConflicts(
  schema: Schema,
  live: DeepReadonly<KubeObject>,
  conflicts: readonly Conflict[],
  request: ApplyRequest,
): void {
  if (conflicts.length === 0) return;
  const allowed = request.manager === kubectlManager ? unchangedSinceLastApplied(schema, live) : emptySet;
  const refused = conflicts
    .map(({ owner, fields }) => ({ owner, fields: difference(fields, allowed) }))
    .filter(({ fields }) => !isEmptySet(fields));
  if (refused.length > 0) throw applyConflict(refused);
}

/** The others' entries without what the applier took over or removed. */
function* yieldFields(others: readonly Managed[], comparisonFor: ComparisonFor): Steps<Managed[]> {
  const yielded: Managed[] = [];
  for (const entry of others) {
    const { added, modified, removed } = yield* comparisonFor(entry);
    const kept = difference(entry.fields, union(added, modified));
    yield;
    const left = difference(kept, removed);
    yielded.push(left === entry.fields ? entry : { ...entry, fields: left });
    yield;
  }
  return yielded;
}

function finish(
  object: DeepReadonly<KubeObject>,
  config: unknown,
  managedFields: ManagedFieldsEntry[] | undefined,
  request: ApplyRequest,
): DeepReadonly<KubeObject> {
  const annotations = request.manager === kubectlManager ? syncedAnnotations(object, config) : undefined;
  const { managedFields: _, ...metadata } = (object.metadata ?? {}) as DeepReadonly<KubeObject['metadata']>;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(annotations === undefined ? {} : { annotations }),
      ...(managedFields === undefined ? {} : { managedFields }),
    },
  };
}
