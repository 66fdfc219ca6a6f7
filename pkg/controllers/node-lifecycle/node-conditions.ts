import type { Node, NodeCondition, Pod, Taint } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';

export type ReadNode = DeepReadonly<Node>;

const WATCHED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];
export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';

/** `True`, `False` or `Unknown`; undefined for a node that has never said. */
export function readyStatus(node: ReadNode): string | undefined {
  return node.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
}

/** The conditions of a node that nobody has heard of for too long: all Unknown. */
export function unknownConditions(node: ReadNode, nowMs: number): readonly DeepReadonly<NodeCondition>[] {
  const now = formatTime(nowMs);
  const conditions = (node.status?.conditions ?? []).map((condition) =>
    WATCHED.includes(condition.type) && condition.status !== 'Unknown'
      ? {
          ...condition,
          status: 'Unknown',
          lastTransitionTime: now,
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
        }
      : condition,
  );
  const missing = WATCHED.filter((type) => !conditions.some((condition) => condition.type === type)).map((type) => ({
    type,
    status: 'Unknown',
    lastHeartbeatTime: node.metadata.creationTimestamp,
    lastTransitionTime: now,
    reason: 'NodeStatusNeverUpdated',
    message: 'Kubelet never posted node status.',
  }));
  return [...conditions, ...missing];
}

/** Conditions that keep new pods away, by status. */
const NO_SCHEDULE: readonly (readonly [condition: string, status: string, taint: string])[] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
];
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

/**
 * The taints that follow from a node's conditions and spec.unschedulable; others are kept. `evict` says whether pods are
 * driven away as well, which is for the state of its zone to say.
 */
export function taintsFor(node: ReadNode, evict: boolean, nowMs: number): readonly DeepReadonly<Taint>[] {
  const wanted = new Set<string>();
  for (const [type, status, key] of NO_SCHEDULE) {
    const current =
      type === 'Ready' ? readyStatus(node) : node.status?.conditions?.find((c) => c.type === type)?.status;
    if (current === status) wanted.add(`${key}:NoSchedule`);
  }
  if (node.spec.unschedulable) wanted.add(`${UNSCHEDULABLE}:NoSchedule`);
  const ready = readyStatus(node);
  if (evict && ready === 'False') wanted.add(`${NOT_READY}:NoExecute`);
  if (evict && ready === 'Unknown') wanted.add(`${UNREACHABLE}:NoExecute`);
  const managed = new Set([
    ...[...NO_SCHEDULE.map(([, , key]) => key), UNSCHEDULABLE].map((key) => `${key}:NoSchedule`),
    `${NOT_READY}:NoExecute`,
    `${UNREACHABLE}:NoExecute`,
  ]);
  // What admission gave a new node stays until its kubelet has said something.
  if (ready === undefined) managed.delete(`${NOT_READY}:NoSchedule`);
  const kept = (node.spec.taints ?? []).filter(({ key, effect }) => {
    const id = `${key}:${effect}`;
    return !managed.has(id) || wanted.delete(id);
  });
  const added = [...wanted].map((id) => {
    const colon = id.lastIndexOf(':');
    return { key: id.slice(0, colon), effect: id.slice(colon + 1), timeAdded: formatTime(nowMs) };
  });
  return [...kept, ...added];
}

/** Whether pods are driven away from a node already, for one reason or the other. */
export function hasEvictionTaint({ spec }: ReadNode): boolean {
  return (spec.taints ?? []).some(
    ({ key, effect }) => effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE),
  );
}

/** Labels that are known by an older name as well, which selectors may still use: the new name -> the old one. */
const OLD_LABELS = [
  ['kubernetes.io/os', 'beta.kubernetes.io/os'],
  ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
] as const;

/** What the old names are to be set to; undefined when they say the same already. */
export function labelsFor({ metadata: { labels = {} } }: ReadNode): Readonly<Record<string, string>> | undefined {
  const changed = OLD_LABELS.flatMap(([current, old]) => {
    const value = labels[current];
    return value === undefined || labels[old] === value ? [] : [[old, value] as const];
  });
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

/** The status of a ready pod whose node is lost; undefined: it needs no change. */
export function notReadyStatus(pod: DeepReadonly<Pod>, nowMs: number): DeepReadonly<Pod['status']> | undefined {
  const conditions = pod.status?.conditions ?? [];
  if (!conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) return undefined;
  return {
    ...pod.status,
    conditions: conditions.map((condition) =>
      condition.type === 'Ready' ? { ...condition, status: 'False', lastTransitionTime: formatTime(nowMs) } : condition,
    ),
  };
}
