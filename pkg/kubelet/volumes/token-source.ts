import { resources } from '../../api/generated/resources.ts';
import type { TokenRequest } from '../../api/generated/types.ts';
import type { ResourceType } from '../../api/object.ts';
import { formatTime, parseTime } from '../../api/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { Pod } from '../types.ts';

export interface TokenSource {
  /** A token of the pod's service account, bound to the pod; cached until it is due for rotation. */
  token(pod: Pod, audience: string, expirationSeconds: number): Promise<{ token: string; refreshAtMs: number }>;
  release(podUID: string): void;
}

const MAX_AGE_MS = 24 * 3_600_000;
const DEFAULT_EXPIRATION_SECONDS = 3600;

/** Asks the API server for tokens; they are replaced after 80 % of their life, or a day. */
export class ServiceAccountTokens implements TokenSource {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, { token: string; madeAtMs: number; refreshAtMs: number }>();

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async token(
    pod: Pod,
    audience: string,
    expirationSeconds = DEFAULT_EXPIRATION_SECONDS,
  ): Promise<{ token: string; refreshAtMs: number }> {
    const { namespace, name, uid } = pod.metadata;
    const account = pod.spec.serviceAccountName || 'default';
    const key = `${uid}/${account}/${audience}/${expirationSeconds}`;
    const known = this.#tokens.get(key);
    const now = this.#clock.now();
    // After the clock was set back, a token is not valid yet.
    if (known !== undefined && known.madeAtMs <= now && known.refreshAtMs > now) return known;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: audience === '' ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    };
    const answer = await this.#client.createSubresource<TokenRequest>(
      resources.serviceaccounts as ResourceType,
      { namespace, name: account },
      'token',
      body,
    );
    const { token = '', expirationTimestamp = formatTime(now) } = answer.status;
    const lifeMs = parseTime(expirationTimestamp) - now;
    const made = { token, madeAtMs: now, refreshAtMs: now + Math.min(lifeMs * 0.8, MAX_AGE_MS) };
    this.#tokens.set(key, made);
    return made;
  }

  release(podUID: string): void {
    for (const key of this.#tokens.keys()) if (key.startsWith(`${podUID}/`)) this.#tokens.delete(key);
  }
}
