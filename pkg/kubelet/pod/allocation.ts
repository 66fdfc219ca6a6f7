import type { PodSpec as ApiPodSpec } from '../../api/generated/types.ts';
import { podQOS } from '../../api/kinds/pod-qos.ts';
import { quantityMilliValue, quantityValue } from '../../api/quantity.ts';
import { podAmount } from '../container/resources.ts';
import { isStaticPod } from '../labels.ts';
import type { Need } from '../preemption/victims.ts';
import type { Container, Pod } from '../types.ts';

type Resources = NonNullable<Container['resources']>;

/** Stands for the pod as a whole: no container has this name. */
const WHOLE_POD = '';

/** By container name: what the node has given the containers (ephemeral ones get none of their own) and the pod as a whole. */
export type Allocation = ReadonlyMap<string, Resources>;

function resizable({ spec }: Pod): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** What the pod's spec asks for. */
export function allocationOf(pod: Pod): Allocation {
  const whole = pod.spec.resources;
  return new Map([
    ...resizable(pod).map(({ name, resources = {} }): [string, Resources] => [name, resources]),
    ...(whole === undefined ? [] : [[WHOLE_POD, whole] as const]),
  ]);
}

/** What a pod had when its status was last written, for containers that the status tells of; else what it asks for. */
export function allocationFromStatus(pod: Pod): Allocation {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return new Map(
    [...allocationOf(pod)].map(([name, wanted]) => {
      if (name === WHOLE_POD) return [name, wholeFromStatus(wanted, pod.status)];
      const status = statuses.find((one) => one.name === name);
      if (status?.containerID === undefined || status.resources === undefined) return [name, wanted];
      const requests = status.allocatedResources ?? status.resources.requests;
      return [name, { ...wanted, ...known({ limits: status.resources.limits, requests }) }];
    }),
  );
}

/** The status also tells of what the pod's containers have together, which is no amount of the pod's own. */
function wholeFromStatus(wanted: Resources, status: Pod['status']): Resources {
  const own = (told: Resources['limits'], asked: Resources['limits']): Resources['limits'] =>
    asked && Object.fromEntries(Object.entries(asked).map(([name, amount]) => [name, told?.[name] ?? amount]));
  const requests = own(status?.allocatedResources, wanted.requests);
  return { ...wanted, ...known({ limits: own(status?.resources?.limits, wanted.limits), requests }) };
}

function known<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** The pod as it is to run: with what it was given instead of what it asks for. */
export function withAllocation(pod: Pod, allocation: Allocation): Pod {
  const give = (container: Container): Container => {
    const resources = allocation.get(container.name);
    return resources === undefined ? container : { ...container, resources };
  };
  const { containers, initContainers } = pod.spec;
  const whole = allocation.get(WHOLE_POD);
  const spec = {
    ...pod.spec,
    ...(whole === undefined ? {} : { resources: whole }),
    containers: containers.map(give),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(give) }),
  };
  return { ...pod, spec };
}

export interface ResizeRefusal {
  readonly reason: 'Infeasible' | 'Deferred';
  readonly message: string;
}

/** Why the node cannot give a pod what it now asks for: never, or not beside the other pods; undefined when it can. Pure. */
export function resizeRefusal(
  pod: Pod,
  others: readonly Pod[],
  allocatable: Readonly<Record<string, string>>,
): ResizeRefusal | undefined {
  if (isStaticPod(pod)) {
    return { reason: 'Infeasible', message: 'In-place resize of static-pods is not supported' };
  }
  const amounts = wantedAmounts(pod, others, allocatable);
  const never = amounts.find(({ requested, capacity }) => requested > capacity);
  if (never !== undefined) {
    const { resource, requested, capacity } = never;
    const message = `Node didn't have enough capacity: ${resource}, requested: ${requested}, capacity: ${capacity}`;
    return { reason: 'Infeasible', message };
  }
  const [now] = amounts.filter(isShort);
  if (now === undefined) return undefined;
  const { resource, requested, used, capacity } = now;
  const amountsText = `requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return { reason: 'Deferred', message: `Node didn't have enough resource: ${resource}, ${amountsText}` };
}

/** What the other pods have to leave so that the node can give a pod what it now asks for. Pure. */
export function resizeNeeds(pod: Pod, others: readonly Pod[], allocatable: Readonly<Record<string, string>>): Need[] {
  return wantedAmounts(pod, others, allocatable)
    .filter(isShort)
    .map(({ resource, requested, used, capacity }) => ({ resource, amount: requested - (capacity - used) }));
}

interface WantedAmount {
  readonly resource: 'cpu' | 'memory';
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

function wantedAmounts(
  pod: Pod,
  others: readonly Pod[],
  allocatable: Readonly<Record<string, string>>,
): WantedAmount[] {
  return (['cpu', 'memory'] as const).map((resource) => {
    const value = resource === 'cpu' ? quantityMilliValue : quantityValue;
    const used = others.reduce((sum, other) => sum + podAmount(other, 'requests', resource), 0);
    const requested = podAmount(pod, 'requests', resource);
    return { resource, requested, used, capacity: value(allocatable[resource] ?? '0') };
  });
}

function isShort({ requested, used, capacity }: WantedAmount): boolean {
  return requested > 0 && used + requested > capacity;
}

/** What a container has to itself stays as it is while it runs. Pure. */
export function pinnedRefusal(
  desired: Pod,
  before: Allocation,
  managers: { readonly cpus: unknown; readonly memory: unknown },
): ResizeRefusal | undefined {
  if (podQOS(desired.spec as ApiPodSpec) !== 'Guaranteed') return undefined;
  const changed = new Set(
    [...allocationOf(desired)].flatMap(([name, after]) => changedResources(before.get(name) ?? {}, after)),
  );
  const refusal = (policy: string): ResizeRefusal => {
    return { reason: 'Infeasible', message: `Resize is infeasible for Guaranteed Pods alongside ${policy}` };
  };
  if (managers.cpus !== undefined && changed.has('cpu')) return refusal('CPU Manager policy "static"');
  return managers.memory !== undefined && changed.has('memory') ? refusal('Memory Manager policy "Static"') : undefined;
}

/** Of two amounts of one container, the resources that differ. */
export function changedResources(before: Resources, after: Resources): ('cpu' | 'memory')[] {
  return (['cpu', 'memory'] as const).filter((resource) =>
    (['requests', 'limits'] as const).some((kind) => before[kind]?.[resource] !== after[kind]?.[resource]),
  );
}

/** Whether the container must be started again to get other amounts of these resources. */
export function restartsFor(container: Container, resources: readonly string[]): boolean {
  return (container.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) => restartPolicy === 'RestartContainer' && resources.includes(resourceName),
  );
}

/** What events tell of a resize, as JSON. */
export function resizeSummary(pod: Pod, generation: number | undefined, error?: string): string {
  const list = (containers: readonly Container[] = []): object[] | undefined =>
    containers.length === 0
      ? undefined
      : containers.map(({ name, resources }) => ({ name, resources: inOrder(resources) }));
  const initContainers = list(pod.spec.initContainers);
  return JSON.stringify({ initContainers, containers: list(pod.spec.containers), generation, error });
}

/** The fields in upstream's order, amounts by name. */
function inOrder({ limits, requests, claims }: Resources = {}): Resources {
  const sorted = (amounts: Resources['limits']): Resources['limits'] =>
    amounts && Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...known({ limits: sorted(limits), requests: sorted(requests), claims }) };
}
