import type { ApiRequest, PatchKind } from './client.ts';

const METHODS = {
  get: 'GET',
  list: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
} as const;

const PATCH_TYPES: Record<PatchKind, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** The HTTP method of a call. */
export function methodOf({ verb }: ApiRequest): (typeof METHODS)[ApiRequest['verb']] {
  return METHODS[verb];
}

/** The media type of a call's body. */
export function contentTypeOf({ patchKind }: ApiRequest): string {
  return patchKind === undefined ? 'application/json' : PATCH_TYPES[patchKind];
}
