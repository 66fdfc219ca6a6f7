import { isStatusError } from '../api/errors.ts';

/**
 * Runs `attempt` (which reads, changes and writes an object) again while it fails with Conflict, at most `tries` times.
 * The caller reads afresh in each attempt.
 */
export async function retryOnConflict<T>(attempt: () => Promise<T>, tries = 5): Promise<T> {
  for (let left = tries; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left <= 1 || !isStatusError(error, 'Conflict')) throw error;
    }
  }
}

/** The result, or undefined when the server says NotFound. */
export async function ignoreNotFound<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}
