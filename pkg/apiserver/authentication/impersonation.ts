import type { IncomingHttpHeaders } from 'node:http';
import { internalError, type StatusError } from '../../api/errors.ts';
import type { AuthorizationAttributes, Authorizer } from '../contract.ts';
import { attempt, type ImpersonatedUser, MODES, type WantedUser } from './impersonation-modes.ts';

const EXTRA_PREFIX = 'impersonate-extra-';
/** Of so many senders it is remembered which mode let them impersonate last. */
const MAX_REMEMBERED = 10_000;

/** Turns requests into those of other users, where their senders may do that: upstream's filters/impersonation. */
export class Impersonator {
  readonly #authorizer: Authorizer;
  /** Index in MODES by user name. */
  readonly #lastModes = new Map<string, number>();

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  /**
   * The user that a request wants to be by its Impersonate-* headers; undefined: itself. `asked` gives the request as its sender
   * made it. Throws Forbidden when the sender may not be that user in any mode (the refusal of the first is told), InternalError for
   * headers without Impersonate-User. `rawHeaders` (name, value, name, value, ...) is needed because Node joins repeated headers
   * with commas.
   */
  async impersonate(
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    asked: () => AuthorizationAttributes,
  ): Promise<ImpersonatedUser | undefined> {
    const wanted = parseHeaders(headers, rawHeaders);
    if (wanted === undefined) return undefined;
    const request = asked();
    const sender = request.user.username;
    const last = this.#lastModes.get(sender);
    const order = [...MODES.keys()].sort((a, b) => Number(b === last) - Number(a === last));
    let refusal: StatusError | undefined;
    for (const index of order) {
      const mode = MODES[index];
      if (mode === undefined || !mode.applies(wanted, request.user)) continue;
      const result = await attempt(mode, wanted, request, this.#authorizer);
      if ('user' in result) {
        this.#remember(sender, index);
        return result;
      }
      refusal ??= result.refusal;
    }
    throw refusal ?? new Error('all impersonation modes failed');
  }

  #remember(sender: string, index: number): void {
    this.#lastModes.delete(sender);
    this.#lastModes.set(sender, index);
    if (this.#lastModes.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#lastModes.keys()) {
      this.#lastModes.delete(oldest);
      break;
    }
  }
}

function parseHeaders(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): WantedUser | undefined {
  const username = single(headers['impersonate-user']);
  const uid = single(headers['impersonate-uid']);
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    if (name === 'impersonate-group') groups.push(value);
    else if (name.startsWith(EXTRA_PREFIX)) {
      const key = unescapeKey(name.slice(EXTRA_PREFIX.length));
      const values = extra.get(key);
      if (values === undefined) extra.set(key, [value]);
      else values.push(value);
    }
  }
  const wanted = { username, uid, groups, extra };
  if (username !== '') return wanted;
  if (uid === '' && groups.length === 0 && extra.size === 0) return undefined;
  throw internalError(new Error('requested impersonation of a group, uid or extra value without impersonating a user'));
}

function single(value: string | string[] | undefined): string {
  return Array.isArray(value) ? (value[0] ?? '') : (value ?? '');
}

/** Extra keys may be percent-encoded, since header names cannot hold every character. */
function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
