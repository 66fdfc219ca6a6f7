import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { resources } from '../../api/generated/resources.ts';
import type { SubjectAccessReview, TokenReview } from '../../api/generated/types.ts';
import type { Draft } from '../../api/object.ts';
import type { UserInfo } from '../../api/user.ts';
import { ANONYMOUS_USER, AUTHENTICATED_GROUP, UNAUTHENTICATED_GROUP } from '../../api/user.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { Authenticator, Authorizer, KubeletAttributes } from './auth.ts';

/** Upstream's webhook cache times. */
const AUTHN_TTL_MS = 120_000;
const ALLOWED_TTL_MS = 300_000;
const DENIED_TTL_MS = 30_000;
const MAX_CACHED = 1000;

class ExpiringCache<T> {
  readonly #entries = new Map<string, { value: T; expiresMs: number }>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.expiresMs < this.#clock.monotonic() ? undefined : entry.value;
  }

  set(key: string, value: T, ttlMs: number): void {
    if (this.#entries.size >= MAX_CACHED) this.#entries.clear();
    this.#entries.set(key, { value, expiresMs: this.#clock.monotonic() + ttlMs });
  }
}

/**
 * Client certificates that the server's CA vouches for, else bearer tokens by TokenReview, else anonymous: but not for those who
 * present a certificate that is not good.
 */
export function delegatedAuthenticator(client: Client, clock: Clock): Authenticator {
  const cache = new ExpiringCache<UserInfo>(clock);
  return async (request) => {
    const { socket } = request;
    if (socket instanceof TLSSocket && socket.authorized) {
      const { subject } = socket.getPeerCertificate();
      const organisations = (subject.O ?? []) as string | string[];
      const groups = Array.isArray(organisations) ? organisations : [organisations];
      const username = Array.isArray(subject.CN) ? String(subject.CN[0]) : String(subject.CN ?? '');
      return { username, groups: [...groups, AUTHENTICATED_GROUP] };
    }
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined && presentsCertificate(socket)) return undefined;
    if (token === undefined) return { username: ANONYMOUS_USER, groups: [UNAUTHENTICATED_GROUP] };
    const known = cache.get(token);
    if (known !== undefined) return known;
    const review = await client.create(resources.tokenreviews, { metadata: {}, spec: { token } } as Draft<TokenReview>);
    const user = review.status?.user;
    if (review.status?.authenticated !== true || user === undefined) return undefined;
    const found = {
      username: user.username ?? '',
      groups: user.groups ?? [],
      ...(user.uid === undefined ? {} : { uid: user.uid }),
    };
    cache.set(token, found, AUTHN_TTL_MS);
    return found;
  };
}

function presentsCertificate(socket: Socket): boolean {
  return socket instanceof TLSSocket && Object.keys(socket.getPeerCertificate()).length > 0;
}

/** Asks the API server by SubjectAccessReview on `nodes/SUBRESOURCE` of this node. */
export function delegatedAuthorizer(client: Client, clock: Clock, nodeName: string): Authorizer {
  const cache = new ExpiringCache<boolean>(clock);
  const allowed = async (user: UserInfo, verb: KubeletAttributes['verb'], subresource: string): Promise<boolean> => {
    const key = JSON.stringify([user.username, user.groups, verb, subresource]);
    const known = cache.get(key);
    if (known !== undefined) return known;
    const spec = {
      user: user.username,
      groups: user.groups,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName },
    };
    const review = await client.create(resources.subjectaccessreviews, {
      metadata: {},
      spec,
    } as Draft<SubjectAccessReview>);
    const answer = review.status?.allowed === true;
    cache.set(key, answer, answer ? ALLOWED_TTL_MS : DENIED_TTL_MS);
    return answer;
  };
  return async (user, { verb, subresources }) => {
    for (const subresource of subresources) {
      if (await allowed(user, verb, subresource)) return { allowed: true, reason: '' };
    }
    return {
      allowed: false,
      reason: `Forbidden (user=${user.username}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])`,
    };
  };
}
