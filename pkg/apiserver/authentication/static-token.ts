import { createHash } from 'node:crypto';
import type { UserInfo } from '../../api/user.ts';
import type { AuthenticatedUser } from '../contract.ts';
import type { TokenAuthenticator } from './bearer-token.ts';

/** Users by fixed tokens. Tokens are looked up by hash, so the time taken tells nothing about them. */
export class StaticTokens implements TokenAuthenticator {
  readonly #users = new Map<string, AuthenticatedUser>();

  constructor(users: Iterable<readonly [token: string, user: UserInfo]>) {
    for (const [token, user] of users) this.#users.set(hash(token), { user });
  }

  authenticateToken(token: string): AuthenticatedUser | undefined {
    return this.#users.get(hash(token));
  }
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

/**
 * Reads upstream's `--token-auth-file`: CSV lines of token, user name, uid and optionally a quoted list of groups.
 * Throws an Error naming the line that is wrong.
 */
export function parseTokenFile(text: string): [string, UserInfo][] {
  const users: [string, UserInfo][] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const [token, username, uid, groups] = csvFields(line);
    if (!token || !username || uid === undefined)
      throw new Error(`token file line ${index + 1}: want token, user name, uid and optionally "group1,group2"`);
    const list = groups === undefined || groups === '' ? [] : groups.split(',').map((group) => group.trim());
    users.push([token, { username, ...(uid === '' ? {} : { uid }), groups: list }]);
  });
  return users;
}

function csvFields(line: string): string[] {
  const fields: string[] = [];
  for (const match of line.matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(match[1] === undefined ? (match[2] ?? '').trim() : match[1].replaceAll('""', '"'));
  }
  return fields;
}
