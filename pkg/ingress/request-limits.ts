import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import type { LimitSettings } from './settings.ts';

/** Clients that are remembered of an Ingress, and Ingresses that are. */
const MAX_CLIENTS = 20_000;
const MAX_INGRESSES = 1000;

/** How far a client is ahead of its rate: requests, less what time has allowed since. */
interface Bucket {
  excess: number;
  atMs: number;
}

class IngressState {
  readonly concurrent = new Map<string, number>();
  readonly perMinute = new LRUCache<string, Bucket>({ max: MAX_CLIENTS });
  readonly perSecond = new LRUCache<string, Bucket>({ max: MAX_CLIENTS });
}

const nothing = (): void => {};

/** Counts the requests of client addresses as nginx's `limit_conn` and `limit_req ... nodelay` do. */
export class RequestLimits {
  readonly #clock: Clock;
  readonly #ingresses = new LRUCache<string, IngressState>({ max: MAX_INGRESSES });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined: it is one too many. Else call what is returned when the request is over. */
  admit(ingress: string, limits: LimitSettings, address: string): (() => void) | undefined {
    if (limits.exempts?.(address) === true) return nothing;
    let state = this.#ingresses.get(ingress);
    if (state === undefined) {
      state = new IngressState();
      this.#ingresses.set(ingress, state);
    }
    const { concurrent } = state;
    const running = concurrent.get(address) ?? 0;
    if (limits.concurrent !== undefined && running >= limits.concurrent) return undefined;
    const { perSecond, perMinute, burstFactor } = limits;
    if (perMinute !== undefined && !this.#fits(state.perMinute, address, perMinute / 60_000, perMinute * burstFactor))
      return undefined;
    if (perSecond !== undefined && !this.#fits(state.perSecond, address, perSecond / 1000, perSecond * burstFactor))
      return undefined;
    if (limits.concurrent === undefined) return nothing;
    concurrent.set(address, running + 1);
    return () => {
      const left = (concurrent.get(address) ?? 1) - 1;
      if (left > 0) concurrent.set(address, left);
      else concurrent.delete(address);
    };
  }

  #fits(buckets: LRUCache<string, Bucket>, address: string, perMs: number, burst: number): boolean {
    const now = this.#clock.monotonic();
    const bucket = buckets.get(address);
    if (bucket === undefined) {
      buckets.set(address, { excess: 0, atMs: now });
      return true;
    }
    const excess = Math.max(0, bucket.excess - (now - bucket.atMs) * perMs) + 1;
    if (excess > burst) return false;
    bucket.excess = excess;
    bucket.atMs = now;
    return true;
  }
}
