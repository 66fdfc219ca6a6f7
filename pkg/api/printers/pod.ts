import type { Printer, RowCondition } from '../definition.ts';
import type { Pod } from '../generated/types.ts';
import { since } from './human-duration.ts';
import { age, ageColumn, definePrinter, nameColumn, type Printable, text, wide } from './printer.ts';

const endings: Readonly<Record<string, readonly RowCondition[]>> = {
  Succeeded: [
    { type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' },
  ],
  Failed: [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }],
};

const columnsPrinter = definePrinter<Pod>(
  [
    nameColumn,
    text('Ready', 'How many of the containers that should keep running are ready.'),
    text('Status', 'What the pod is doing, in one word: its phase or the reason that stands out.'),
    text('Restarts', 'How often its containers were restarted, and when that last happened.'),
    ageColumn,
    wide('IP', 'The address of the pod.'),
    wide('Node', 'The node that the pod is bound to.'),
    wide('Nominated Node', 'The node on which preemption is making room for the pod.'),
    wide('Readiness Gates', 'How many of the additional conditions for readiness are true.'),
  ],
  (pod, nowMs) => {
    const { ready, total, reason, restarts, lastRestart } = summarize(pod);
    return [
      pod.metadata.name,
      `${ready}/${total}`,
      reason,
      restarts > 0 && lastRestart !== '' ? `${restarts} (${since(lastRestart, nowMs)} ago)` : `${restarts}`,
      age(pod, nowMs),
      pod.status?.podIPs?.[0]?.ip || '<none>',
      pod.spec?.nodeName || '<none>',
      pod.status?.nominatedNodeName || '<none>',
      readinessGates(pod),
    ];
  },
);

export const podPrinter: Printer = {
  ...columnsPrinter,
  conditions: (object) => endings[(object as unknown as PrintablePod).status?.phase ?? ''],
};

type PrintablePod = Printable<Pod>;
type ContainerStatuses = NonNullable<NonNullable<PrintablePod['status']>['containerStatuses']>;
type ContainerStatus = ContainerStatuses[number];

interface Restarts {
  count: number;
  /** RFC 3339, or '' when no container ended before. */
  last: string;
}

/** The Ready, Status and Restarts columns: the rules of upstream's pod printer. */
function summarize(pod: PrintablePod) {
  const sidecars = new Set<string | undefined>();
  for (const container of pod.spec?.initContainers ?? []) {
    if (container.restartPolicy === 'Always') sidecars.add(container.name);
  }
  const init = summarizeInit(pod, sidecars);
  let { reason, ready } = init;
  let restarts = init.all;
  if (!init.running || conditionIs(pod, 'Initialized', 'True')) {
    const main = summarizeMain(pod, reason, init.sidecars);
    reason = main.reason;
    ready += main.ready;
    restarts = main.restarts;
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    const phase = pod.status?.phase;
    if (pod.status?.reason === 'NodeLost') reason = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') reason = 'Terminating';
  }
  const total = (pod.spec?.containers?.length ?? 0) + sidecars.size;
  return { ready, total, reason, restarts: restarts.count, lastRestart: restarts.last };
}

function initialReason(pod: PrintablePod): string {
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
  if (scheduled?.reason === 'SchedulingGated') return 'SchedulingGated';
  return pod.status?.reason || pod.status?.phase || '';
}

function summarizeInit(pod: PrintablePod, sidecarNames: ReadonlySet<string | undefined>) {
  const all: Restarts = { count: 0, last: '' };
  const sidecars: Restarts = { count: 0, last: '' };
  let ready = 0;
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    countRestarts(all, status);
    const sidecar = sidecarNames.has(status.name);
    if (sidecar) countRestarts(sidecars, status);
    if (status.state?.terminated !== undefined && (status.state.terminated.exitCode ?? 0) === 0) continue;
    if (sidecar && status.started === true) {
      if (status.ready === true) ready++;
      continue;
    }
    return { reason: initReason(pod, status, index), ready, running: true, all, sidecars };
  }
  return { reason: initialReason(pod), ready, running: false, all, sidecars };
}

/** The status of a pod whose init container at `index` has not succeeded yet. */
function initReason(pod: PrintablePod, status: ContainerStatus, index: number): string {
  const { terminated, waiting } = status.state ?? {};
  if (terminated !== undefined) return `Init:${endReason(terminated)}`;
  if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
  return `Init:${index}/${pod.spec?.initContainers?.length ?? 0}`;
}

function summarizeMain(pod: PrintablePod, initial: string, sidecars: Restarts) {
  const restarts = { ...sidecars };
  let reason = initial;
  let ready = 0;
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    countRestarts(restarts, status);
    const { waiting, terminated, running } = status.state ?? {};
    if (waiting?.reason) reason = waiting.reason;
    else if (terminated !== undefined) reason = endReason(terminated);
    else if (status.ready === true && running !== undefined) ready++;
  }
  if (reason === 'Completed' && ready > 0) {
    reason = conditionIs(pod, 'Ready', 'True') ? 'Running' : 'NotReady';
  }
  return { reason, ready, restarts };
}

function endReason(terminated: NonNullable<NonNullable<ContainerStatus['state']>['terminated']>): string {
  if (terminated.reason) return terminated.reason;
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode ?? 0}`;
}

function countRestarts(restarts: Restarts, status: ContainerStatus): void {
  restarts.count += status.restartCount ?? 0;
  const finished = status.lastState?.terminated?.finishedAt ?? '';
  if (finished !== '' && (restarts.last === '' || Date.parse(finished) > Date.parse(restarts.last))) {
    restarts.last = finished;
  }
}

function conditionIs(pod: PrintablePod, type: string, status: string): boolean {
  return pod.status?.conditions?.find((condition) => condition.type === type)?.status === status;
}

function readinessGates(pod: PrintablePod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const met = gates.filter((gate) => gate.conditionType && conditionIs(pod, gate.conditionType, 'True'));
  return `${met.length}/${gates.length}`;
}
