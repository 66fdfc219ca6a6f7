import { podAmount } from '../container/resources.ts';
import type { Pod } from '../types.ts';
import type { PodUsage } from './pod-usage.ts';
import { SIGNAL_FACTS, type Signal } from './thresholds.ts';

type Resource = (typeof SIGNAL_FACTS)[Signal]['resource'];
type Amount = (usage: PodUsage) => number;

const AMOUNTS: Readonly<Record<Resource, Amount>> = {
  memory: ({ containers }) => sum([...containers.values()].map(({ memoryBytes }) => memoryBytes)),
  'ephemeral-storage': ({ containers, emptyDirs }) =>
    sum([
      ...[...containers.values()].map(({ disk }) => disk.bytes),
      ...[...emptyDirs.values()].map(({ bytes }) => bytes),
    ]),
  inodes: ({ containers, emptyDirs }) =>
    sum([
      ...[...containers.values()].map(({ disk }) => disk.inodes),
      ...[...emptyDirs.values()].map(({ inodes }) => inodes),
    ]),
  pids: ({ processes }) => processes,
};

/**
 * The order in which pods go for a signal: those that use more than they requested, then by priority (the lowest first), then by
 * how much more they use than they requested. Requests count for memory and storage only. Pure.
 */
export function rankPods(pods: readonly Pod[], usages: ReadonlyMap<string, PodUsage>, signal: Signal): Pod[] {
  const { resource } = SIGNAL_FACTS[signal];
  const hasRequests = resource === 'memory' || resource === 'ephemeral-storage';
  const ranked = pods.map((pod) => {
    const usage = usages.get(pod.metadata.uid);
    const used = usage === undefined ? 0 : AMOUNTS[resource](usage);
    const over = used - (hasRequests ? podAmount(pod, 'requests', resource) : 0);
    // What was not measured may be anything: it goes first.
    return { pod, over, exceeds: usage === undefined || (hasRequests && over > 0), priority: pod.spec.priority ?? 0 };
  });
  ranked.sort((a, b) => Number(b.exceeds) - Number(a.exceeds) || a.priority - b.priority || b.over - a.over);
  return ranked.map(({ pod }) => pod);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
