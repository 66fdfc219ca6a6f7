import { pinnedValue } from '../../api/field-selector.ts';
import { resources } from '../../api/generated/resources.ts';
import type { IngressClass } from '../../api/generated/types.ts';
import { isServedIngress, needsSecret } from '../../api/ingress-class.ts';
import type { UserInfo } from '../../api/user.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { AuthorizationAttributes, AuthorizationResult, Authorizer, ObjectReader } from '../contract.ts';
import { nodeRules } from './bootstrap/system-roles.ts';
import type { NodeReferences } from './node-references.ts';
import { ruleAllows } from './policy-rule.ts';

export const NODES_GROUP = 'system:nodes';
const NODE_PREFIX = 'system:node:';

/** The node behind a user; undefined when the user is not a node. */
export function nodeNameOf(user: UserInfo): string | undefined {
  if (!user.username.startsWith(NODE_PREFIX) || !user.groups.includes(NODES_GROUP)) return undefined;
  const name = user.username.slice(NODE_PREFIX.length);
  return name === '' ? undefined : name;
}

const ALLOW: AuthorizationResult = { decision: 'allow', reason: '' };
const NO_OPINION: AuthorizationResult = { decision: 'no-opinion', reason: '' };

function withoutNode({ username, groups }: UserInfo): AuthorizationResult {
  if (username !== NODE_PREFIX || !groups.includes(NODES_GROUP)) return NO_OPINION;
  return { decision: 'no-opinion', reason: `unknown node for user ${JSON.stringify(username)}` };
}

export interface NodeAuthorizerDeps {
  readonly references: NodeReferences;
  readonly reader: ObjectReader;
}

/**
 * What kubelets may do: the rules of system:node, of nodes and pods only their own, and of secrets, configmaps, claims, volumes
 * and ServiceAccounts only those that a pod on the node refers to. Corresponds to upstream's plugin/pkg/auth/authorizer/node.
 */
export class NodeAuthorizer implements Authorizer {
  readonly #references: NodeReferences;
  readonly #reader: ObjectReader;

  constructor(deps: NodeAuthorizerDeps) {
    this.#references = deps.references;
    this.#reader = deps.reader;
  }

  authorize(attributes: AuthorizationAttributes): AuthorizationResult {
    const node = nodeNameOf(attributes.user);
    if (node === undefined) return withoutNode(attributes.user);
    if (attributes.isResourceRequest) {
      const special = this.#authorizeSpecial(node, attributes);
      if (special !== undefined) return special;
    }
    return nodeRules.some((rule) => ruleAllows(rule, attributes)) ? ALLOW : NO_OPINION;
  }

  #authorizeSpecial(node: string, attributes: AuthorizationAttributes): AuthorizationResult | undefined {
    switch (attributes.group === '' ? attributes.resource : `${attributes.resource}.${attributes.group}`) {
      case 'secrets':
        return this.#readNamespaced(
          node,
          attributes,
          () => this.#secretOfVolume(node, attributes) || this.#secretOfIngress(attributes),
        );
      case 'configmaps':
        return this.#readNamespaced(node, attributes);
      case 'persistentvolumeclaims':
        return attributes.subresource === 'status' ? this.#updateStatus(node, attributes) : this.#get(node, attributes);
      case 'persistentvolumes':
        return this.#get(node, attributes, () => this.#volumeOfNode(node, attributes.name));
      case 'resourceclaims.resource.k8s.io':
        return this.#get(node, attributes);
      case 'volumeattachments.storage.k8s.io':
        return this.#get(node, attributes, () => this.#attachmentOfNode(node, attributes.name));
      case 'serviceaccounts':
        return this.#createToken(node, attributes);
      case 'leases.coordination.k8s.io':
        return authorizeLease(node, attributes);
      case 'csinodes.storage.k8s.io':
        return authorizeCSINode(node, attributes);
      case 'resourceslices.resource.k8s.io':
        return this.#authorizeSlice(node, attributes);
      case 'nodes':
        return authorizeNode(node, attributes);
      case 'pods':
        return this.#authorizePod(node, attributes);
      default:
        return undefined;
    }
  }

  #readNamespaced(node: string, attributes: AuthorizationAttributes, orElse?: () => boolean): AuthorizationResult {
    if (!READ.has(attributes.verb)) return refuse('can only read resources of this type');
    if (attributes.subresource !== '') return refuse('cannot read subresource');
    if (attributes.namespace === '') return refuse('can only read namespaced object of this type');
    return this.#related(node, attributes, orElse);
  }

  #get(node: string, attributes: AuthorizationAttributes, orElse?: () => boolean): AuthorizationResult {
    if (attributes.verb !== 'get') return refuse('can only get individual resources of this type');
    if (attributes.subresource !== '') return refuse('cannot get subresource');
    return this.#related(node, attributes, orElse);
  }

  #updateStatus(node: string, attributes: AuthorizationAttributes): AuthorizationResult {
    if (attributes.verb !== 'update' && attributes.verb !== 'patch')
      return refuse('can only get/update/patch this type');
    return this.#related(node, attributes);
  }

  /** Tokens for the accounts of its pods; a kubelet that checks audiences reads the accounts themselves as well. */
  #createToken(node: string, attributes: AuthorizationAttributes): AuthorizationResult {
    if (attributes.verb === 'get' && attributes.subresource === '') return this.#related(node, attributes);
    if (attributes.verb !== 'create' || attributes.name === '')
      return refuse('can only create tokens for individual service accounts');
    if (attributes.subresource !== 'token') return refuse('can only create token subresource of serviceaccount');
    return this.#related(node, attributes);
  }

  #authorizeSlice(node: string, attributes: AuthorizationAttributes): AuthorizationResult {
    if (attributes.subresource !== '') return refuse('cannot authorize ResourceSlice subresources');
    switch (attributes.verb) {
      // Admission looks at the node that a new slice names.
      case 'create':
        return ALLOW;
      case 'get':
      case 'update':
      case 'patch':
      case 'delete':
        return this.#related(node, attributes, () => this.#sliceOfNode(node, attributes.name));
      case 'watch':
      case 'list':
      case 'deletecollection':
        if (selects(attributes, 'spec.nodeName', node) || selects(attributes, 'nodeName', node)) return ALLOW;
        return refuse('can only list/watch/deletecollection resourceslices with nodeName field selector');
      default:
        return refuse(
          'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
        );
    }
  }

  #authorizePod(node: string, attributes: AuthorizationAttributes): AuthorizationResult {
    const { verb, subresource, name } = attributes;
    if (subresource === 'status') return verb === 'update' || verb === 'patch' ? ALLOW : NO_OPINION;
    if (subresource === 'eviction') return verb === 'create' ? ALLOW : NO_OPINION;
    if (subresource !== '') return NO_OPINION;
    switch (verb) {
      case 'get':
        return this.#related(node, attributes);
      case 'list':
      case 'watch':
        if (selects(attributes, 'spec.nodeName', node)) return ALLOW;
        if (name !== '') return this.#related(node, attributes);
        return refuse('can only list/watch pods with spec.nodeName field selector');
      // Mirror pods; admission looks at the node that they are bound to.
      case 'create':
      case 'delete':
        return ALLOW;
      default:
        return NO_OPINION;
    }
  }

  /** Whether the object has to do with a pod of the node. */
  #related(node: string, attributes: AuthorizationAttributes, orElse?: () => boolean): AuthorizationResult {
    const { resource, namespace, name } = attributes;
    if (name === '') return refuse('No Object name found');
    if (this.#references.has(node, resource, namespace, name) || orElse?.() === true) return ALLOW;
    return refuse(`no relationship found between node '${node}' and this object`);
  }

  #volumeOfNode(node: string, name: string): boolean {
    const claim = this.#reader.get(resources.persistentvolumes, { name })?.spec.claimRef;
    if (claim === undefined) return false;
    return this.#references.has(node, 'persistentvolumeclaims', claim.namespace ?? '', claim.name ?? '');
  }

  /** Secrets that the volumes of the node's claims name. */
  #secretOfVolume(node: string, { namespace, name }: AuthorizationAttributes): boolean {
    for (const key of this.#references.ofKind(node, 'persistentvolumeclaims')) {
      const slash = key.indexOf('/');
      const claim = { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
      const volumeName = this.#reader.get(resources.persistentvolumeclaims, claim)?.spec.volumeName;
      if (!volumeName) continue;
      const spec = this.#reader.get(resources.persistentvolumes, { name: volumeName })?.spec;
      const { csi, flexVolume, iscsi, rbd, cephfs, azureFile } = spec ?? {};
      const named = [csi?.nodePublishSecretRef, csi?.nodeStageSecretRef, csi?.nodeExpandSecretRef];
      for (const secret of [...named, flexVolume?.secretRef, iscsi?.secretRef, rbd?.secretRef, cephfs?.secretRef]) {
        if (secret?.name === name && (secret.namespace || claim.namespace) === namespace) return true;
      }
      if (azureFile?.secretName === name && (azureFile.secretNamespace || claim.namespace) === namespace) return true;
    }
    return false;
  }

  /** Every node answers for Ingresses, with the certificates and the users that those of our classes name. */
  #secretOfIngress({ namespace, name }: AuthorizationAttributes): boolean {
    const classes = (): Iterable<DeepReadonly<IngressClass>> => this.#reader.list(resources.ingressclasses);
    const classOf = (className: string): DeepReadonly<IngressClass> | undefined =>
      this.#reader.get(resources.ingressclasses, { name: className });
    for (const ingress of this.#reader.list(resources.ingresses, namespace)) {
      if (!needsSecret(ingress, name)) continue;
      if (isServedIngress(ingress, classOf, classes())) return true;
    }
    return false;
  }

  #sliceOfNode(node: string, name: string): boolean {
    return this.#reader.get(resources.resourceslices, { name })?.spec.nodeName === node;
  }

  #attachmentOfNode(node: string, name: string): boolean {
    return this.#reader.get(resources.volumeattachments, { name })?.spec.nodeName === node;
  }
}

/** A node reads itself only; admission sees to it that it writes itself only. */
function authorizeNode(node: string, { verb, subresource, name }: AuthorizationAttributes): AuthorizationResult {
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? ALLOW : NO_OPINION;
  if (subresource !== '') return NO_OPINION;
  if (verb === 'create' || verb === 'update' || verb === 'patch') return ALLOW;
  if (!READ.has(verb)) return NO_OPINION;
  if (name === node) return ALLOW;
  return refuse(`node '${node}' cannot read ${name === '' ? 'all nodes' : `'${name}'`}, only its own Node object`);
}

function authorizeLease(node: string, attributes: AuthorizationAttributes): AuthorizationResult {
  const { verb, namespace, name } = attributes;
  if (!OWN_VERBS.has(verb)) return refuse('can only get, create, update, patch, or delete a node lease');
  if (namespace !== 'kube-node-lease')
    return refuse('can only access leases in the "kube-node-lease" system namespace');
  // A create comes without a name, which admission then checks.
  if (verb !== 'create' && name !== node)
    return refuse('can only access node lease with the same name as the requesting node');
  return ALLOW;
}

function authorizeCSINode(node: string, { verb, subresource, name }: AuthorizationAttributes): AuthorizationResult {
  if (!OWN_VERBS.has(verb)) return refuse('can only get, create, update, patch, or delete a CSINode');
  if (subresource !== '') return refuse('cannot authorize CSINode subresources');
  if (verb !== 'create' && name !== node)
    return refuse('can only access CSINode with the same name as the requesting node');
  return ALLOW;
}

const READ: ReadonlySet<string> = new Set(['get', 'list', 'watch']);
const OWN_VERBS: ReadonlySet<string> = new Set(['get', 'create', 'update', 'patch', 'delete']);

function selects({ fieldSelector = [] }: AuthorizationAttributes, field: string, value: string): boolean {
  return pinnedValue(fieldSelector, field) === value;
}

function refuse(reason: string): AuthorizationResult {
  return { decision: 'no-opinion', reason };
}
