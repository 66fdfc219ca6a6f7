import { notFound, StatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Namespace } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin, ObjectReader } from '../contract.ts';
import { nameOf, refuse } from './refuse.ts';

/** Namespaces that may not be deleted. */
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

/** Nothing is created in a namespace that is missing or going away; the system's namespaces are not deleted. */
export function namespaceLifecycle({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: (operation, { type }) =>
      operation === 'CREATE' || operation === 'UPDATE'
        ? type.namespaced
        : operation === 'DELETE' && type.group === '' && type.resource === 'namespaces',
    admit(attributes) {
      const { operation, definition, namespace } = attributes;
      if (operation === 'DELETE') {
        if (IMMORTAL.has(attributes.name)) throw refuse(attributes, 'this namespace may not be deleted');
        return;
      }
      // Reviews are computed, not stored; a namespace that does not exist simply grants nothing.
      if (definition.type.group === 'authorization.k8s.io') return;
      const found = reader.get(resources.namespaces, { name: namespace });
      if (found === undefined) throw notFound({ group: '', resource: 'namespaces' }, namespace);
      if (operation === 'CREATE' && isTerminating(found)) throw terminating(attributes);
    },
  };
}

function isTerminating(namespace: DeepReadonly<Namespace>): boolean {
  return namespace.metadata.deletionTimestamp !== undefined || namespace.status?.phase === 'Terminating';
}

/** Carries the cause that clients look for to tell this from other refusals. */
function terminating(attributes: AdmissionAttributes): StatusError {
  const { namespace } = attributes;
  const { status } = refuse(
    attributes,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  return new StatusError({ ...status, details: { ...status.details, name: nameOf(attributes), causes: [cause] } });
}
