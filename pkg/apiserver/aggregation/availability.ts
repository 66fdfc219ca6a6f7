import { resources } from '../../api/generated/resources.ts';
import type { APIService, APIServiceCondition } from '../../api/generated/types.ts';
import { formatTime } from '../../api/time.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { ObjectReader } from '../contract.ts';

/** The condition Available without its time. */
export interface Availability {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export const LOCAL: Availability = {
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
};
export const PASSED: Availability = { status: 'True', reason: 'Passed', message: 'all checks passed' };

export function failedCheck(message: string): Availability {
  return { status: 'False', reason: 'FailedDiscoveryCheck', message };
}

type ServiceReference = DeepReadonly<NonNullable<NonNullable<APIService['spec']>['service']>>;

/** What the cluster's objects say of an aggregated server; undefined: nothing against it, so it has to be asked itself. */
export function checkObjects(reference: ServiceReference, reader: ObjectReader): Availability | undefined {
  const { namespace = '', name = '', port = 443 } = reference;
  const quoted = JSON.stringify(namespace);
  const no = (reason: string, message: string): Availability => ({ status: 'False', reason, message });
  const service = reader.get(resources.services, { namespace, name });
  if (service === undefined) return no('ServiceNotFound', `service/${name} in ${quoted} is not present`);
  if ((service.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined;
  const servicePort = service.spec?.ports?.find((one) => one.port === port);
  if (servicePort === undefined)
    return no('ServicePortError', `service/${name} in ${quoted} is not listening on port ${port}`);
  const portName = servicePort.name ?? '';
  let found = false;
  for (const slice of reader.list(resources.endpointslices, namespace)) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
    found = true;
    const isReady = slice.endpoints?.some(({ conditions }) => conditions?.ready !== false) === true;
    const hasPort = slice.ports?.some((one) => (one.name ?? '') === portName && one.port !== undefined) === true;
    if (isReady && hasPort) return undefined;
  }
  if (!found) return no('EndpointsNotFound', `cannot find endpointslices for service/${name} in ${quoted}`);
  const text = `endpointslices for service/${name} in ${quoted} have no addresses with port name ${JSON.stringify(portName)}`;
  return no('MissingEndpoints', text);
}

/** The conditions with Available as it is now; undefined when nothing changes. */
export function withAvailability(
  conditions: readonly DeepReadonly<APIServiceCondition>[],
  { status, reason, message }: Availability,
  nowMs: number,
): DeepReadonly<APIServiceCondition>[] | undefined {
  const before = conditions.find(({ type }) => type === 'Available');
  if (before?.status === status && before.reason === reason && before.message === message) return undefined;
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : formatTime(nowMs);
  const condition = { type: 'Available', status, lastTransitionTime, reason, message } as APIServiceCondition;
  return before === undefined
    ? [...conditions, condition]
    : conditions.map((one) => (one === before ? condition : one));
}

export function isAvailable(service: DeepReadonly<APIService>): boolean {
  return service.status?.conditions?.some(({ type, status }) => type === 'Available' && status === 'True') === true;
}
