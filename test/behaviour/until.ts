/** What the recordings' scripts waited for: their words as checks of what is there now. */
import type { Observed, Observer } from './observer.ts';
import type { JSONObject } from './scenario.ts';

type Check = (found: RegExpExecArray, observer: Observer) => boolean;
type ObjectCheck = (object: Observed, found: RegExpExecArray) => boolean;

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: {
    readonly waiting?: { readonly reason?: string };
    readonly running?: object;
    readonly terminated?: object;
  };
}

/** Throws for words that are in no row of the tables. */
export function checkOf(until: string, name: (recorded: string) => string): (observer: Observer) => boolean {
  const object = /^([A-Z]\w+)\/(\S+?): (.+)$/.exec(until);
  if (object !== null) {
    const [, kind = '', recorded = '', words = ''] = object;
    for (const [pattern, check] of objectChecks) {
      const found = pattern.exec(words);
      if (found === null) continue;
      return (observer) => {
        const current = observer.current(`${kind}/${name(`${kind}/${recorded}`)}`);
        return words === 'gone' ? current === undefined : current !== undefined && check(current, found);
      };
    }
  }
  for (const [pattern, check] of checks) {
    const found = pattern.exec(until);
    if (found !== null) return (observer) => check(found, observer);
  }
  throw new Error(`no check for "${until}"`);
}

const objectChecks: readonly (readonly [RegExp, ObjectCheck])[] = [
  [/^gone$/, () => false],
  [/^all (\d+) replicas updated and available$/, (o, [, n]) => isRolledOut(o, Number(n))],
  [/^Running and Ready$/, (o) => isRunningAndReady(o)],
  [/^(\d+) ready replicas$/, (o, [, n]) => count(o, 'readyReplicas') === Number(n) && hasObserved(o)],
  [/^(\d+) replicas ready, revision current$/, (o, [, n]) => isSettledSet(o, Number(n))],
  [
    /^updatedReplicas=(\d+) and all ready$/,
    (o, [, n]) =>
      count(o, 'updatedReplicas') === Number(n) && count(o, 'readyReplicas') === Number(o.spec?.['replicas']),
  ],
  [
    /^(\d+) updated and available$/,
    (o, [, n]) =>
      hasObserved(o) && count(o, 'updatedNumberScheduled') === Number(n) && count(o, 'numberAvailable') === Number(n),
  ],
  [
    /^one updated, two available$/,
    (o) => count(o, 'updatedNumberScheduled') === 1 && count(o, 'numberAvailable') === 2,
  ],
  [/^desired (\d+)$/, (o, [, n]) => count(o, 'desiredNumberScheduled') === Number(n)],
  [/^(\d+) ready addresses$/, (o, [, n]) => addresses(o, 'addresses') === Number(n)],
  [/^one not ready address$/, (o) => addresses(o, 'notReadyAddresses') === 1],
  [/^status\.hard$/, (o) => o.status?.['hard'] !== undefined],
  [/^pods used (\d+)$/, (o, [, n]) => (o.status?.['used'] as JSONObject | undefined)?.['pods'] === n],
  [/^issued$/, (o) => o.status?.['certificate'] !== undefined],
  [/^data\.token$/, (o) => (o['data'] as JSONObject | undefined)?.['token'] !== undefined],
  [/^deletionTimestamp$/, (o) => o.metadata.deletionTimestamp !== undefined],
  [/^phase=(\w+)$/, (o, [, phase]) => o.status?.['phase'] === phase],
  [/^(Available|Bound|Released)$/, (o, [, phase]) => o.status?.['phase'] === phase],
  [/^Failed or gone$/, (o) => o.status?.['phase'] === 'Failed'],
  [/^(Failed|Complete|Suspended|ReplicaFailure)$/, (o, [, type]) => condition(o, type) === 'True'],
  [/^(\w+)=(True|False|Unknown)(?: again)?$/, (o, [, type, status]) => condition(o, type) === status],
  [/^not ready$/, (o) => condition(o, 'Ready') === 'False'],
  [/^no active$/, (o) => count(o, 'active') === 0],
  [/^lastSuccessfulTime$/, (o) => o.status?.['lastSuccessfulTime'] !== undefined],
  [/^container waiting with reason (\w+)$/, (o, [, r]) => containers(o).some((c) => c.state.waiting?.reason === r)],
  [/^init CrashLoopBackOff$/, (o) => inits(o).some((c) => c.state.waiting?.reason === 'CrashLoopBackOff')],
  [/^init restartCount=(\d+)$/, (o, [, n]) => inits(o).some((c) => c.restartCount === Number(n))],
  [/^restartCount=(\d+)$/, (o, [, n]) => containers(o).some((c) => c.restartCount >= Number(n))],
  [
    /^restartCount=(\d+) and Ready$/,
    (o, [, n]) => containers(o).some((c) => c.restartCount === Number(n)) && condition(o, 'Ready') === 'True',
  ],
  [/^first container terminated$/, (o) => containers(o)[0]?.state.terminated !== undefined],
  [
    /^helper restarted and Ready$/,
    (o) => containers(o).some((c) => c.restartCount === 1) && condition(o, 'Ready') === 'True',
  ],
  [
    /^deletionTimestamp set and container terminated$/,
    (o) => o.metadata.deletionTimestamp !== undefined && containers(o)[0]?.state.terminated !== undefined,
  ],
  [/^ephemeral container terminated$/, (o) => ephemerals(o)[0]?.state.terminated !== undefined],
  [/^finished$/, (o) => ['Succeeded', 'Failed'].includes(String(o.status?.['phase']))],
  [
    /^\w+=\d+(?:, \w+=\d+)*$/,
    (o, [text]) =>
      (text ?? '').split(', ').every((part) => {
        const [field = '', value] = part.split('=');
        return count(o, field) === Number(value);
      }),
  ],
];

const checks: readonly (readonly [RegExp, Check])[] = [
  [
    /^event (\w+) on (\S+)(?: seen (\d+) times)?$/,
    ([, reason, on, times], o) => seen(o, reason, on) >= Number(times ?? 1),
  ],
  [/^two pull attempts failed$/, (_, o) => seen(o, 'Failed', 'p') >= 4],
  [/^default ServiceAccount(?: and kube-root-ca\.crt)?$|^both are back$/, (_, o) => isFurnished(o)],
  [/^(?:no pods left|pods gone)$/, (_, o) => o.list('Pod').length === 0],
  [/^one pod left$/, (_, o) => o.list('Pod').length === 1],
  [/^daemon pods ready$/, (_, o) => o.list('DaemonSet').every((set) => count(set, 'numberReady') > 1)],
  [/^(\d+) jobs made so far$/, ([, n], o) => o.names('Job').length >= Number(n)],
  [/^a mirrored slice$/, (_, o) => o.list('EndpointSlice').length > 0],
  [/^slices gone$/, (_, o) => o.list('EndpointSlice').length === 0],
  [/^Endpoints and slices gone$/, (_, o) => o.list('EndpointSlice').length + o.list('Endpoints').length === 0],
  [
    /^allocatable (\S+)=(\d+)$/,
    ([, name = '', n], o) =>
      o.list('Node').some(({ status }) => (status?.['allocatable'] as JSONObject | undefined)?.[name] === n),
  ],
];

function count(object: Observed, field: string): number {
  return Number(object.status?.[field] ?? 0);
}

function hasObserved(object: Observed): boolean {
  return object.status?.['observedGeneration'] === object.metadata['generation'];
}

function condition(object: Observed, type: string | undefined): string | undefined {
  const list = (object.status?.['conditions'] ?? []) as { readonly type: string; readonly status: string }[];
  return list.find((found) => found.type === type)?.status;
}

function containers(object: Observed): readonly ContainerStatus[] {
  return (object.status?.['containerStatuses'] ?? []) as ContainerStatus[];
}

function inits(object: Observed): readonly ContainerStatus[] {
  return (object.status?.['initContainerStatuses'] ?? []) as ContainerStatus[];
}

function ephemerals(object: Observed): readonly ContainerStatus[] {
  return (object.status?.['ephemeralContainerStatuses'] ?? []) as ContainerStatus[];
}

function isRunningAndReady(object: Observed): boolean {
  return object.status?.['phase'] === 'Running' && condition(object, 'Ready') === 'True';
}

function isRolledOut(object: Observed, replicas: number): boolean {
  const fields = replicas === 0 ? ['replicas'] : ['replicas', 'updatedReplicas', 'availableReplicas'];
  return hasObserved(object) && fields.every((field) => count(object, field) === replicas);
}

function isSettledSet(object: Observed, replicas: number): boolean {
  const { status } = object;
  return (
    hasObserved(object) &&
    count(object, 'replicas') === replicas &&
    count(object, 'readyReplicas') === replicas &&
    status?.['currentRevision'] === status?.['updateRevision']
  );
}

function addresses(object: Observed, field: 'addresses' | 'notReadyAddresses'): number {
  const subsets = (object['subsets'] ?? []) as Partial<Record<typeof field, readonly unknown[]>>[];
  return subsets.reduce((sum, subset) => sum + (subset[field]?.length ?? 0), 0);
}

function isFurnished(observer: Observer): boolean {
  return (
    observer.current('ServiceAccount/default') !== undefined &&
    observer.current('ConfigMap/kube-root-ca.crt') !== undefined
  );
}

/** How often an event was seen on an object. */
function seen(observer: Observer, reason: string | undefined, on: string | undefined): number {
  let sum = 0;
  for (const event of observer.events.values()) {
    const { name } = event['involvedObject'] as { readonly name: string };
    if (event['reason'] !== reason || name !== on) continue;
    const series = event['series'] as { readonly count: number } | undefined;
    sum += Number(series?.count ?? event['count'] ?? 1);
  }
  return sum;
}
