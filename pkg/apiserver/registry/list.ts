import type { ResourceDefinition } from '../../api/definition.ts';
import { badRequest, expired, invalid, newStatus, StatusError } from '../../api/errors.ts';
import { isStoreError } from '../../storage/contract.ts';
import type { Query } from '../request/query.ts';
import { type Filter, matches, parseFilter, selectsAll } from '../selection/filter.ts';
import { type Entry, entryOf } from '../watchcache/entry.ts';
import { compareEntries } from '../watchcache/entry-table.ts';
import { filterEntries } from '../watchcache/resource-cache.ts';
import { storageKey, storagePrefix, storedType } from '../watchcache/watch-cache.ts';
import { type ContinueToken, decodeContinue, encodeContinue } from './continue-token.ts';
import type { RegistryCore } from './core.ts';

const FUTURE_WAIT_MS = 3000;
const CONTINUE_EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

export interface ListResult {
  readonly definition: ResourceDefinition;
  readonly entries: readonly Entry[];
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** Upstream's list semantics: resourceVersion, resourceVersionMatch, limit and continue in all their combinations. */
export async function listObjects(
  core: RegistryCore,
  definition: ResourceDefinition,
  namespace: string | undefined,
  query: Query,
  signal: AbortSignal,
): Promise<ListResult> {
  const labelSelector = query.get('labelSelector');
  const filter = parseFilter(definition, namespace, { labelSelector, fieldSelector: query.get('fieldSelector') });
  const limit = query.integer('limit') ?? 0;
  if (limit < 0) throw badRequest(`limit must be zero or positive: ${limit}`);
  const token = query.get('continue');
  const version = parseResourceVersion(query.get('resourceVersion'));
  const match = query.get('resourceVersionMatch');
  checkVersionMatch(definition, query, match, version, token);
  if (token !== '') return continueList(core, filter, limit, decodeContinue(token), signal);
  if (match === 'Exact' || (version > 0 && limit > 0 && match === '')) {
    await waitForVersion(core, version, signal);
    return page(core, filter, limit, await entriesAt(core, filter, version, undefined, version), version);
  }
  if (version > 0) await waitForVersion(core, version, signal);
  else if (query.get('resourceVersion') !== '0') await core.deps.cache.current();
  const cache = core.cacheOf(definition);
  return page(core, filter, limit, cache.select(filter), core.deps.cache.revision);
}

async function continueList(
  core: RegistryCore,
  filter: Filter,
  limit: number,
  token: ContinueToken,
  signal: AbortSignal,
): Promise<ListResult> {
  const { cache, store } = core.deps;
  const inconsistent = token.revision < 0;
  if (inconsistent) await cache.current();
  const revision = inconsistent ? cache.revision : token.revision;
  await waitForVersion(core, revision, signal);
  if (revision < store.compactRevision() && core.cacheOf(filter.definition).historyFloor > revision) {
    const retry = encodeContinue({ revision: -1, namespace: token.namespace, name: token.name });
    throw new StatusError({ ...newStatus(410, 'Expired', CONTINUE_EXPIRED), metadata: { continue: retry } });
  }
  const entries = await entriesAt(core, filter, revision, token, revision);
  return page(core, filter, limit, entries, revision);
}

/** The matching entries of the scope at a revision, after a position. */
async function entriesAt(
  core: RegistryCore,
  filter: Filter,
  revision: number,
  after: ContinueToken | undefined,
  asked: number,
): Promise<Entry[]> {
  const remembered = core.cacheOf(filter.definition).at(revision, filter.namespace);
  const all = remembered ?? (await readHistory(core, filter, revision, asked));
  const following = after === undefined ? all : all.slice(positionAfter(all, after));
  return filterEntries(following, filter);
}

async function readHistory(core: RegistryCore, filter: Filter, revision: number, asked: number): Promise<Entry[]> {
  const type = storedType(filter.definition);
  const prefix =
    filter.namespace === undefined || !type.namespaced ? storagePrefix(type) : storageKey(type, filter.namespace, '');
  try {
    const { items } = await core.deps.store.list({ prefix, revision });
    return items.map((item) => entryOf(item.value, item.modRevision));
  } catch (error) {
    if (!isStoreError(error, 'COMPACTED')) throw error;
    throw expired(`The resourceVersion for the provided list is too old: ${asked} (${error.compactRevision ?? 0})`);
  }
}

function positionAfter(entries: readonly Entry[], token: ContinueToken): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry !== undefined && compareEntries(entry, token) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function page(
  core: RegistryCore,
  filter: Filter,
  limit: number,
  matching: readonly Entry[],
  revision: number,
): ListResult {
  const { definition } = filter;
  const cut = limit > 0 && matching.length > limit;
  const shown = cut ? matching.slice(0, limit) : matching;
  const entries = definition.storedAs === undefined ? shown : shown.map((entry) => core.view(definition, entry));
  const last = shown.at(-1);
  return {
    definition,
    entries,
    resourceVersion: String(revision),
    ...(cut && last !== undefined
      ? { continue: encodeContinue({ revision, namespace: last.namespace, name: last.name }) }
      : {}),
    ...(cut && selectsAll(filter) ? { remainingItemCount: matching.length - limit } : {}),
  };
}

/** Objects of a list or of a deletecollection that match now. */
export function selectNow(core: RegistryCore, filter: Filter): Entry[] {
  return core
    .cacheOf(filter.definition)
    .select(filter)
    .filter((entry) => matches(filter, entry));
}

/** 0 for absent and '0'. Throws Invalid. */
export function parseResourceVersion(text: string): number {
  if (text === '' || text === '0') return 0;
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text))) {
    throw invalidOptions(
      'resourceVersion',
      `Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return Number(text);
}

function invalidOptions(
  field: string,
  message: string,
  type: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueNotSupported' = 'FieldValueInvalid',
): StatusError {
  return invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [{ type, field, message }]);
}

function checkVersionMatch(
  _definition: ResourceDefinition,
  query: Query,
  match: string,
  version: number,
  token: string,
): void {
  if (match !== '') {
    if (!query.get('resourceVersion')) {
      throw invalidOptions(
        'resourceVersionMatch',
        'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
        'FieldValueForbidden',
      );
    }
    if (token !== '') {
      throw invalidOptions(
        'resourceVersionMatch',
        'Forbidden: resourceVersionMatch is forbidden when continue is provided',
        'FieldValueForbidden',
      );
    }
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      throw invalidOptions(
        'resourceVersionMatch',
        `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
        'FieldValueNotSupported',
      );
    }
    if (match === 'Exact' && version === 0) {
      throw invalidOptions(
        'resourceVersionMatch',
        'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        'FieldValueForbidden',
      );
    }
  }
  if (query.flag('sendInitialEvents')) {
    throw invalidOptions(
      'sendInitialEvents',
      'Forbidden: sendInitialEvents is forbidden for list',
      'FieldValueForbidden',
    );
  }
  if (token !== '' && version > 0) {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
}

/** Waits a little for a revision that is not there yet. Throws Timeout. */
export async function waitForVersion(core: RegistryCore, version: number, signal: AbortSignal): Promise<void> {
  const { cache } = core.deps;
  if (cache.revision >= version) return;
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(FUTURE_WAIT_MS)]);
  await cache.waitFor(version, deadline);
  if (cache.revision >= version) return;
  const message = `Too large resource version: ${version}, current: ${cache.revision}`;
  throw new StatusError(
    newStatus(504, 'Timeout', `Timeout: ${message}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    }),
  );
}
