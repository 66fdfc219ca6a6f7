import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Pod, PodSpec } from '../generated/types.ts';

/** What a node can do that not every node of this version can: its kubelet names it in status.declaredFeatures. */
export type DeclaredFeature =
  | 'ExtendWebSocketsToKubelet'
  | 'InPlacePodLevelResourcesVerticalScaling'
  | 'InPlacePodVerticalScalingInitContainers'
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
  if (!equalJSON(old.spec.resources, pod.spec.resources)) features.push('InPlacePodLevelResourcesVerticalScaling');
  if (resizesInit(old.spec, pod.spec)) features.push('InPlacePodVerticalScalingInitContainers');
  return features;
}

/** Sidecars were always resized as app containers are. */
function resizesInit({ initContainers = [] }: DeepReadonly<PodSpec>, now: DeepReadonly<PodSpec>): boolean {
  return initContainers.some(
    ({ resources, restartPolicy }, i) =>
      restartPolicy !== 'Always' && !equalJSON(resources, now.initContainers?.[i]?.resources),
  );
}

/** Those of `features` that a node does not declare. */
export function undeclared(
  features: readonly DeclaredFeature[],
  declared: readonly string[] | undefined,
): readonly DeclaredFeature[] {
  return features.length === 0 ? NONE : features.filter((feature) => declared?.includes(feature) !== true);
}
