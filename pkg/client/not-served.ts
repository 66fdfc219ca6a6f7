import type { ResourceType } from '../api/object.ts';

/** The API server does not serve a kind (any more, or in this configuration). */
export class NotServedError extends Error {
  override readonly name = 'NotServedError';

  constructor({ group, version, resource }: ResourceType<unknown>) {
    super(`the server does not serve ${resource} in ${group === '' ? version : `${group}/${version}`}`);
  }
}
