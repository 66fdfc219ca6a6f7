import { invalid } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { ResourceClaimTemplate, ResourceResourceClaim } from '../../api/generated/types.ts';
import { asV1 } from '../../api/kinds/resourceclaim.ts';
import { forbidden } from '../../api/validation/field-error.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin, ObjectReader } from '../contract.ts';
import { nameOf } from './refuse.ts';

const LABEL = 'resource.kubernetes.io/admin-access';

type Claim = DeepReadonly<ResourceResourceClaim>;

/** Access to devices that others use is for namespaces that an administrator has labelled. Upstream: AuthorizedForAdmin. */
export function deviceAdminAccess({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'DeviceAdminAccess',
    handles: (operation, { type }, subresource) =>
      type.group === 'resource.k8s.io' &&
      ((type.resource === 'resourceclaims' && (operation === 'CREATE' || subresource === 'status')) ||
        (type.resource === 'resourceclaimtemplates' && operation === 'CREATE')),
    validate(attributes) {
      const path = wanted(attributes);
      if (path === undefined) return;
      const namespace = reader.get(resources.namespaces, { name: attributes.namespace });
      if (namespace?.metadata.labels?.[LABEL] === 'true') return;
      const problem = `admin access to devices requires the \`${LABEL}: true\` label on the containing namespace`;
      throw invalid(attributes.definition.type, nameOf(attributes), [forbidden(path, problem)]);
    },
  };
}

/** The field that asks for access which was not granted before. */
function wanted({ object, oldObject, operation, definition }: AdmissionAttributes): string | undefined {
  if (object === undefined) return undefined;
  if (operation !== 'CREATE') {
    const granted = (claim: Claim): number =>
      (claim.status?.allocation?.devices?.results ?? []).findIndex(({ adminAccess }) => adminAccess === true);
    const before = oldObject === undefined ? -1 : granted(asV1(oldObject) as unknown as Claim);
    const index = granted(asV1(object) as unknown as Claim);
    return before >= 0 || index < 0 ? undefined : `status.allocation.devices.results[${index}].adminAccess`;
  }
  const spec =
    definition.type.resource === 'resourceclaims'
      ? (asV1(object) as unknown as Claim).spec
      : (asV1(object) as unknown as DeepReadonly<ResourceClaimTemplate>).spec?.spec;
  const index = (spec?.devices?.requests ?? []).findIndex(({ exactly }) => exactly?.adminAccess === true);
  return index < 0 ? undefined : `spec.devices.requests[${index}].adminAccess`;
}
