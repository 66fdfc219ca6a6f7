import type { ListResult } from '../registry/list.ts';

/** The metadata of a list; what is not stored has no version. */
export function listMetadata(list: ListResult): Record<string, unknown> {
  return {
    ...(list.resourceVersion === '' ? {} : { resourceVersion: list.resourceVersion }),
    ...(list.continue === undefined ? {} : { continue: list.continue }),
    ...(list.remainingItemCount === undefined ? {} : { remainingItemCount: list.remainingItemCount }),
  };
}
