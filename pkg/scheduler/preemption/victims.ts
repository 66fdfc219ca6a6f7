import type { PodDisruptionBudget } from '../../api/generated/types.ts';
import { isEmptySelector, matchesLabelSelector } from '../../api/selector.ts';
import { parseTime } from '../../api/time.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { CycleState } from '../framework/cycle-state.ts';
import type { Framework } from '../framework/framework.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Rejection, SchedulerPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';

/** A node with the pods that would have to go from it. */
export interface Candidate {
  readonly node: string;
  /** The most important one first. */
  readonly victims: readonly PodInfo[];
  /** Victims whose disruption budget does not allow it. */
  readonly violations: number;
}

type Budget = DeepReadonly<PodDisruptionBudget>;

const NO_VICTIMS: Rejection = {
  plugin: 'DefaultPreemption',
  reasons: ['No preemption victims found for incoming pod'],
  resolvable: false,
};

/**
 * The fewest, least important pods that have to go from a node for a pod to fit, or why that does not help: takes all pods
 * of lower priority away, then puts back as many as fit, those with an exhausted budget first, the important ones first.
 * `node` and `state` are not changed. Upstream: SelectVictimsOnNode.
 */
export function selectVictims(
  framework: Framework,
  filters: readonly SchedulerPlugin[],
  state: CycleState,
  pod: PodInfo,
  node: NodeInfo,
  budgets: readonly Budget[],
): Candidate | Rejection {
  const lower: PodInfo[] = [];
  for (const other of node.pods.values()) if (other.priority < pod.priority) lower.push(other);
  if (lower.length === 0) return NO_VICTIMS;
  const trial = { state: state.clone(), node: node.clone() };
  for (const victim of lower) framework.removePod(trial.state, pod, victim, trial.node);
  const rejection = framework.filter(filters, trial.state, pod, trial.node);
  if (rejection !== undefined) return rejection;

  const { violating, others } = splitByBudgets(lower.toSorted(compareImportance), budgets);
  const isReprieved = (victim: PodInfo): boolean => {
    framework.addPod(trial.state, pod, victim, trial.node);
    if (framework.filter(filters, trial.state, pod, trial.node) === undefined) return true;
    framework.removePod(trial.state, pod, victim, trial.node);
    return false;
  };
  const violations = violating.filter((victim) => !isReprieved(victim));
  const rest = others.filter((victim) => !isReprieved(victim));
  return {
    node: node.name,
    victims: [...violations, ...rest].toSorted(compareImportance),
    violations: violations.length,
  };
}

/** Higher priority is more important, then the longer run. */
export function compareImportance(a: PodInfo, b: PodInfo): number {
  return b.priority - a.priority || startMs(a) - startMs(b);
}

/** When a pod started; one that has not is taken to start now. */
export function startMs({ pod }: PodInfo): number {
  const { startTime } = pod.status;
  return startTime === undefined ? Number.POSITIVE_INFINITY : parseTime(startTime);
}

/** Which pods' eviction would break a budget, counting in the order given. */
function splitByBudgets(
  pods: readonly PodInfo[],
  budgets: readonly Budget[],
): { violating: PodInfo[]; others: PodInfo[] } {
  const left = budgets.map(({ status }) => status?.disruptionsAllowed ?? 0);
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const pod of pods) {
    let isViolating = false;
    for (const [i, budget] of budgets.entries()) {
      if (!covers(budget, pod)) continue;
      const allowed = (left[i] ?? 0) - 1;
      left[i] = allowed;
      if (allowed < 0) isViolating = true;
    }
    (isViolating ? violating : others).push(pod);
  }
  return { violating, others };
}

/** A budget with an empty selector covers nothing here; a pod that is being evicted already is accounted for. */
function covers({ metadata, spec, status }: Budget, { pod }: PodInfo): boolean {
  const { labels = {}, namespace, name } = pod.metadata;
  if (metadata.namespace !== namespace || Object.keys(labels).length === 0) return false;
  const selector = spec?.selector;
  if (selector === undefined || isEmptySelector(selector) || !matchesLabelSelector(selector, labels)) return false;
  return status?.disruptedPods?.[name] === undefined;
}
