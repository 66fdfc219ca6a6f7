/** Writes of a pod's status. */
import { isIP } from 'node:net';
import { cloneJSON, type DeepReadonly } from '../../base/json.ts';
import type { Container, ContainerStatus, Pod, PodCondition, PodSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { withoutZeros } from '../validation/ip.ts';
import { isDNS1123Subdomain, isQualifiedName, rangeText } from '../validation/names.ts';
import { checkName, immutable, ipAddress } from '../validation/values.ts';

type FieldError = field.FieldError;
type View = DeepReadonly<Pod>;
type Spec = DeepReadonly<PodSpec>;
type Statuses = readonly DeepReadonly<ContainerStatus>[] | undefined;

const maxID = 2_147_483_647;
const systemConditions = new Set(['PodScheduled', 'Ready', 'Initialized']);
const health = ['Healthy', 'Unhealthy', 'Unknown'];

/** Carries over what a writer of a status may not change, or may not know. */
export function preserveStatus(pod: Pod, old: View): void {
  if (old.metadata.ownerReferences) pod.metadata.ownerReferences = cloneJSON(old.metadata.ownerReferences);
  else delete pod.metadata.ownerReferences;
  const { status } = pod;
  if (!status) return;
  if (!status.qosClass && old.status?.qosClass) status.qosClass = old.status.qosClass;
  if (!status.observedGeneration && old.status?.observedGeneration) {
    status.observedGeneration = old.status.observedGeneration;
  }
  // A type may occur several times: generations are handed on in order.
  const generations = new Map<string, number[]>();
  for (const { type, observedGeneration = 0 } of old.status?.conditions ?? []) {
    generations.set(type, [...(generations.get(type) ?? []), observedGeneration]);
  }
  for (const condition of status.conditions ?? []) {
    const before = generations.get(condition.type)?.shift() ?? 0;
    if (!condition.observedGeneration && before > 0) condition.observedGeneration = before;
  }
}

export function validatePodStatusUpdate(pod: View, old: View): FieldError[] {
  const { spec, status } = pod;
  const errors = validateConditions(status?.conditions, 'status.conditions');
  if (spec?.nodeName !== old.spec.nodeName) {
    errors.push(field.forbidden('status.nodeName', 'may not be changed directly'));
  }
  const nominated = status?.nominatedNodeName;
  if (nominated && nominated !== old.status?.nominatedNodeName) {
    errors.push(...checkName(isDNS1123Subdomain, nominated, 'status.nominatedNodeName'));
    if (old.spec.nodeName) {
      const detail = 'may not be set on pods that are already bound to a node';
      errors.push(field.forbidden('status.nominatedNodeName', detail));
    }
  }
  errors.push(...countedGeneration(status?.observedGeneration, 'status.observedGeneration'));
  errors.push(...immutable(status?.qosClass ?? '', old.status?.qosClass ?? '', 'status.qosClass'));
  errors.push(...validateTransitions(pod, old));
  errors.push(...validateClaimStatuses(pod, 'status.resourceClaimStatuses'));
  const podIPs = (status?.podIPs ?? []).map(({ ip }) => ip);
  errors.push(...validateIPs(podIPs, 'status.podIPs'));
  const hostIPs = (status?.hostIPs ?? []).map(({ ip }) => ip);
  if (hostIPs.length > 0 && hostIPs[0] !== (status?.hostIP ?? '')) {
    errors.push(field.invalid('status.hostIPs[0].ip', hostIPs[0] ?? '', 'must be equal to `hostIP`'));
  }
  errors.push(...validateIPs(hostIPs, 'status.hostIPs'));
  for (const [list, containers] of [
    ['containerStatuses', spec?.containers],
    ['initContainerStatuses', spec?.initContainers],
    ['ephemeralContainerStatuses', undefined],
  ] as const) {
    errors.push(...validateUsers(status?.[list], spec, `status.${list}`));
    errors.push(...validateAllocated(status?.[list], containers, `status.${list}`));
  }
  return errors;
}

function validateConditions(conditions: readonly DeepReadonly<PodCondition>[] | undefined, path: string): FieldError[] {
  return (conditions ?? []).flatMap(({ type, observedGeneration }, i) => [
    ...countedGeneration(observedGeneration, `${path}[${i}].observedGeneration`),
    ...(systemConditions.has(type) ? [] : checkName(isQualifiedName, type, `${path}[${i}].Type`)),
  ]);
}

function countedGeneration(generation: number | undefined, path: string): FieldError[] {
  return (generation ?? 0) < 0 ? [field.invalid(path, generation, 'must be a non-negative integer')] : [];
}

/** What has ended for good may not run again. */
function validateTransitions(pod: View, old: View): FieldError[] {
  const { spec } = old;
  const errors: FieldError[] = [];
  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    // Ephemeral containers never start again.
    const policy = list === 'ephemeralContainerStatuses' ? 'Never' : spec.restartPolicy;
    if (policy === 'Always' || (list !== 'ephemeralContainerStatuses' && mayRestartAll(spec))) continue;
    for (const [i, before] of (old.status?.[list] ?? []).entries()) {
      const ended = before.state?.terminated;
      if (!ended || (ended.exitCode !== 0 && policy === 'OnFailure')) continue;
      if (list !== 'ephemeralContainerStatuses' && mayRestart(spec, before.name)) continue;
      const again = (pod.status?.[list] ?? []).some((one) => one.name === before.name && !one.state?.terminated);
      if (!again) continue;
      errors.push(field.forbidden(`status.${list}[${i}].state`, 'may not be transitioned to non-terminated state'));
    }
  }
  return errors;
}

/** Whether one container's end can restart all of them. */
function mayRestartAll(spec: Spec): boolean {
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].some(({ restartPolicyRules = [] }) =>
    restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
  );
}

/** A container with a restart policy of its own decides for itself. */
function mayRestart(spec: Spec, name: string): boolean {
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].some(
    (container) =>
      container.name === name &&
      (container.restartPolicy !== undefined || (container.restartPolicyRules?.length ?? 0) > 0),
  );
}

function validateClaimStatuses(pod: View, path: string): FieldError[] {
  const known = new Set((pod.spec?.resourceClaims ?? []).map(({ name }) => name));
  const seen = new Set<string>();
  return (pod.status?.resourceClaimStatuses ?? []).flatMap(({ name, resourceClaimName }, i) => {
    const at = `${path}[${i}].name`;
    const errors: FieldError[] = [];
    if (!known.has(name)) {
      errors.push(field.invalid(at, name, 'must match the name of an entry in `spec.resourceClaims`'));
    }
    if (seen.has(name)) errors.push(field.duplicate(at, name));
    seen.add(name);
    if (resourceClaimName !== undefined) {
      errors.push(...checkName(isDNS1123Subdomain, resourceClaimName, `${path}[${i}].resourceClaimName`));
    }
    return errors;
  });
}

/** Valid addresses, one a family; upstream shows the list as its internal type has it. */
function validateIPs(ips: readonly string[], path: string): FieldError[] {
  const errors = ips.flatMap((ip, i) => ipAddress(ip, `${path}[${i}]`));
  if (ips.length < 2) return errors;
  const families = ips.map((ip) => isIP(withoutZeros(ip)));
  const malformed = families.indexOf(0);
  if (malformed >= 0) {
    const detail = `failed to check for dual stack with error:invalid IP[${malformed}]: ${ips[malformed]}`;
    errors.push(field.internal(path, detail));
  }
  if (malformed >= 0 || new Set(families).size !== 2 || ips.length > 2) {
    const shown = ips.map((IP) => ({ IP }));
    errors.push(field.invalid(path, shown, 'may specify no more than one IP for each IP family'));
  }
  return errors;
}

function validateUsers(statuses: Statuses, spec: Spec | undefined, path: string): FieldError[] {
  const check = (id: number | undefined, at: string): FieldError[] =>
    id === undefined || (id >= 0 && id <= maxID) ? [] : [field.invalid(at, id, rangeText(0, maxID))];
  return (statuses ?? []).flatMap(({ user }, i) => {
    const linux = user?.linux;
    const at = `${path}[${i}].user.linux`;
    if (!linux) return [];
    if (spec?.os?.name === 'windows') return [field.forbidden(at, 'cannot be set for a windows pod')];
    return [
      ...check(linux.uid, `${at}.uid`),
      ...check(linux.gid, `${at}.gid`),
      ...(linux.supplementalGroups ?? []).flatMap((id, j) => check(id, `${at}.supplementalGroups[${j}]`)),
    ];
  });
}

/** The health of devices: of resources that the container asked for. `containers` is undefined for those that have none. */
function validateAllocated(
  statuses: Statuses,
  containers: readonly DeepReadonly<Container>[] | undefined,
  path: string,
): FieldError[] {
  return (statuses ?? []).flatMap((status, i) => {
    const at = `${path}[${i}].allocatedResourcesStatus`;
    const allocated = status.allocatedResourcesStatus ?? [];
    if (allocated.length === 0) return [];
    if (path.includes('ephemeral')) return [field.forbidden(at, 'must not be specified in container status')];
    const container = containers?.find(({ name }) => name === status.name);
    return allocated.flatMap(({ name, resources }, j) => {
      const errors = container ? validateAllocatedName(name, container, `${at}[${j}].name`) : [];
      const seen = new Set<string>();
      for (const [k, { health: value = '', resourceID }] of (resources ?? []).entries()) {
        const one = `${at}[${j}].resources[${k}]`;
        if (!health.includes(value)) errors.push(field.notSupported(`${one}.health`, value, health));
        if (seen.has(resourceID)) errors.push(field.duplicate(`${one}.resourceID`, resourceID));
        seen.add(resourceID);
      }
      return errors;
    });
  });
}

function validateAllocatedName(name: string, container: DeepReadonly<Container>, path: string): FieldError[] {
  const { claims = [], requests } = container.resources ?? {};
  if (!name.startsWith('claim:')) {
    if (requests?.[name] !== undefined) return [];
    return [field.invalid(path, name, "must match one of the container's resource requests")];
  }
  const known = claims.map(({ name: claim, request }) => `claim:${claim}${request ? `/${request}` : ''}`);
  if (known.includes(name)) return [];
  const detail =
    "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
  return [field.invalid(path, name, detail)];
}
