import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Secret } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { isPasswordOf, isSupportedHash } from './password-hash.ts';
import type { BasicAuthSettings } from './settings.ts';

/** 'unavailable': the Secret that names the users is not there, or nobody is in it. */
export type BasicAuthResult = 'ok' | 'denied' | 'unavailable';

interface Users {
  readonly version: string;
  readonly hashes: ReadonlyMap<string, string>;
  /** Credentials that were right, by their digest: the hashes are made to be slow. */
  readonly proven: LRUCache<string, true>;
}

const MAX_PROVEN = 1000;

/** Checks user names and passwords against the Secrets of Ingresses. */
export class BasicAuth {
  readonly #secretOf: (key: string) => DeepReadonly<Secret> | undefined;
  /** By Secret and kind. */
  readonly #users = new Map<string, Users>();

  constructor(secretOf: (key: string) => DeepReadonly<Secret> | undefined) {
    this.#secretOf = secretOf;
  }

  /** `authorization`: the header that came. */
  check(namespace: string, { secret, kind }: BasicAuthSettings, authorization: string | undefined): BasicAuthResult {
    const users = this.#load(`${namespace}/${secret}`, kind);
    if (users === undefined || users.hashes.size === 0) return 'unavailable';
    const encoded = /^basic +([\w+/=-]+)$/i.exec(authorization ?? '')?.[1];
    if (encoded === undefined) return 'denied';
    const credentials = Buffer.from(encoded, 'base64').toString();
    const digest = hash('sha256', credentials, 'base64');
    if (users.proven.has(digest)) return 'ok';
    const colon = credentials.indexOf(':');
    const expected = colon < 0 ? undefined : users.hashes.get(credentials.slice(0, colon));
    if (expected === undefined || !isPasswordOf(expected, credentials.slice(colon + 1))) return 'denied';
    users.proven.set(digest, true);
    return 'ok';
  }

  #load(key: string, kind: BasicAuthSettings['kind']): Users | undefined {
    const secret = this.#secretOf(key);
    const id = `${kind} ${key}`;
    if (secret === undefined) {
      this.#users.delete(id);
      return undefined;
    }
    const version = `${secret.metadata.uid} ${secret.metadata.resourceVersion}`;
    const known = this.#users.get(id);
    if (known?.version === version) return known;
    const users = { version, hashes: hashesOf(secret, kind), proven: new LRUCache<string, true>({ max: MAX_PROVEN }) };
    this.#users.set(id, users);
    return users;
  }
}

/** What is wrong with a Secret of users; one sentence each. */
export function problemsOfUsers(
  secret: DeepReadonly<Secret> | undefined,
  { secret: name, kind }: BasicAuthSettings,
): string[] {
  if (secret === undefined) return [`Secret ${name} with users is not there`];
  const hashes = hashesOf(secret, kind);
  if (hashes.size === 0) return [`Secret ${name} has no users${kind === 'auth-file' ? ' under auth' : ''}`];
  return [...hashes].flatMap(([user, text]) =>
    isSupportedHash(text) ? [] : [`Secret ${name}: the password hash of ${user} is of a kind that is not supported`],
  );
}

/** Hash by user. */
function hashesOf({ data = {} }: DeepReadonly<Secret>, kind: BasicAuthSettings['kind']): Map<string, string> {
  const decode = (value: string): string => Buffer.from(value, 'base64').toString();
  const hashes = new Map<string, string>();
  if (kind === 'auth-map') {
    for (const [user, value] of Object.entries(data)) hashes.set(user, decode(value).trim());
    return hashes;
  }
  for (const line of decode(data['auth'] ?? '').split(/\r?\n/)) {
    const [, user, text] = /^([^:#]+):([^:]+)/.exec(line.trim()) ?? [];
    if (user !== undefined && text !== undefined) hashes.set(user, text);
  }
  return hashes;
}
