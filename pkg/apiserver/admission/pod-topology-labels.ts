import { resources } from '../../api/generated/resources.ts';
import type { Binding, ObjectMeta, Pod } from '../../api/generated/types.ts';
import type { AdmissionPlugin, ObjectReader } from '../contract.ts';

const TOPOLOGY_LABELS = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone'] as const;

/** Pods get the zone and region of the node that they are bound to as labels, unless they have such labels themselves. */
export function podTopologyLabels({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  const add = (metadata: ObjectMeta, nodeName: string | undefined): void => {
    const labels = nodeName ? reader.get(resources.nodes, { name: nodeName })?.metadata.labels : undefined;
    for (const key of TOPOLOGY_LABELS) {
      const value = labels?.[key];
      if (value === undefined || metadata.labels?.[key] !== undefined) continue;
      metadata.labels = { ...metadata.labels, [key]: value };
    }
  };
  return {
    name: 'PodTopologyLabels',
    handles: (operation, { type }, subresource) =>
      operation === 'CREATE' &&
      type.group === '' &&
      type.resource === 'pods' &&
      (subresource === '' || subresource === 'binding'),
    admit({ object, subresource }) {
      if (object === undefined) return;
      if (subresource === '') {
        add(object.metadata, (object as unknown as Pod).spec.nodeName);
        return;
      }
      const { target } = object as unknown as Binding;
      if (target.kind === 'Node') add(object.metadata, target.name);
    },
  };
}
