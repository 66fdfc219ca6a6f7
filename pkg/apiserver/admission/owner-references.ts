import type { OwnerReference } from '../../api/generated/types.ts';
import { parseAPIVersion, type ResourceType } from '../../api/object.ts';
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin, Authorizer } from '../contract.ts';
import { refuse } from './refuse.ts';

export interface OwnerReferencesDeps {
  readonly authorizer: Authorizer;
  resourceOf(apiVersion: string, kind: string): ResourceType | undefined;
}

type References = readonly DeepReadonly<OwnerReference>[];

/**
 * Owner references can make the garbage collector delete an object, and block the deletion of its owner; so changing them
 * needs the right to delete the object, and blocking needs the right to set finalizers of the owner.
 */
export function ownerReferences(deps: OwnerReferencesDeps): AdmissionPlugin {
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    handles: (operation, { type }, subresource) =>
      (operation === 'CREATE' || operation === 'UPDATE') &&
      !(type.group === '' && type.resource === 'pods' && subresource !== '' && subresource !== 'status'),
    async validate(attributes) {
      const now: References = attributes.object?.metadata?.ownerReferences ?? [];
      const before: References = attributes.oldObject?.metadata?.ownerReferences ?? [];
      if (now.length === 0 && before.length === 0) return;
      if (attributes.operation === 'UPDATE' && !equalJSON(now, before)) {
        const result = await deps.authorizer.authorize(requestFor(attributes, 'delete'));
        if (result.decision !== 'allow')
          throw refuse(attributes, `cannot set an ownerRef on a resource you can't delete: ${result.reason}, <nil>`);
      }
      for (const reference of newlyBlocking(now, before)) await checkBlocking(deps, attributes, reference);
    },
  };
}

function newlyBlocking(now: References, before: References): DeepReadonly<OwnerReference>[] {
  return now.filter(
    (reference) =>
      reference.blockOwnerDeletion === true &&
      !before.some((old) => old.uid === reference.uid && old.blockOwnerDeletion === true),
  );
}

async function checkBlocking(
  deps: OwnerReferencesDeps,
  attributes: AdmissionAttributes,
  { apiVersion, kind, name }: DeepReadonly<OwnerReference>,
): Promise<void> {
  const type = deps.resourceOf(apiVersion, kind);
  if (type === undefined) {
    const { group, version } = parseAPIVersion(apiVersion);
    throw refuse(
      attributes,
      `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}: no matches for kind "${kind}" in version "${group === '' ? version : apiVersion}"`,
    );
  }
  const result = await deps.authorizer.authorize({
    ...requestFor(attributes, 'update'),
    group: type.group,
    version: type.version,
    resource: type.resource,
    subresource: 'finalizers',
    namespace: type.namespaced ? attributes.namespace : '',
    name,
  });
  if (result.decision !== 'allow')
    throw refuse(
      attributes,
      `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${result.reason}, <nil>`,
    );
}

function requestFor(attributes: AdmissionAttributes, verb: string): Parameters<Authorizer['authorize']>[0] {
  const { type } = attributes.definition;
  return {
    user: attributes.user,
    isResourceRequest: true,
    path: '',
    verb,
    group: type.group,
    version: type.version,
    resource: type.resource,
    subresource: attributes.subresource,
    namespace: attributes.namespace,
    name: attributes.name,
    subpath: '',
  };
}
