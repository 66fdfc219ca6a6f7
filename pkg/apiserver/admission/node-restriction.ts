import { conflict, notFound, type StatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Lease, Node, Pod, TokenRequest } from '../../api/generated/types.ts';
import { podReferences } from '../../api/pod-references.ts';
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import { nodeNameOf } from '../authorization/node.ts';
import type { AdmissionAttributes, AdmissionPlugin, ObjectReader } from '../contract.ts';
import { forbiddenNodeLabels } from './node-labels.ts';
import { refuse } from './refuse.ts';

type Check = (node: string, attributes: AdmissionAttributes, reader: ObjectReader) => void;

const CHECKS: Readonly<Record<string, Check>> = {
  pods: checkPods,
  nodes: checkNodes,
  serviceaccounts: checkToken,
  'leases.coordination.k8s.io': checkLease,
  'csinodes.storage.k8s.io': checkCSINode,
  'resourceslices.resource.k8s.io': checkResourceSlice,
};

/** A kubelet changes only its own Node, the status of its own pods, its mirror pods, and asks tokens only for its pods. */
export function nodeRestriction({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    handles: (_operation, { type }) => checkOf(type) !== undefined,
    validate(attributes) {
      const node = nodeNameOf(attributes.user);
      if (node !== undefined) checkOf(attributes.definition.type)?.(node, attributes, reader);
    },
  };
}

function checkOf(type: { readonly group: string; readonly resource: string }): Check | undefined {
  return CHECKS[type.group === '' ? type.resource : `${type.resource}.${type.group}`];
}

function checkPods(node: string, attributes: AdmissionAttributes, reader: ObjectReader): void {
  const { operation, subresource } = attributes;
  switch (subresource) {
    case '':
      if (operation === 'CREATE') checkMirrorPod(node, attributes);
      else if (operation === 'DELETE') mustRunHere(node, attributes, podOnServer(attributes, reader), 'delete pods');
      else
        throw refuse(
          attributes,
          `unexpected operation "${operation}", node "${node}" can only create and delete mirror pods`,
        );
      return;
    case 'status':
      checkPodStatus(node, attributes);
      return;
    case 'eviction':
      if (podOnServer(attributes, reader).spec.nodeName !== node)
        throw refuse(attributes, `node ${node} can only evict pods with spec.nodeName set to itself`);
      return;
    default:
      if (operation === 'CONNECT') return;
      throw refuse(attributes, `unexpected pod subresource "${subresource}", only 'status' and 'eviction' are allowed`);
  }
}

function podOnServer(attributes: AdmissionAttributes, reader: ObjectReader): DeepReadonly<Pod> {
  const { namespace, name } = attributes;
  const pod = reader.get(resources.pods, { namespace, name });
  if (pod === undefined) throw notFound({ group: '', resource: 'pods' }, name);
  return pod;
}

function mustRunHere(node: string, attributes: AdmissionAttributes, pod: DeepReadonly<Pod>, action: string): void {
  if (pod.spec.nodeName !== node)
    throw refuse(attributes, `node "${node}" can only ${action} with spec.nodeName set to itself`);
}

function checkMirrorPod(node: string, attributes: AdmissionAttributes): void {
  const pod = attributes.object as unknown as Pod;
  const annotation = 'kubernetes.io/config.mirror';
  if (pod.metadata.annotations?.[annotation] === undefined)
    throw refuse(
      attributes,
      `pod does not have "${annotation}" annotation, node "${node}" can only create mirror pods`,
    );
  mustRunHere(node, attributes, pod, 'create pods');
  const owners = pod.metadata.ownerReferences ?? [];
  const [owner] = owners;
  if (owners.length !== 1 || owner?.kind !== 'Node' || owner.name !== node || owner.apiVersion !== 'v1')
    throw refuse(attributes, `node "${node}" can only create pods with an owner reference set to itself`);
  if (owner.controller !== true)
    throw refuse(attributes, `node "${node}" can only create pods with a controller owner reference set to itself`);
  if (pod.spec.serviceAccountName)
    throw refuse(attributes, `node "${node}" can not create pods that reference a service account`);
  for (const reference of podReferences(pod)) {
    const resource = reference.slice(0, reference.indexOf('/'));
    throw refuse(attributes, `node "${node}" can not create pods that reference ${resource}`);
  }
}

function checkPodStatus(node: string, attributes: AdmissionAttributes): void {
  if (attributes.operation !== 'UPDATE') throw refuse(attributes, `unexpected operation "${attributes.operation}"`);
  const old = attributes.oldObject as unknown as DeepReadonly<Pod>;
  mustRunHere(node, attributes, old, 'update pod status for pods');
  if (!equalJSON(old.metadata.labels ?? {}, attributes.object?.metadata.labels ?? {}))
    throw refuse(attributes, `node "${node}" cannot update labels through pod status`);
  const claims = (pod: DeepReadonly<Pod>): unknown => pod.status?.resourceClaimStatuses ?? [];
  if (!equalJSON(claims(old), claims(attributes.object as unknown as Pod)))
    throw refuse(attributes, `node "${node}" cannot update resource claim statuses`);
  const extended = (pod: DeepReadonly<Pod>): unknown => pod.status?.extendedResourceClaimStatus;
  if (!equalJSON(extended(old), extended(attributes.object as unknown as Pod)))
    throw refuse(attributes, `node "${node}" cannot update extended resource claim statuses`);
}

function checkNodes(node: string, attributes: AdmissionAttributes): void {
  const name = attributes.name || (attributes.object?.metadata.name ?? '');
  if (name !== node) throw refuse(attributes, `node "${node}" is not allowed to modify node "${name}"`);
  const object = attributes.object as unknown as Node | undefined;
  if (object === undefined || attributes.operation === 'DELETE' || attributes.operation === 'CONNECT') return;
  if (object.spec?.configSource !== undefined && attributes.operation === 'CREATE')
    throw refuse(attributes, `node "${node}" is not allowed to create pods with a non-nil configSource`);
  const old = attributes.oldObject as unknown as DeepReadonly<Node> | undefined;
  if (attributes.operation === 'CREATE') {
    const labels = forbiddenNodeLabels({}, object.metadata.labels ?? {});
    if (labels.length > 0)
      throw refuse(attributes, `node "${node}" is not allowed to set the following labels: ${labels.join(', ')}`);
    return;
  }
  if (old === undefined) return;
  if (object.spec?.configSource !== undefined && !equalJSON(object.spec.configSource, old.spec?.configSource))
    throw refuse(attributes, `node "${node}" is not allowed to update configSource to a new non-nil configSource`);
  const labels = forbiddenNodeLabels(old.metadata.labels ?? {}, object.metadata.labels ?? {});
  if (labels.length > 0) throw refuse(attributes, `is not allowed to modify labels: ${labels.join(', ')}`);
  if (!equalJSON(old.spec?.taints ?? [], object.spec?.taints ?? []))
    throw refuse(attributes, `node "${node}" is not allowed to modify taints`);
  if (!equalJSON(old.metadata.ownerReferences ?? [], object.metadata.ownerReferences ?? []))
    throw refuse(attributes, `node "${node}" is not allowed to modify ownerReferences`);
}

function checkToken(node: string, attributes: AdmissionAttributes, reader: ObjectReader): void {
  if (attributes.operation !== 'CREATE' || attributes.subresource !== 'token') return;
  const request = attributes.object as unknown as TokenRequest;
  const bound = request.spec?.boundObjectRef;
  if (bound?.kind !== 'Pod' || bound.apiVersion !== 'v1' || !bound.name)
    throw refuse(attributes, 'node requested token not bound to a pod');
  if (!bound.uid) throw refuse(attributes, 'node requested token with a pod binding without a uid');
  const pod = reader.get(resources.pods, { namespace: attributes.namespace, name: bound.name });
  if (pod === undefined) throw notFound({ group: '', resource: 'pods' }, bound.name);
  if (pod.metadata.uid !== bound.uid)
    throw conflict(
      { group: '', resource: 'pods' },
      bound.name,
      `the UID in the bound object reference (${bound.uid}) does not match the UID in record (${pod.metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (pod.spec.nodeName !== node)
    throw refuse(attributes, 'node requested token bound to a pod scheduled on a different node');
  const allowed = new Set(audiencesOf(pod, reader));
  for (const audience of request.spec.audiences ?? []) {
    if (!allowed.has(audience)) throw refuse(attributes, `audience "${audience}" not found in pod spec volume`);
  }
}

/** The audiences for which a pod's volumes need tokens. */
function* audiencesOf(pod: DeepReadonly<Pod>, reader: ObjectReader): Iterable<string> {
  for (const volume of pod.spec.volumes ?? []) {
    for (const source of volume.projected?.sources ?? []) {
      if (source.serviceAccountToken !== undefined) yield source.serviceAccountToken.audience ?? '';
    }
    let driver = volume.csi?.driver;
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined) {
      const { namespace } = pod.metadata;
      const name = reader.get(resources.persistentvolumeclaims, { namespace, name: claim })?.spec.volumeName;
      if (name) driver = reader.get(resources.persistentvolumes, { name })?.spec.csi?.driver;
    }
    if (driver === undefined) continue;
    for (const request of reader.get(resources.csidrivers, { name: driver })?.spec.tokenRequests ?? [])
      yield request.audience;
  }
}

function checkLease(node: string, attributes: AdmissionAttributes): void {
  if (attributes.namespace !== 'kube-node-lease')
    throw refuse(attributes, 'can only access leases in the "kube-node-lease" system namespace');
  const name = attributes.name || ((attributes.object as unknown as Lease | undefined)?.metadata.name ?? '');
  if (name !== node) throw refuse(attributes, 'can only access node lease with the same name as the requesting node');
}

function checkCSINode(node: string, attributes: AdmissionAttributes): void {
  const name = attributes.name || (attributes.object?.metadata.name ?? '');
  if (name !== node) throw refuse(attributes, 'can only access CSINode with the same name as the requesting node');
}

function checkResourceSlice(node: string, attributes: AdmissionAttributes): void {
  const nodeNameOfSlice = (object: unknown): string =>
    (object as { readonly spec?: { readonly nodeName?: string } } | undefined)?.spec?.nodeName ?? '';
  const { operation, object, oldObject } = attributes;
  if (operation === 'CREATE' && nodeNameOfSlice(object) !== node)
    throw refuse(attributes, 'can only create ResourceSlice with the same NodeName as the requesting node');
  if (
    (operation === 'UPDATE' || operation === 'DELETE') &&
    oldObject !== undefined &&
    nodeNameOfSlice(oldObject) !== node
  )
    throw operation === 'UPDATE' ? updateRefused(attributes) : deleteRefused(attributes);
}

function updateRefused(attributes: AdmissionAttributes): StatusError {
  return refuse(attributes, 'can only update ResourceSlice with the same NodeName as the requesting node');
}

function deleteRefused(attributes: AdmissionAttributes): StatusError {
  return refuse(attributes, 'can only delete ResourceSlice with the same NodeName as the requesting node');
}
