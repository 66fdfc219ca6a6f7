import { badRequest, type FieldError, invalid, newStatus, StatusError } from '../../api/errors.ts';
import type { Query } from '../request/query.ts';

/** What a list, watch or deletecollection asks for, apart from its selectors. */
export interface ListOptions {
  /** 0: no limit. */
  readonly limit: number;
  readonly continue: string;
  /** As received: absent and '0' mean different things. */
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  /** undefined: not said, and nothing says that for the client either. */
  readonly sendInitialEvents: boolean | undefined;
  readonly allowWatchBookmarks: boolean;
  readonly timeoutSeconds: number | undefined;
}

/** Upstream's ValidateListOptions; throws BadRequest for what is no number, Invalid for what does not go together. */
export function parseListOptions(query: Query, verb: 'list' | 'watch'): ListOptions {
  const timeoutSeconds = query.integer('timeoutSeconds');
  const limit = Math.max(0, query.integer('limit') ?? 0);
  const given = query.has('sendInitialEvents') ? query.flag('sendInitialEvents') : undefined;
  const options = {
    limit,
    continue: query.get('continue'),
    resourceVersion: query.get('resourceVersion'),
    resourceVersionMatch: query.get('resourceVersionMatch'),
    sendInitialEvents: given,
    allowWatchBookmarks: query.flag('allowWatchBookmarks'),
    timeoutSeconds,
  };
  const errors = verb === 'watch' ? watchErrors(options) : listErrors(options);
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
  return verb === 'watch' && query.flag('watch') ? withDefaults(options) : options;
}

/** A watch from the present state is one of initial events, whether or not the client knows the word. */
function withDefaults(options: ListOptions): ListOptions {
  const { sendInitialEvents, resourceVersionMatch, resourceVersion } = options;
  if (sendInitialEvents !== undefined || resourceVersionMatch !== '') return options;
  return resourceVersion === '' || resourceVersion === '0' ? { ...options, sendInitialEvents: true } : options;
}

function listErrors(options: ListOptions): FieldError[] {
  const errors: FieldError[] = [];
  const { resourceVersionMatch: match, resourceVersion } = options;
  if (match !== '') {
    if (resourceVersion === '') {
      errors.push(matchForbidden('resourceVersionMatch is forbidden unless resourceVersion is provided'));
    }
    if (options.continue !== '') errors.push(matchForbidden(WITH_CONTINUE));
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push(matchNotSupported(match, '"Exact", "NotOlderThan", ""'));
    }
    if (match === 'Exact' && resourceVersion === '0') {
      errors.push(matchForbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (options.sendInitialEvents !== undefined) {
    const message = 'Forbidden: sendInitialEvents is forbidden for list';
    errors.push({ type: 'FieldValueForbidden', field: 'sendInitialEvents', message });
  }
  return errors;
}

function watchErrors(options: ListOptions): FieldError[] {
  const errors: FieldError[] = [];
  const { resourceVersionMatch: match, sendInitialEvents } = options;
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(matchForbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  if (match === '') return errors;
  if (sendInitialEvents === undefined) {
    errors.push(matchForbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
  }
  if (match !== 'NotOlderThan') errors.push(matchNotSupported(match, '"NotOlderThan"'));
  if (options.continue !== '') errors.push(matchForbidden(WITH_CONTINUE));
  return errors;
}

const WITH_CONTINUE = 'resourceVersionMatch is forbidden when continue is provided';

function matchForbidden(text: string): FieldError {
  return { type: 'FieldValueForbidden', field: 'resourceVersionMatch', message: `Forbidden: ${text}` };
}

function matchNotSupported(match: string, supported: string): FieldError {
  const message = `Unsupported value: ${JSON.stringify(match)}: supported values: ${supported}`;
  return { type: 'FieldValueNotSupported', field: 'resourceVersionMatch', message };
}

/**
 * The revision that a resourceVersion names, 0 for absent and '0'. Upstream answers a list from what is no version with
 * BadRequest, a get or a watch with an error without a class.
 */
export function parseResourceVersion(text: string, verb: 'list' | 'get' | 'watch'): number {
  if (text === '' || text === '0') return 0;
  const problem = !/^\d+$/.test(text) ? 'invalid syntax' : BigInt(text) > MAX_UINT64 ? 'value out of range' : undefined;
  if (problem === undefined) return Number(text);
  const quoted = JSON.stringify(text);
  const message = `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${problem}`;
  if (verb === 'list') throw badRequest(`invalid resource version: ${message}`);
  throw new StatusError(newStatus(500, '', message));
}

const MAX_UINT64 = 2n ** 64n - 1n;
