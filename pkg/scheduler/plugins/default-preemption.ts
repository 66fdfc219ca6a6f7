import type { PluginArgs } from '../config/plugin-args.ts';
import type { CycleState } from '../framework/cycle-state.ts';
import { type Diagnosis, fitErrorMessage, isResolvable } from '../framework/diagnosis.ts';
import type { PluginHandle } from '../framework/handle.ts';
import type { PostFilterResult, Rejection, SchedulerPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { Evictor } from '../preemption/evictor.ts';
import { pickCandidate } from '../preemption/pick-candidate.ts';
import { type Candidate, selectVictims } from '../preemption/victims.ts';

const NAME = 'DefaultPreemption';
const NOT_HELPFUL: Rejection = {
  plugin: NAME,
  reasons: ['Preemption is not helpful for scheduling'],
  resolvable: false,
};
const WAITING: Rejection = {
  plugin: NAME,
  reasons: ['waiting for the preemption for this pod to be finished'],
  resolvable: false,
};

/** Makes room for a pod that fits nowhere by evicting less important ones from the node where that does the least harm. */
export function defaultPreemption(args: PluginArgs['DefaultPreemption'], handle: PluginHandle): SchedulerPlugin {
  const evictor = new Evictor(handle);
  const nominate = (pod: PodInfo, candidates: readonly Candidate[]): PostFilterResult => {
    const best = pickCandidate(candidates);
    if (best === undefined) return failed('no candidate node for preemption');
    evictor.start(pod, best);
    return { success: true, nominatedNode: best.node };
  };
  return {
    name: NAME,
    preEnqueue: ({ uid }) => (evictor.isRunning(uid) ? WAITING : undefined),
    postFilter(state, pod, diagnosis) {
      handle.metrics.preemptionAttempt();
      const reason = ineligible(pod, diagnosis, handle);
      if (reason !== undefined) return failed(reason);
      const { candidates, rejections } = dryRun(args, handle, state, pod, diagnosis);
      if (candidates.length === 0) {
        const { total } = diagnosis;
        const message = fitErrorMessage({ total, rejections, absent: NOT_HELPFUL, plugins: new Set() });
        return { ...failed(message), nominatedNode: '' };
      }
      const narrowed = handle.extenders.narrowPreemption(pod, candidates);
      return narrowed === undefined ? nominate(pod, candidates) : narrowed.then((left) => nominate(pod, left));
    },
    // What was refused by another plugin is woken by that plugin's hints.
    mayHelp: () => false,
  };
}

function failed(message: string): PostFilterResult {
  return { success: false, message: `preemption: ${message}` };
}

/** Pods that never preempt, and those whose earlier victims are still on their way out. */
function ineligible({ pod, priority }: PodInfo, diagnosis: Diagnosis, { cluster }: PluginHandle): string | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = pod.status.nominatedNodeName;
  if (!nominated || !isResolvable(diagnosis, nominated)) return undefined;
  for (const other of cluster.get(nominated)?.pods.values() ?? []) {
    if (other.priority < priority && isBeingPreempted(other)) {
      return 'not eligible due to a terminating pod on the nominated node.';
    }
  }
  return undefined;
}

function isBeingPreempted({ pod: { metadata, status } }: PodInfo): boolean {
  if (metadata.deletionTimestamp === undefined) return false;
  const condition = status.conditions?.find(({ type }) => type === 'DisruptionTarget');
  return condition?.status === 'True' && condition.reason === 'PreemptionByScheduler';
}

/** Tries nodes from a random one on until there are enough candidates, one of which keeps to all disruption budgets. */
function dryRun(
  { minCandidateNodesPercentage, minCandidateNodesAbsolute }: PluginArgs['DefaultPreemption'],
  handle: PluginHandle,
  state: CycleState,
  pod: PodInfo,
  diagnosis: Diagnosis,
): { candidates: readonly Candidate[]; rejections: Map<string, Rejection> } {
  const framework = handle.framework();
  const filters = framework.activeFilters(state);
  const nodes = handle.cluster.nodes.filter(({ name }) => isResolvable(diagnosis, name));
  const budgets = [...handle.informers.disruptionBudgets.lister.list()];
  const wanted = Math.max(minCandidateNodesAbsolute, Math.floor((nodes.length * minCandidateNodesPercentage) / 100));
  const harmless: Candidate[] = [];
  const violating: Candidate[] = [];
  const rejections = new Map<string, Rejection>();
  const offset = Math.floor(handle.random() * nodes.length);
  for (const [i] of nodes.entries()) {
    const node = nodes[(offset + i) % nodes.length];
    if (node === undefined) continue;
    const outcome = selectVictims(framework, filters, state, pod, node, budgets);
    if ('reasons' in outcome) rejections.set(node.name, outcome);
    else (outcome.violations === 0 ? harmless : violating).push(outcome);
    if (harmless.length > 0 && harmless.length + violating.length >= wanted) break;
  }
  return { candidates: [...harmless, ...violating], rejections };
}
