import type { NodeAffinity, PreferredSchedulingTerm } from '../../api/generated/types.ts';
import { matchesNodeSelector, matchesNodeSelectorTerm, podMatchesNode } from '../../api/scheduling/node-selector.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { PluginArgs } from '../config/plugin-args.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { normalizeByMaximum, type Rejection, type SchedulerPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';

const NAME = 'NodeAffinity';
const REJECTED: Rejection = {
  plugin: NAME,
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  resolvable: false,
};
const REJECTED_BY_ADDED: Rejection = {
  plugin: NAME,
  reasons: ["node(s) didn't match scheduler-enforced node affinity"],
  resolvable: false,
};

type Preferences = readonly DeepReadonly<PreferredSchedulingTerm>[];

/**
 * spec.nodeSelector and node affinity: required terms filter, preferred terms score. `addedAffinity` of the configuration
 * holds for every pod of the profile.
 */
export function nodeAffinity({ addedAffinity }: PluginArgs['NodeAffinity']): SchedulerPlugin {
  const added = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const rejectionOf = (pod: PodInfo, node: NodeInfo): Rejection | undefined => {
    if (added !== undefined && !matchesNodeSelector(added, node)) return REJECTED_BY_ADDED;
    return podMatchesNode(pod.pod.spec, node) ? undefined : REJECTED;
  };
  const preferences = (pod: PodInfo): Preferences => [
    ...preferred(addedAffinity),
    ...preferred(pod.pod.spec.affinity?.nodeAffinity),
  ];
  return {
    name: NAME,
    preFilter: (_state, pod) => (added === undefined && !selects(pod) ? { skip: true } : { nodes: namedNodes(pod) }),
    filter: (_state, pod, node) => rejectionOf(pod, node),
    preScore(state, pod) {
      const wanted = preferences(pod);
      state.write(NAME, wanted);
      return wanted.length === 0;
    },
    score(state, _pod, node) {
      let sum = 0;
      for (const { weight, preference } of state.read<Preferences>(NAME) ?? []) {
        if (weight !== 0 && matchesNodeSelectorTerm(preference, node)) sum += weight;
      }
      return sum;
    },
    normalize: (scores) => normalizeByMaximum(scores, false),
    mayHelp(event, pod) {
      if (event.resource === 'Pod') return true;
      return event.resource === 'Node' && event.action !== 'Delete' && rejectionOf(pod, event.node) === undefined;
    },
  };
}

function preferred(affinity: DeepReadonly<NodeAffinity> | undefined): Preferences {
  return affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
}

function selects({ pod }: PodInfo): boolean {
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required !== undefined || Object.keys(pod.spec.nodeSelector ?? {}).length > 0;
}

/** When every required term names nodes (as a DaemonSet's pods do), only these need be looked at. */
function namedNodes({ pod }: PodInfo): ReadonlySet<string> | undefined {
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms === undefined || terms.length === 0) return undefined;
  const names = new Set<string>();
  for (const term of terms) {
    const byName = term.matchFields?.find((field) => field.key === 'metadata.name' && field.operator === 'In');
    if (byName === undefined) return undefined;
    for (const name of byName.values ?? []) names.add(name);
  }
  return names;
}
