import type { IncomingHttpHeaders } from 'node:http';
import { internalError } from '../../api/errors.ts';
import { ANONYMOUS_USER, AUTHENTICATED_GROUP, UNAUTHENTICATED_GROUP, type UserInfo } from '../../api/user.ts';
import { accessForbidden } from '../authorization/forbidden.ts';
import type { AuthorizationAttributes, Authorizer } from '../contract.ts';
import { parseServiceAccountUsername, serviceAccountGroups } from './service-account-user.ts';

const EXTRA_PREFIX = 'impersonate-extra-';

/**
 * The user that a request wants to be by its Impersonate-* headers; undefined: itself. Throws Forbidden when `user` may not
 * be that user, one of its groups, its uid or one of its extra values; InternalError for headers without Impersonate-User.
 * `rawHeaders` (name, value, name, value, ...) is needed because Node joins repeated headers with commas.
 */
export async function impersonate(
  user: UserInfo,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  authorizer: Authorizer,
): Promise<UserInfo | undefined> {
  const wanted = parseHeaders(headers, rawHeaders);
  if (wanted === undefined) return undefined;
  for (const check of checks(wanted)) {
    const attributes: AuthorizationAttributes = { ...blank, ...check, user };
    const { decision, reason } = await authorizer.authorize(attributes);
    if (decision !== 'allow') throw accessForbidden(attributes, reason);
  }
  return complete(wanted);
}

interface Wanted {
  readonly username: string;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

const blank = {
  isResourceRequest: true,
  path: '',
  verb: 'impersonate',
  group: '',
  version: 'v1',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  subpath: '',
};

type Check = Partial<Omit<AuthorizationAttributes, 'user'>>;

function parseHeaders(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): Wanted | undefined {
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
  if (username === '') {
    if (uid === '' && groups.length === 0 && extra.size === 0) return undefined;
    throw internalError(
      new Error('requested impersonation of a group, uid or extra value without impersonating a user'),
    );
  }
  return { username, uid: uid === '' ? undefined : uid, groups, extra };
}

function checks(wanted: Wanted): Check[] {
  const account = parseServiceAccountUsername(wanted.username);
  const list: Check[] = [
    account === undefined
      ? { resource: 'users', name: wanted.username }
      : { resource: 'serviceaccounts', namespace: account.namespace, name: account.name },
  ];
  for (const group of wanted.groups) list.push({ resource: 'groups', name: group });
  const group = 'authentication.k8s.io';
  for (const [key, values] of wanted.extra)
    for (const value of values) list.push({ group, resource: 'userextras', subresource: key, name: value });
  if (wanted.uid !== undefined) list.push({ group, resource: 'uids', name: wanted.uid });
  return list;
}

function complete(wanted: Wanted): UserInfo {
  const groups = [...wanted.groups];
  const account = parseServiceAccountUsername(wanted.username);
  if (account !== undefined && groups.length === 0) groups.push(...serviceAccountGroups(account.namespace));
  const everyone = wanted.username === ANONYMOUS_USER ? UNAUTHENTICATED_GROUP : AUTHENTICATED_GROUP;
  if (!groups.includes(AUTHENTICATED_GROUP) && !groups.includes(UNAUTHENTICATED_GROUP)) groups.push(everyone);
  return {
    username: wanted.username,
    ...(wanted.uid === undefined ? {} : { uid: wanted.uid }),
    groups,
    ...(wanted.extra.size === 0 ? {} : { extra: Object.fromEntries(wanted.extra) }),
  };
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
