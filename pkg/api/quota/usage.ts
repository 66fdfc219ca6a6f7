/** What an object counts for in a ResourceQuota (upstream's pkg/quota/v1/evaluator/core). Amounts are quantities as text. */

import type { DeepReadonly } from '../../base/json.ts';
import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from '../generated/types.ts';
import type { KubeObject, ResourceType } from '../object.ts';
import { type Amounts, add, podTotals } from './pod-totals.ts';

type AnyObject = DeepReadonly<KubeObject>;

/** Resources whose plain plural is a quota name beside `count/...`. */
const PLAIN = new Set(
  'pods services replicationcontrollers resourcequotas secrets configmaps persistentvolumeclaims'.split(' '),
);

/** How much of each quota name one object uses. */
export function usageOf(type: ResourceType, object: AnyObject): Amounts {
  const counted = type.group === '' ? type.resource : `${type.resource}.${type.group}`;
  const usage: Record<string, string> = { [`count/${counted}`]: '1' };
  if (type.group !== '') return usage;
  if (type.resource === 'pods') return podUsage(object as unknown as DeepReadonly<Pod>, usage);
  if (PLAIN.has(type.resource)) usage[type.resource] = '1';
  if (type.resource === 'services') return { ...usage, ...serviceUsage(object as unknown as DeepReadonly<Service>) };
  if (type.resource === 'persistentvolumeclaims')
    return { ...usage, ...claimUsage(object as unknown as DeepReadonly<PersistentVolumeClaim>) };
  return usage;
}

/** Pods that have ended count as objects, but use nothing. */
function podUsage(pod: DeepReadonly<Pod>, usage: Record<string, string>): Amounts {
  const phase = pod.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') return usage;
  usage['pods'] = '1';
  const requests = podTotals(pod.spec, 'requests');
  const limits = podTotals(pod.spec, 'limits');
  for (const [name, amount] of Object.entries(requests)) {
    usage[`requests.${name}`] = amount;
    if (isNative(name)) usage[name] = amount;
  }
  for (const [name, amount] of Object.entries(limits)) if (isNative(name)) usage[`limits.${name}`] = amount;
  return usage;
}

function isNative(name: string): boolean {
  return name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-');
}

function serviceUsage({ spec }: DeepReadonly<Service>): Amounts {
  const ports = (spec.ports ?? []).length;
  if (spec.type === 'NodePort') return { 'services.nodeports': String(ports) };
  if (spec.type !== 'LoadBalancer') return {};
  const allocated = (spec.ports ?? []).filter(({ nodePort }) => nodePort !== undefined && nodePort !== 0).length;
  const nodePorts = spec.allocateLoadBalancerNodePorts === false ? allocated : ports;
  return { 'services.loadbalancers': '1', ...(nodePorts === 0 ? {} : { 'services.nodeports': String(nodePorts) }) };
}

function claimUsage({ spec }: DeepReadonly<PersistentVolumeClaim>): Amounts {
  const storage = spec.resources?.requests?.['storage'];
  const usage: Record<string, string> = storage === undefined ? {} : { 'requests.storage': storage };
  if (spec.storageClassName) {
    const suffix = `${spec.storageClassName}.storageclass.storage.k8s.io`;
    usage[`${suffix}/persistentvolumeclaims`] = '1';
    if (storage !== undefined) usage[`${suffix}/requests.storage`] = storage;
  }
  return usage;
}

/** Whether a quota is about an object, by its scopes. Scopes are about pods (and priority classes) only. */
export function quotaMatches(quota: DeepReadonly<ResourceQuota>, type: ResourceType, object: AnyObject): boolean {
  const selector = quota.spec?.scopeSelector?.matchExpressions ?? [];
  const scopes = [
    ...(quota.spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists', values: [] as string[] })),
    ...selector,
  ];
  if (scopes.length === 0) return true;
  if (type.group !== '' || type.resource !== 'pods') return false;
  const pod = object as unknown as DeepReadonly<Pod>;
  return scopes.every(({ scopeName, operator, values }) => inScope(pod, scopeName, operator, values ?? []));
}

function inScope(pod: DeepReadonly<Pod>, scope: string, operator: string, values: readonly string[]): boolean {
  switch (scope) {
    case 'Terminating':
      return pod.spec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return pod.spec.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'PriorityClass':
      return inPriorityScope(pod.spec.priorityClassName ?? '', operator, values);
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(pod);
    default:
      return false;
  }
}

function inPriorityScope(name: string, operator: string, values: readonly string[]): boolean {
  if (operator === 'In') return values.includes(name);
  if (operator === 'NotIn') return !values.includes(name);
  return operator === 'Exists' ? name !== '' : name === '';
}

function isBestEffort({ spec }: DeepReadonly<Pod>): boolean {
  const total = add(podTotals(spec, 'requests'), podTotals(spec, 'limits'));
  return total['cpu'] === undefined && total['memory'] === undefined;
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
