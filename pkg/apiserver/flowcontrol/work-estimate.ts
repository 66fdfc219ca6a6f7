import type { RequestInfo } from '../contract.ts';
import type { Query } from '../request/query.ts';

/** What a request costs: seats while it runs, and `finalSeats` for `finalMs` after it, when its consequences are dealt with. */
export interface WorkEstimate {
  readonly seats: number;
  readonly finalSeats: number;
  readonly finalMs: number;
}

/** What is known of a resource. */
export interface ResourceStatistics {
  readonly objects: number;
  readonly averageBytes: number;
  readonly watchers: number;
}

export const ONE_SEAT: WorkEstimate = { seats: 1, finalSeats: 0, finalMs: 0 };

const BYTES_PER_SEAT = 100_000;
/** Lists are written block by block: however long they are, they never hold more than this. */
const STREAMED_LIST_BYTES = 1_000_000;
const WATCHERS_PER_SEAT = 10;
const MUTATION_SEATS_MAX = 10;
const EVENT_MS = 5;
/** No request gets more than this part of a level's seats. */
const LEVEL_SHARE = 0.15;

const MUTATING: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete']);

/**
 * Upstream's work estimator: lists and watches with initial events by the bytes they read, writes by the watchers that will hear
 * of them, everything else one seat.
 */
export function estimateWork(
  info: RequestInfo,
  query: Query,
  nominalSeats: number,
  statistics: (info: RequestInfo) => ResourceStatistics | undefined,
): WorkEstimate {
  if (!info.isResourceRequest) return ONE_SEAT;
  if (info.verb === 'list' || (info.verb === 'watch' && query.flag('sendInitialEvents'))) {
    const known = statistics(info);
    if (known === undefined) return ONE_SEAT;
    const limit = query.integer('limit') ?? 0;
    const objects = info.name !== '' ? 1 : limit > 0 ? Math.min(limit, known.objects) : known.objects;
    const bytes = Math.min(objects * known.averageBytes, STREAMED_LIST_BYTES);
    const most = Math.max(1, Math.ceil(nominalSeats * LEVEL_SHARE));
    const seats = Math.min(most, Math.ceil(bytes / BYTES_PER_SEAT));
    return seats <= 1 ? ONE_SEAT : { seats, finalSeats: 0, finalMs: 0 };
  }
  if (!MUTATING.has(info.verb) || info.subresource === 'token') return ONE_SEAT;
  const watchers = statistics(info)?.watchers ?? 0;
  if (watchers < WATCHERS_PER_SEAT) return ONE_SEAT;
  const most = Math.max(1, Math.min(MUTATION_SEATS_MAX, Math.ceil(nominalSeats * LEVEL_SHARE)));
  const finalSeats = Math.min(most, Math.floor(watchers / WATCHERS_PER_SEAT));
  return { seats: 1, finalSeats, finalMs: (EVENT_MS * watchers) / finalSeats };
}
