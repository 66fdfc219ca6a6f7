import type { ListResult } from '../registry/list.ts';

/** The metadata of a list. */
export function listMetadata(list: ListResult): Record<string, unknown> {
  return {
    resourceVersion: list.resourceVersion,
    ...(list.continue === undefined ? {} : { continue: list.continue }),
    ...(list.remainingItemCount === undefined ? {} : { remainingItemCount: list.remainingItemCount }),
  };
}
