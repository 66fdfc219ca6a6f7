import type { ResourceDefinition } from '../../api/definition.ts';
import { badRequest, expired, newStatus, StatusError } from '../../api/errors.ts';
import { isStoreError } from '../../storage/contract.ts';
import type { Query } from '../request/query.ts';
import { type Filter, parseFilter, selectsAll, wholeScope } from '../selection/filter.ts';
import { type Entry, entryOf } from '../watchcache/entry.ts';
import { compareEntries } from '../watchcache/entry-table.ts';
import { storageKey, storagePrefix, storedType } from '../watchcache/watch-cache.ts';
import { type ContinueToken, decodeContinue, encodeContinue } from './continue-token.ts';
import type { RegistryCore } from './core.ts';
import { parseListOptions, parseResourceVersion } from './list-options.ts';
import { matchingEntries } from './list-selection.ts';

const FUTURE_WAIT_MS = 3000;
/**
 * How long a list may be continued in the state where it began. Reads of an old version are answered for as long as
 * history is kept, which is longer than clients expect of a list: conformance tests want the end within ten minutes.
 */
const CONTINUE_MS = 9 * 60_000;
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
  const options = parseListOptions(query, 'list');
  const { limit, resourceVersionMatch: match } = options;
  if (options.continue !== '') {
    const token = decodeContinue(options.continue);
    if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    return continueList(core, filter, limit, token, signal);
  }
  const version = parseResourceVersion(options.resourceVersion, 'list');
  const beganMs = core.deps.clock.now();
  if (match === 'Exact' || (version > 0 && limit > 0 && match === '')) {
    await waitForVersion(core, version, signal);
    const state = await stateAt(core, filter, version, { limit, signal });
    return page(core, filter, limit, state, { revision: version, beganMs });
  }
  const anyVersion = options.resourceVersion === '0';
  if (version > 0) await waitForVersion(core, version, signal);
  else if (!anyVersion) await core.deps.cache.current();
  const cache = core.cacheOf(definition);
  const { revision } = core.deps.cache;
  const candidates = cache.candidates(filter);
  const matching = await matchingEntries(core, candidates, filter);
  cache.lists.served++;
  cache.lists.fetched += candidates.length;
  cache.lists.returned += matching.length;
  const state = {
    matching,
    last: () => cache.select(wholeScope(filter)).at(-1),
  };
  // A list of whatever is there has no pages.
  return page(core, filter, anyVersion ? 0 : limit, state, { revision, beganMs });
}

async function continueList(
  core: RegistryCore,
  filter: Filter,
  limit: number,
  token: ContinueToken,
  signal: AbortSignal,
): Promise<ListResult> {
  const { cache, clock, store } = core.deps;
  const inconsistent = token.revision < 0;
  if (inconsistent) await cache.current();
  const revision = inconsistent ? cache.revision : token.revision;
  await waitForVersion(core, revision, signal);
  const nowMs = clock.now();
  const forgotten = revision < store.compactRevision() && core.cacheOf(filter.definition).historyFloor > revision;
  if (forgotten || (!inconsistent && token.beganMs !== undefined && nowMs - token.beganMs > CONTINUE_MS)) {
    const retry = encodeContinue({ revision: -1, namespace: token.namespace, name: token.name });
    throw new StatusError({ ...newStatus(410, 'Expired', CONTINUE_EXPIRED), metadata: { continue: retry } });
  }
  const state = await stateAt(core, filter, revision, { limit, after: token, signal });
  return page(core, filter, limit, state, { revision, beganMs: inconsistent ? nowMs : (token.beganMs ?? nowMs) });
}

/** Which state a list shows. */
interface Snapshot {
  readonly revision: number;
  /** When its first page was asked for. */
  readonly beganMs: number;
}

/** What a list can be cut from. */
interface ListState {
  readonly matching: readonly Entry[];
  /** True: more follows than was read, nobody knows how much. */
  readonly goesOn?: boolean;
  /** The last object of the scope, whether it matches or not. */
  last(): Entry | undefined;
}

interface StateRequest {
  /** How many entries are wanted; 0: all. */
  readonly limit: number;
  /** Begin after this position. */
  readonly after?: ContinueToken;
  readonly signal: AbortSignal;
}

/** The state of the scope at a revision. */
async function stateAt(
  core: RegistryCore,
  filter: Filter,
  revision: number,
  request: StateRequest,
): Promise<ListState> {
  const { after } = request;
  const remembered = core.cacheOf(filter.definition).at(revision, filter.namespace);
  if (remembered === undefined) {
    const { entries, more } = await readHistory(core, filter, revision, request);
    return { matching: await matchingEntries(core, entries, filter), goesOn: more, last: () => entries.at(-1) };
  }
  const following = after === undefined ? remembered : remembered.slice(positionAfter(remembered, after));
  return { matching: await matchingEntries(core, following, filter), last: () => remembered.at(-1) };
}

/** Values decoded in one turn of the event loop. */
const DECODED_A_TURN = 200;

/** What the store knows of a revision that is no longer remembered; only as much as is wanted. Throws Expired. */
async function readHistory(
  core: RegistryCore,
  filter: Filter,
  revision: number,
  { limit, after, signal }: StateRequest,
): Promise<{ entries: Entry[]; more: boolean }> {
  const type = storedType(filter.definition);
  const prefix =
    filter.namespace === undefined || !type.namespaced ? storagePrefix(type) : storageKey(type, filter.namespace, '');
  try {
    const { store, clock, storageMetrics } = core.deps;
    const started = clock.monotonic();
    const { items, more } = await store.list({
      prefix,
      revision,
      ...(after === undefined ? {} : { startKey: `${storageKey(type, after.namespace, after.name)}\0` }),
      // What matches a selector may come late.
      ...(limit > 0 && selectsAll(filter) ? { limit } : {}),
    });
    storageMetrics.observe('list', filter.definition, clock.monotonic() - started);
    const entries: Entry[] = [];
    for (let at = 0; at < items.length; at += DECODED_A_TURN) {
      if (at > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      if (signal.aborted)
        throw new StatusError(newStatus(504, 'Timeout', 'Timeout: the list was not read to its end', {}));
      for (const { value, modRevision } of items.slice(at, at + DECODED_A_TURN))
        entries.push(entryOf(value, modRevision));
    }
    return { entries, more };
  } catch (error) {
    if (!isStoreError(error, 'COMPACTED')) throw error;
    throw expired('The resourceVersion for the provided list is too old.');
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

async function page(
  core: RegistryCore,
  filter: Filter,
  limit: number,
  state: ListState,
  { revision, beganMs }: Snapshot,
): Promise<ListResult> {
  const { definition } = filter;
  const { matching } = state;
  const shown = limit > 0 && matching.length > limit ? matching.slice(0, limit) : matching;
  const readable = core.readable(definition, shown);
  if (readable !== undefined) await readable;
  const cut = limit > 0 && shown.length === limit && (state.goesOn === true || goesOn(filter, state, limit));
  const entries = definition.storedAs === undefined ? shown : shown.map((entry) => core.view(definition, entry));
  const last = shown.at(-1);
  return {
    definition,
    entries,
    resourceVersion: String(revision),
    ...(cut && last !== undefined
      ? { continue: encodeContinue({ revision, namespace: last.namespace, name: last.name, beganMs }) }
      : {}),
    ...(cut && selectsAll(filter) && state.goesOn !== true ? { remainingItemCount: matching.length - limit } : {}),
  };
}

/** Whether a page that is full is not the last: as upstream, what follows need not match. */
function goesOn(filter: Filter, { matching, last }: ListState, limit: number): boolean {
  if (matching.length > limit) return true;
  if (filter.name !== undefined || selectsAll(filter)) return false;
  const [shown, end] = [matching.at(-1), last()];
  return shown !== undefined && end !== undefined && compareEntries(end, shown) > 0;
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
