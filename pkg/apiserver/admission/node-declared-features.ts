import { resources } from '../../api/generated/resources.ts';
import type { Pod } from '../../api/generated/types.ts';
import { featuresToChange, undeclared } from '../../api/scheduling/declared-features.ts';
import type { AdmissionPlugin, ObjectReader } from '../contract.ts';
import { refuse } from './refuse.ts';

/** A pod that runs is not changed in a way that its node does not declare to be able to follow. */
export function nodeDeclaredFeatures({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'NodeDeclaredFeatureValidator',
    handles: (operation, { type }, subresource) =>
      operation === 'UPDATE' &&
      type.group === '' &&
      type.resource === 'pods' &&
      (subresource === '' || subresource === 'resize'),
    validate(attributes) {
      const pod = attributes.object as unknown as Pod;
      const { nodeName = '' } = pod.spec;
      if (nodeName === '') return;
      const needed = featuresToChange(attributes.oldObject as unknown as Pod, pod);
      if (needed.length === 0) return;
      const node = reader.get(resources.nodes, { name: nodeName });
      if (node === undefined) throw refuse(attributes, `node "${nodeName}" not found`);
      const lacking = undeclared(needed, node.status?.declaredFeatures);
      if (lacking.length === 0) return;
      const features = lacking.join(', ');
      throw refuse(
        attributes,
        `pod update requires features ${features} which are not available on node "${nodeName}"`,
      );
    },
  };
}
