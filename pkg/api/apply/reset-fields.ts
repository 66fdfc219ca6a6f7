import type { ResourceType } from '../object.ts';

const none: readonly string[] = [];
const status: readonly string[] = ['status'];
const spec: readonly string[] = ['spec'];
const specAndMetadata: readonly string[] = ['spec', 'metadata'];

/** Of a status; what is not listed resets the spec. */
const byStatus: Readonly<Record<string, readonly string[]>> = {
  'admissionregistration.k8s.io/validatingadmissionpolicies': specAndMetadata,
  'apiextensions.k8s.io/customresourcedefinitions': specAndMetadata,
  'apiregistration.k8s.io/apiservices': specAndMetadata,
  'apps/deployments': ['spec', 'metadata.labels'],
  'certificates.k8s.io/certificatesigningrequests': ['spec', 'status.conditions'],
  'flowcontrol.apiserver.k8s.io/flowschemas': specAndMetadata,
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': specAndMetadata,
  'networking.k8s.io/servicecidrs': specAndMetadata,
  'resource.k8s.io/resourceclaims': specAndMetadata,
  'storage.k8s.io/volumeattachments': specAndMetadata,
  '/pods': ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'],
};

const certificateRequest: readonly string[] = ['spec', 'status'];
const certificateApproval: readonly string[] = ['spec', 'status.certificate'];

/**
 * The fields that a write to the resource or to its subresource leaves as they are, so that nobody can come to own them
 * that way. Corresponds to the GetResetFields of upstream's strategies.
 */
export function resetFieldsOf(
  resource: {
    readonly type: ResourceType;
    readonly subresources: readonly { name: string }[];
    readonly custom?: boolean;
  },
  subresource: string,
): readonly string[] {
  const { type } = resource;
  const name = `${type.group}/${type.resource}`;
  if (name === 'certificates.k8s.io/certificatesigningrequests') {
    if (subresource === '') return certificateRequest;
    if (subresource === 'approval') return certificateApproval;
  }
  if (subresource === '') {
    return resource.subresources.some(({ name }) => name === 'status') ? status : none;
  }
  if (subresource !== 'status') return none;
  return resource.custom === true ? specAndMetadata : (byStatus[name] ?? spec);
}
