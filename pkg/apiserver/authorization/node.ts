import { resources } from '../../api/generated/resources.ts';
import type { UserInfo } from '../../api/user.ts';
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

export interface NodeAuthorizerDeps {
  readonly references: NodeReferences;
  readonly reader: ObjectReader;
}

/**
 * What kubelets may do: the rules of system:node, and of secrets, configmaps, claims, volumes and ServiceAccounts only those
 * that a pod on the node refers to. Corresponds to upstream's plugin/pkg/auth/authorizer/node.
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
    if (node === undefined) return NO_OPINION;
    if (attributes.isResourceRequest) {
      const special = this.#authorizeSpecial(node, attributes);
      if (special !== undefined) return special;
    }
    return nodeRules.some((rule) => ruleAllows(rule, attributes)) ? ALLOW : NO_OPINION;
  }

  #authorizeSpecial(node: string, attributes: AuthorizationAttributes): AuthorizationResult | undefined {
    switch (attributes.group === '' ? attributes.resource : `${attributes.resource}.${attributes.group}`) {
      case 'secrets':
        return this.#read(node, attributes, 'get list watch', () => this.#secretOfVolume(node, attributes));
      case 'configmaps':
        return this.#read(node, attributes, 'get list watch');
      case 'persistentvolumeclaims':
        if (attributes.subresource === 'status') return this.#read(node, attributes, 'get update patch');
        return this.#read(node, attributes, 'get');
      case 'persistentvolumes':
        return this.#read(node, attributes, 'get', () => this.#volumeOfNode(node, attributes.name));
      case 'resourceclaims.resource.k8s.io':
        return this.#read(node, attributes, 'get');
      case 'serviceaccounts':
        return attributes.subresource === 'token'
          ? this.#read(node, attributes, 'create')
          : this.#read(node, attributes, 'get');
      case 'volumeattachments.storage.k8s.io':
        return this.#read(node, attributes, 'get', () => this.#attachmentOfNode(node, attributes.name));
      case 'leases.coordination.k8s.io':
        return authorizeLease(node, attributes);
      case 'csinodes.storage.k8s.io':
        return own(node, attributes, 'get create update patch delete');
      default:
        return undefined;
    }
  }

  #read(node: string, attributes: AuthorizationAttributes, verbs: string, orElse?: () => boolean): AuthorizationResult {
    if (!verbs.split(' ').includes(attributes.verb))
      return refuse(`can only ${verbs.split(' ').join('/')} ${resourceOf(attributes)}`);
    if (attributes.name === '') return refuse('No Object name found');
    const { resource, namespace, name } = attributes;
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

  #attachmentOfNode(node: string, name: string): boolean {
    return this.#reader.get(resources.volumeattachments, { name })?.spec.nodeName === node;
  }
}

function authorizeLease(node: string, attributes: AuthorizationAttributes): AuthorizationResult {
  if (attributes.namespace !== 'kube-node-lease')
    return refuse('can only access leases in the "kube-node-lease" system namespace');
  return own(node, attributes, 'get create update patch delete');
}

/** An object with the node's own name; a create may come without a name, which admission then checks. */
function own(node: string, attributes: AuthorizationAttributes, verbs: string): AuthorizationResult {
  if (!verbs.split(' ').includes(attributes.verb))
    return refuse(`can only ${verbs.split(' ').join(', ')} a ${resourceOf(attributes)}`);
  if (attributes.verb !== 'create' && attributes.name !== node)
    return refuse(`can only access ${resourceOf(attributes)} with the same name as the requesting node`);
  return ALLOW;
}

function resourceOf(attributes: AuthorizationAttributes): string {
  return attributes.subresource === '' ? attributes.resource : `${attributes.resource}/${attributes.subresource}`;
}

function refuse(reason: string): AuthorizationResult {
  return { decision: 'no-opinion', reason };
}
