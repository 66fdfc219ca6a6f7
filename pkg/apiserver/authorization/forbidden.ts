import { forbidden, type StatusError } from '../../api/errors.ts';
import type { AuthorizationAttributes } from '../contract.ts';

/** The Forbidden error of a request that was not allowed, in upstream's words. `reason` is the authorizer's. */
export function accessForbidden(attributes: AuthorizationAttributes, reason: string): StatusError {
  const text = describeRequest(attributes);
  const about = attributes.isResourceRequest
    ? { group: attributes.group, resource: attributes.resource }
    : { group: '', resource: '' };
  return forbidden(
    about,
    attributes.isResourceRequest ? attributes.name : '',
    reason === '' ? text : `${text}: ${reason}`,
  );
}

function describeRequest(attributes: AuthorizationAttributes): string {
  const user = JSON.stringify(attributes.user.username);
  if (!attributes.isResourceRequest)
    return `User ${user} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}`;
  const { subresource } = attributes;
  const resource = subresource === '' ? attributes.resource : `${attributes.resource}/${subresource}`;
  const where = attributes.namespace === '' ? 'at the cluster scope' : `in the namespace "${attributes.namespace}"`;
  return `User ${user} cannot ${attributes.verb} resource "${resource}" in API group "${attributes.group}" ${where}`;
}
