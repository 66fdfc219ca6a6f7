import type { ResourceDefinition } from '../../api/definition.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';

/** The built-in resources whose objects carry metadata.generation. */
const WITH_GENERATION: ReadonlySet<string> = new Set([
  '/pods',
  '/podtemplates',
  '/replicationcontrollers',
  'admissionregistration.k8s.io/mutatingadmissionpolicies',
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings',
  'admissionregistration.k8s.io/mutatingwebhookconfigurations',
  'admissionregistration.k8s.io/validatingadmissionpolicies',
  'admissionregistration.k8s.io/validatingadmissionpolicybindings',
  'admissionregistration.k8s.io/validatingwebhookconfigurations',
  'apiextensions.k8s.io/customresourcedefinitions',
  'apps/daemonsets',
  'apps/deployments',
  'apps/replicasets',
  'apps/statefulsets',
  'batch/cronjobs',
  'batch/jobs',
  'discovery.k8s.io/endpointslices',
  'flowcontrol.apiserver.k8s.io/flowschemas',
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations',
  'networking.k8s.io/ingressclasses',
  'networking.k8s.io/ingresses',
  'networking.k8s.io/networkpolicies',
  'policy/poddisruptionbudgets',
  'resource.k8s.io/deviceclasses',
  'resource.k8s.io/resourceslices',
  'scheduling.k8s.io/priorityclasses',
]);

/** Those that have none until an update changes what can be changed about them. */
const GENERATION_WHEN_CHANGED: ReadonlySet<string> = new Set(['storage.k8s.io/csidrivers']);

/** Those whose generation stays what it was at creation. */
const FIXED_GENERATION: ReadonlySet<string> = new Set(['scheduling.k8s.io/priorityclasses']);

/** Older versions of a resource go by the one that is stored. */
export function hasGeneration({ type: own, storedAs, custom }: ResourceDefinition): boolean {
  const type = storedAs?.type ?? own;
  return custom === true || WITH_GENERATION.has(`${type.group}/${type.resource}`);
}

/** The generation after an update from `old`. */
export function nextGeneration(
  definition: ResourceDefinition,
  object: DeepReadonly<KubeObject>,
  old: DeepReadonly<KubeObject>,
): number | undefined {
  const { generation } = old.metadata;
  const { group, resource } = definition.type;
  const name = `${group}/${resource}`;
  if (FIXED_GENERATION.has(name)) return generation;
  if (!hasGeneration(definition) && !GENERATION_WHEN_CHANGED.has(name)) return generation;
  const changed =
    definition.strategy.specChanged?.(object, old) ?? outsideMetadataAndStatusDiffers(definition, object, old);
  return changed ? (generation ?? 0) + 1 : generation;
}

function outsideMetadataAndStatusDiffers(
  definition: ResourceDefinition,
  object: DeepReadonly<KubeObject>,
  old: DeepReadonly<KubeObject>,
): boolean {
  const skipStatus = definition.subresources.some((subresource) => subresource.name === 'status');
  for (const key of new Set([...Object.keys(object), ...Object.keys(old)])) {
    if (key === 'metadata' || key === 'kind' || key === 'apiVersion' || (skipStatus && key === 'status')) continue;
    if (!equalJSON(object[key], old[key])) return true;
  }
  return false;
}
