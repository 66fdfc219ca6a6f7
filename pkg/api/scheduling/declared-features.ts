import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Pod, PodSpec } from '../generated/types.ts';
import { compareQuantity } from '../validation/quantity.ts';

/** What a node can do that not every node of this version can: its kubelet names it in status.declaredFeatures. */
export type DeclaredFeature =
  | 'GuaranteedQoSPodCPUResize'
  | 'InPlacePodLevelResourcesVerticalScaling'
  | 'RestartAllContainersOnContainerExits';

const NONE: readonly DeclaredFeature[] = [];

/** What a pod needs of the node that it is placed on. Upstream: nodedeclaredfeatures.InferForPodScheduling. */
export function featuresToRun(spec: DeepReadonly<PodSpec>): readonly DeclaredFeature[] {
  return restartsAll(spec.containers) || restartsAll(spec.initContainers)
    ? ['RestartAllContainersOnContainerExits']
    : NONE;
}

function restartsAll(containers: DeepReadonly<PodSpec>['containers'] = []): boolean {
  return containers.some(({ restartPolicyRules }) =>
    restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
  );
}

/** What a change of a pod needs of the node that it runs on, by name. Upstream: nodedeclaredfeatures.InferForPodUpdate. */
export function featuresToChange(old: DeepReadonly<Pod>, pod: DeepReadonly<Pod>): readonly DeclaredFeature[] {
  const features: DeclaredFeature[] = [];
  const { qosClass } = old.status ?? {};
  if ((qosClass === undefined || qosClass === 'Guaranteed') && changesCPU(old.spec, pod.spec))
    features.push('GuaranteedQoSPodCPUResize');
  if (!equalJSON(old.spec.resources, pod.spec.resources)) features.push('InPlacePodLevelResourcesVerticalScaling');
  return features;
}

function changesCPU(old: DeepReadonly<PodSpec>, spec: DeepReadonly<PodSpec>): boolean {
  return (old.containers ?? []).some(({ resources }, i) => {
    const now = spec.containers?.[i]?.resources?.requests?.['cpu'] ?? '0';
    return compareQuantity(resources?.requests?.['cpu'] ?? '0', now) !== 0;
  });
}

/** Those of `features` that a node does not declare. */
export function undeclared(
  features: readonly DeclaredFeature[],
  declared: readonly string[] | undefined,
): readonly DeclaredFeature[] {
  return features.length === 0 ? NONE : features.filter((feature) => declared?.includes(feature) !== true);
}
