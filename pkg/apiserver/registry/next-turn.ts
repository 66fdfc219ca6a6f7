import { atOnce, inTurns, type Steps } from '../../base/steps.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { Entry } from '../watchcache/entry.ts';

/** What takes a few milliseconds in each step of a write. */
const LARGE_BYTES = 256 * 1024;

/** Whether the steps of a write take their time: by the size of the body and of the object that it changes. */
export function isLarge({ workBytes = 0 }: RequestContext): boolean {
  return workBytes >= LARGE_BYTES;
}

/** To be called for an object that a write is about to change. */
export function worksOn(context: RequestContext, { size }: Pick<Entry, 'size'>): void {
  context.workBytes = Math.max(context.workBytes ?? 0, size);
}

/** Between two steps of the work on much: leaves the event loop to others. Undefined: it is little. */
export function nextTurn(context: RequestContext): Promise<void> | undefined {
  if (!isLarge(context)) return undefined;
  return new Promise((resolve) => setImmediate(resolve));
}

/** How long steps go on in one turn. */
const SLICE_MS = 5;

/** Work in steps: at once for little, else with turns for others between them. */
export function runSteps<T>(context: RequestContext, steps: Steps<T>): T | Promise<T> {
  return isLarge(context) ? inTurns(steps, SLICE_MS) : atOnce(steps);
}
