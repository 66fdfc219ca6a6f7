import type { RequestContext } from '../request/request-context.ts';

/** What takes a few milliseconds in each step of a write. */
const LARGE_BODY_BYTES = 256 * 1024;

/** Between two steps of the work on a large body: leaves the event loop to others. Undefined: the body is small. */
export function nextTurn({ bodyBytes = 0 }: RequestContext): Promise<void> | undefined {
  if (bodyBytes < LARGE_BODY_BYTES) return undefined;
  return new Promise((resolve) => setImmediate(resolve));
}
