import { StatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import { podRequests, resourceAmounts } from '../../api/scheduling/pod-requests.ts';
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin, ObjectReader } from '../contract.ts';
import { refuse } from './refuse.ts';

const OS_LABEL = 'kubernetes.io/os';

/** A pod is not resized to more than its node has, nor on a node that cannot resize. */
export function podResize({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'PodResizeValidator',
    handles: (operation, { type }, subresource) =>
      operation === 'UPDATE' && type.group === '' && type.resource === 'pods' && subresource === 'resize',
    validate(attributes) {
      const { spec } = attributes.object as unknown as Pod;
      const { nodeName = '' } = spec;
      if (nodeName === '' || equalJSON(spec, (attributes.oldObject as unknown as Pod).spec)) return;
      const node = reader.get(resources.nodes, { name: nodeName });
      if (node === undefined) throw refuse(attributes, `node "${nodeName}" not found`);
      const lacks = lacksOf(spec, node);
      if (lacks.length > 0) {
        const reason = `node didn't have enough allocatable resources: ${lacks.join('; ')}`;
        throw refuseBecause(attributes, reason, 'NodeCapacity');
      }
      const os = node.metadata.labels?.[OS_LABEL] ?? '';
      if (os === 'linux') return;
      const reason = `pod resize is only supported on linux nodes, node "${nodeName}" is "${os}"`;
      throw refuseBecause(attributes, reason, 'UnsupportedPlatform');
    },
  };
}

function lacksOf(spec: DeepReadonly<Pod>['spec'], node: DeepReadonly<Node>): string[] {
  const wanted = podRequests(spec);
  const there = resourceAmounts(node.status?.allocatable);
  return ['cpu', 'memory'].flatMap((name) => {
    const [requested, allocatable] = [wanted.get(name) ?? 0, there.get(name) ?? 0];
    return requested > allocatable ? [`${name}, requested: ${requested}, allocatable: ${allocatable}`] : [];
  });
}

/** A refusal with a cause that programs can tell from others: autoscalers do. */
function refuseBecause(attributes: AdmissionAttributes, reason: string, cause: string): StatusError {
  const { status } = refuse(attributes, reason);
  return new StatusError({ ...status, details: { ...status.details, causes: [{ reason: cause }] } });
}
