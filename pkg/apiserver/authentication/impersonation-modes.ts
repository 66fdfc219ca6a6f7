import { isStatusError, type StatusError } from '../../api/errors.ts';
import {
  ANONYMOUS_USER,
  AUTHENTICATED_GROUP,
  MASTERS_GROUP,
  UNAUTHENTICATED_GROUP,
  type UserInfo,
} from '../../api/user.ts';
import { goQuote } from '../../api/validation/go-format.ts';
import { isDNS1123Subdomain } from '../../api/validation/names.ts';
import { domainPrefixedPath } from '../../api/validation/values.ts';
import { accessForbidden } from '../authorization/forbidden.ts';
import type { AuthorizationAttributes, Authorizer } from '../contract.ts';
import { parseServiceAccountUsername, serviceAccountGroups } from './service-account-user.ts';

/** What the headers say. */
export interface WantedUser {
  readonly username: string;
  /** '': none. */
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

export interface ImpersonatedUser {
  readonly user: UserInfo;
  /** The verb by which it was allowed, for audit; '': the old one, without limits. */
  readonly constraint: string;
}

/**
 * A way of being allowed to impersonate. With a name it has limits (KEP-5284): the sender needs the verb `impersonate:NAME` for
 * whom it wants to be, and `impersonate-on:NAME:VERB` for what it does as that user. Without one it is the verb `impersonate` of old.
 */
export interface Mode {
  readonly name: string;
  applies(wanted: WantedUser, sender: UserInfo): boolean;
  /** What authorization sees of a request in this mode. */
  seen?(attributes: AuthorizationAttributes): AuthorizationAttributes;
}

const GROUP = 'authentication.k8s.io';
const NODE_PREFIX = 'system:node:';
const NODES_GROUP = 'system:nodes';
const NODE_NAME_KEY = 'authentication.kubernetes.io/node-name';
const ASSOCIATED_NODE_KEYS = 'authentication.kubernetes.io/associated-node-keys';
/** For so many groups, or extra values, the right to all of them is asked for first. */
const MANY = 4;

/** In the order in which they are tried. */
export const MODES: readonly Mode[] = [
  {
    name: 'associated-node',
    applies: (wanted, sender) => isNameOnly(wanted) && isOnNode(sender, nodeName(wanted.username)),
    seen: asAnyNode,
  },
  { name: 'arbitrary-node', applies: (wanted) => isNameOnly(wanted) && nodeName(wanted.username) !== undefined },
  {
    name: 'serviceaccount',
    applies: (wanted) => isNameOnly(wanted) && parseServiceAccountUsername(wanted.username) !== undefined,
  },
  {
    name: 'user-info',
    applies: ({ username }) => nodeName(username) === undefined && parseServiceAccountUsername(username) === undefined,
  },
  { name: '', applies: () => true },
];

type Refused = { readonly refusal: StatusError };

/** Tries to become the wanted user for the request `asked`. Rejects when an authorizer fails. */
export async function attempt(
  mode: Mode,
  wanted: WantedUser,
  asked: AuthorizationAttributes,
  authorizer: Authorizer,
): Promise<ImpersonatedUser | Refused> {
  const check = async (attributes: AuthorizationAttributes): Promise<void> => {
    const seen = mode.seen?.(attributes) ?? attributes;
    const { decision, reason } = await authorizer.authorize(seen);
    if (decision !== 'allow') throw accessForbidden(seen, reason);
  };
  const isLimited = mode.name !== '';
  const verb = isLimited ? `impersonate:${mode.name}` : 'impersonate';
  const base = { ...BLANK, verb, group: isLimited ? GROUP : '', user: asked.user };
  try {
    if (isLimited) await check({ ...asked, verb: `impersonate-on:${mode.name}:${asked.verb}` });
    await check({ ...base, ...identityOf(wanted, isLimited) });
    if (wanted.uid !== '') await check({ ...base, group: GROUP, resource: 'uids', name: wanted.uid });
    await checkGroups({ ...base, resource: 'groups' }, wanted.groups, isLimited, check);
    await checkExtra({ ...base, group: GROUP, resource: 'userextras' }, wanted.extra, isLimited, check);
  } catch (error) {
    if (isStatusError(error) && error.code === 403) return { refusal: error };
    throw error;
  }
  return { user: complete(wanted, isLimited), constraint: isLimited ? verb : '' };
}

const BLANK = {
  isResourceRequest: true,
  path: '',
  version: 'v1',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  subpath: '',
};

type Check = (attributes: AuthorizationAttributes) => Promise<void>;

/** What stands for the user's name in rules. */
function identityOf(
  { username }: WantedUser,
  isLimited: boolean,
): { resource: string; namespace?: string; name: string } {
  const node = isLimited ? nodeName(username) : undefined;
  if (node !== undefined) return { resource: 'nodes', name: node };
  const account = parseServiceAccountUsername(username);
  return account === undefined ? { resource: 'users', name: username } : { resource: 'serviceaccounts', ...account };
}

async function checkGroups(
  attributes: AuthorizationAttributes,
  groups: readonly string[],
  isLimited: boolean,
  check: Check,
): Promise<void> {
  if (isLimited) {
    if (groups.includes('')) throw accessForbidden(attributes, 'impersonating the empty string group is not allowed');
    if (groups.includes(MASTERS_GROUP)) {
      const reason = `impersonating the ${MASTERS_GROUP} group is not allowed`;
      throw accessForbidden({ ...attributes, name: MASTERS_GROUP }, reason);
    }
    if (groups.length >= MANY && (await isAllowed(check({ ...attributes, name: '*' })))) return;
  }
  for (const name of groups) await check({ ...attributes, name });
}

async function checkExtra(
  attributes: AuthorizationAttributes,
  extra: WantedUser['extra'],
  isLimited: boolean,
  check: Check,
): Promise<void> {
  if (isLimited) {
    const problem = extraProblem(extra);
    if (problem !== undefined) throw accessForbidden(attributes, problem);
    const count = [...extra.values()].reduce((sum, values) => sum + values.length, 0);
    if (count >= MANY && (await isAllowed(check({ ...attributes, subresource: '*', name: '*' })))) return;
  }
  for (const [subresource, values] of extra)
    for (const name of values) await check({ ...attributes, subresource, name });
}

async function isAllowed(checked: Promise<void>): Promise<boolean> {
  try {
    await checked;
    return true;
  } catch (error) {
    if (isStatusError(error)) return false;
    throw error;
  }
}

/** What only the old mode lets through. */
function extraProblem(extra: WantedUser['extra']): string | undefined {
  for (const [key, values] of extra) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed';
    const [problem] = domainPrefixedPath(key, 'extra.key');
    if (problem !== undefined)
      return `impersonating an invalid key in extra is not allowed: ${problem.field}: ${problem.message}`;
    if (key !== key.toLowerCase()) return `impersonating a non-lowercase key in extra is not allowed: ${goQuote(key)}`;
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed';
  }
  return undefined;
}

/** The groups that a user has without saying so. */
function complete({ username, uid, groups: wanted, extra }: WantedUser, isLimited: boolean): UserInfo {
  const groups = [...wanted];
  const account = parseServiceAccountUsername(username);
  if (account !== undefined && groups.length === 0) groups.push(...serviceAccountGroups(account.namespace));
  if (isLimited && nodeName(username) !== undefined) groups.push(NODES_GROUP);
  if (username === ANONYMOUS_USER) {
    if (!groups.includes(UNAUTHENTICATED_GROUP)) groups.push(UNAUTHENTICATED_GROUP);
  } else if (!groups.includes(UNAUTHENTICATED_GROUP) && !groups.includes(AUTHENTICATED_GROUP)) {
    groups.push(AUTHENTICATED_GROUP);
  }
  return {
    username,
    ...(uid === '' ? {} : { uid }),
    groups,
    ...(extra.size === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}

function isNameOnly({ uid, groups, extra }: WantedUser): boolean {
  return uid === '' && groups.length === 0 && extra.size === 0;
}

function nodeName(username: string): string | undefined {
  if (!username.startsWith(NODE_PREFIX)) return undefined;
  const name = username.slice(NODE_PREFIX.length);
  return isDNS1123Subdomain(name).length === 0 ? name : undefined;
}

/** A ServiceAccount of a pod on that node. */
function isOnNode({ username, extra }: UserInfo, node: string | undefined): boolean {
  const nodes = extra?.[NODE_NAME_KEY] ?? [];
  const isAccount = parseServiceAccountUsername(username) !== undefined;
  return isAccount && node !== undefined && nodes.length === 1 && nodes[0] === node;
}

/** The right to be one's own node is the same on every node: rules and authorizers see neither its name nor the sender's. */
function asAnyNode(attributes: AuthorizationAttributes): AuthorizationAttributes {
  const { verb, name, user } = attributes;
  const extra = { [ASSOCIATED_NODE_KEYS]: Object.keys(user.extra ?? {}).sort() };
  return { ...attributes, name: verb === 'impersonate:associated-node' ? '*' : name, user: { ...user, extra } };
}
