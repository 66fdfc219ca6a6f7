/** What an object counts for in a ResourceQuota (upstream's pkg/quota/v1/evaluator/core). Amounts are quantities as text. */

import type { DeepReadonly } from '../../base/json.ts';
import type {
  ExactDeviceRequest,
  PersistentVolumeClaim,
  Pod,
  PodSpec,
  ResourceResourceClaim,
  Service,
} from '../generated/types.ts';
import { betaStorageClass } from '../kinds/persistentvolume.ts';
import type { KubeObject, ResourceType } from '../object.ts';
import { formatQuantity, parseQuantity, quantityOf, quantityValue } from '../quantity.ts';
import { compareQuantity, isWholeQuantity } from '../validation/quantity.ts';
import { type Amounts, add, max, podTotals } from './pod-totals.ts';

type AnyObject = DeepReadonly<KubeObject>;

/** Resources whose plain plural is a quota name beside `count/...`. */
const PLAIN = new Set(
  'pods services replicationcontrollers resourcequotas secrets configmaps persistentvolumeclaims'.split(' '),
);

/** How much of each quota name one object uses. */
export function usageOf(type: ResourceType, object: AnyObject): Amounts {
  const counted = type.group === '' ? type.resource : `${type.resource}.${type.group}`;
  const usage: Record<string, string> = { [`count/${counted}`]: '1' };
  if (type.group === 'resource.k8s.io' && type.resource === 'resourceclaims')
    return { ...usage, ...deviceUsage(object as unknown as DeepReadonly<ResourceResourceClaim>) };
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
  const requests = podTotals(inForce(pod, 'requests'), 'requests');
  const limits = podTotals(inForce(pod, 'limits'), 'limits');
  for (const [name, amount] of Object.entries(requests)) {
    usage[`requests.${name}`] = amount;
    if (isNative(name)) usage[name] = amount;
  }
  for (const [name, amount] of Object.entries(limits)) if (isNative(name)) usage[`limits.${name}`] = amount;
  return usage;
}

/**
 * The spec with what its containers have got, where that is more than what they want: a container that is being made
 * smaller counts as large as it is (upstream's UseStatusResources). What a node can never grant does not count.
 */
function inForce({ spec, status }: DeepReadonly<Pod>, side: 'requests' | 'limits'): DeepReadonly<PodSpec> {
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  if (!statuses.some(({ resources }) => resources !== undefined)) return spec;
  const infeasible = status?.conditions?.some(
    ({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible',
  );
  const held = <T extends DeepReadonly<PodSpec['containers'][number]>>(container: T): T => {
    const found = statuses.find(({ name }) => name === container.name);
    if (found?.resources === undefined) return container;
    const got = side === 'limits' ? {} : (found.allocatedResources ?? {});
    const wanted = infeasible ? {} : (container.resources?.[side] ?? {});
    return { ...container, resources: { [side]: max(max(wanted, found.resources[side] ?? {}), got) } };
  };
  const { containers, initContainers } = spec;
  return {
    ...spec,
    containers: containers.map(held),
    ...(initContainers && { initContainers: initContainers.map(held) }),
  };
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

/** A claim that was made larger in vain goes on counting what it was allocated. */
function claimUsage({ metadata, spec, status }: DeepReadonly<PersistentVolumeClaim>): Amounts {
  const requested = spec.resources?.requests?.['storage'];
  const allocated = status?.allocatedResources?.['storage'];
  const larger = requested !== undefined && allocated !== undefined && compareQuantity(allocated, requested) > 0;
  const storage = wholeUnits(larger ? allocated : requested);
  const usage: Record<string, string> = storage === undefined ? {} : { 'requests.storage': storage };
  const storageClass = metadata.annotations?.[betaStorageClass] ?? spec.storageClassName;
  if (storageClass) {
    const suffix = `${storageClass}.storageclass.storage.k8s.io`;
    usage[`${suffix}/persistentvolumeclaims`] = '1';
    if (storage !== undefined) usage[`${suffix}/requests.storage`] = storage;
  }
  return usage;
}

function wholeUnits(amount: string | undefined): string | undefined {
  if (amount === undefined || isWholeQuantity(amount)) return amount;
  return formatQuantity(quantityOf(quantityValue(amount), parseQuantity(amount).format));
}

/** As many devices as a claim is given at most. */
const MOST_DEVICES = 32;

/** The devices a claim may get of each class; of alternatives the most. */
function deviceUsage({ spec }: DeepReadonly<ResourceResourceClaim>): Amounts {
  let usage: Amounts = {};
  for (const request of spec.devices?.requests ?? []) {
    // In v1beta1 a request is what `exactly` holds later.
    const exact = request.exactly ?? (request as unknown as ExactDeviceRequest);
    let most: Amounts = {};
    for (const { deviceClassName, allocationMode, count } of request.firstAvailable ?? [exact]) {
      const devices = allocationMode === 'All' ? MOST_DEVICES : (count ?? 1);
      most = max(most, { [`${deviceClassName}.deviceclass.resource.k8s.io/devices`]: String(devices) });
    }
    usage = add(usage, most);
  }
  return usage;
}
