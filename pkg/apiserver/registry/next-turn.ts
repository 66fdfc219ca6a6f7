import { newStatus, StatusError } from '../../api/errors.ts';
import { atOnce, inTurns, type Steps } from '../../base/steps.ts';
import type { RequestContext } from '../request/request-context.ts';

/** What takes a few milliseconds in each step of a write. */
const LARGE_BODY_BYTES = 256 * 1024;

/** Between two steps of the work on a large body: leaves the event loop to others. Undefined: the body is small. */
export function nextTurn({ bodyBytes = 0 }: RequestContext): Promise<void> | undefined {
  if (bodyBytes < LARGE_BODY_BYTES) return undefined;
  return new Promise((resolve) => setImmediate(resolve));
}

/** How long steps go on in one turn. */
const SLICE_MS = 5;

/** Work in steps: at once for a small body, else with turns for others between them. */
export function runSteps<T>({ bodyBytes = 0 }: RequestContext, steps: Steps<T>): T | Promise<T> {
  return bodyBytes < LARGE_BODY_BYTES ? atOnce(steps) : inTurns(steps, SLICE_MS);
}

/**
 * With their owners, so many fields do not fit into the 1.5 MiB that etcd takes. A step of the work on that many takes a tenth
 * of a second.
 */
const MAX_FIELDS = 100_000;

/** Throws RequestEntityTooLarge for a large body with more fields and elements than an object can have. */
export function limitFields({ bodyBytes = 0 }: RequestContext, value: unknown): void {
  if (bodyBytes < LARGE_BODY_BYTES || countFields(value, MAX_FIELDS) <= MAX_FIELDS) return;
  throw new StatusError(
    newStatus(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_FIELDS} fields`, {}),
  );
}

/** Stops counting beyond `limit`. */
function countFields(value: unknown, limit: number): number {
  let count = 0;
  const queue = [value];
  for (let next = queue.pop(); queue.length > 0 || next !== undefined; next = queue.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    const fields = next as Readonly<Record<string, unknown>>;
    for (const name in fields) {
      count++;
      if (count > limit) return count;
      const field = fields[name];
      if (typeof field === 'object' && field !== null) queue.push(field);
    }
  }
  return count;
}
