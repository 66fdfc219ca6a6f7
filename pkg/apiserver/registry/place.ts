import { badRequest, type StatusError } from '../../api/errors.ts';
import type { KubeObject } from '../../api/object.ts';
import type { WriteTarget } from './core.ts';

/** Refuses an object that says of itself that it is another than the one of the path. Throws BadRequest. */
export function checkPlace(target: WriteTarget, { metadata }: KubeObject): void {
  const { name, namespace = '' } = metadata;
  if (namespace !== '' && namespace !== target.namespace && target.namespace !== '') {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (!name) throw undeterminable(target.name);
  if (name !== target.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${target.name})`);
  }
}

export function undeterminable(name: string): StatusError {
  return badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
}
