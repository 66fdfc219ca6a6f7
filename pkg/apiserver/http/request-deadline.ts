import { DurationError, parseDuration } from '../../api/duration.ts';
import { badRequest, newStatus, StatusError } from '../../api/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { Query } from '../request/query.ts';

/**
 * How long the answer to a request that is not long-running may take, in milliseconds: what its `timeout` parameter says, at
 * most `maxMs`. Throws BadRequest for what is no duration.
 */
export function requestTimeoutMs(query: Query, maxMs: number): number {
  const text = query.get('timeout');
  if (text === '') return maxMs;
  try {
    const wanted = parseDuration(text);
    return wanted > 0 ? Math.min(wanted, maxMs) : maxMs;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw badRequest(`invalid timeout specified in the request URL - ${error.message}`);
  }
}

/** What `work` comes to; throws Timeout when that takes longer than `timeoutMs`. The work is not stopped by it. */
export async function within<T>(work: Promise<T>, timeoutMs: number, clock: Clock): Promise<T> {
  let cancel = (): void => {};
  const timeout = new Promise<never>((_, reject) => {
    cancel = clock.after(timeoutMs, () => reject(allottedTimePassed()));
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    cancel();
  }
}

function allottedTimePassed(): StatusError {
  return new StatusError(
    newStatus(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout', {}),
  );
}
