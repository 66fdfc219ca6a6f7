/** Which objects a ResourceQuota is about (upstream's pkg/quota/v1/evaluator/core and generic.Matches). */

import type { DeepReadonly } from '../../base/json.ts';
import type { PersistentVolumeClaim, Pod, ResourceQuota } from '../generated/types.ts';
import { podQOS } from '../kinds/pod-qos.ts';
import type { KubeObject, ResourceType } from '../object.ts';

type AnyObject = DeepReadonly<KubeObject>;

/** Whether a quota is about an object, by its scopes. They are about pods, and about the classes of claims. */
export function quotaMatches(quota: DeepReadonly<ResourceQuota>, type: ResourceType, object: AnyObject): boolean {
  const selector = quota.spec?.scopeSelector?.matchExpressions ?? [];
  const scopes = [
    ...(quota.spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists', values: [] as string[] })),
    ...selector,
  ];
  if (scopes.length === 0) return true;
  if (type.group !== '') return false;
  if (type.resource === 'pods') {
    const pod = object as unknown as DeepReadonly<Pod>;
    return scopes.every(({ scopeName, operator, values }) => podInScope(pod, scopeName, operator, values ?? []));
  }
  if (type.resource !== 'persistentvolumeclaims') return false;
  const classes = volumeAttributesClasses(object as unknown as DeepReadonly<PersistentVolumeClaim>);
  return scopes.every(
    ({ scopeName, operator, values }) =>
      scopeName === 'VolumeAttributesClass' && inNameScope(classes, operator, values ?? []),
  );
}

/** The classes a claim has, is being given, and wants: it counts for each of them. */
export function volumeAttributesClasses({ spec, status }: DeepReadonly<PersistentVolumeClaim>): string[] {
  const { currentVolumeAttributesClassName: current, modifyVolumeStatus } = status ?? {};
  const names = [spec.volumeAttributesClassName, current, modifyVolumeStatus?.targetVolumeAttributesClassName];
  return [...new Set(names.filter((name) => name !== undefined && name !== ''))] as string[];
}

/** Whether one of the names is meant; an empty name is none. */
function inNameScope(names: readonly string[], operator: string, values: readonly string[]): boolean {
  const given = names.filter((name) => name !== '');
  if (operator === 'In') return given.some((name) => values.includes(name));
  if (operator === 'NotIn') return given.length === 0 || given.some((name) => !values.includes(name));
  return operator === 'Exists' ? given.length > 0 : given.length === 0;
}

function qosOf({ spec, status }: DeepReadonly<Pod>): string {
  return status?.qosClass ?? podQOS(spec);
}

function podInScope(pod: DeepReadonly<Pod>, scope: string, operator: string, values: readonly string[]): boolean {
  switch (scope) {
    case 'Terminating':
      return pod.spec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return pod.spec.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return qosOf(pod) === 'BestEffort';
    case 'NotBestEffort':
      return qosOf(pod) !== 'BestEffort';
    case 'PriorityClass':
      return inNameScope([pod.spec.priorityClassName ?? ''], operator, values);
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(pod);
    default:
      return false;
  }
}

function crossesNamespaces({ spec }: DeepReadonly<Pod>): boolean {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  return [podAffinity, podAntiAffinity].some((affinity) =>
    [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
        ({ podAffinityTerm }) => podAffinityTerm,
      ),
    ].some((term) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined),
  );
}
