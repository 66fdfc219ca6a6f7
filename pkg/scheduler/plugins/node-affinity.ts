import { matchesNodeSelectorTerm, podMatchesNode } from '../../api/scheduling/node-selector.ts';
import { normalizeByMaximum, type Rejection, type SchedulerPlugin } from '../framework/framework.ts';
import type { PodInfo } from '../framework/pod-info.ts';

const REJECTED: Rejection = {
  plugin: 'NodeAffinity',
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  resolvable: false,
};

/** spec.nodeSelector and node affinity: required terms filter, preferred terms score. */
export const nodeAffinity: SchedulerPlugin = {
  name: 'NodeAffinity',
  preFilter: (_state, pod) => (selects(pod) ? { nodes: namedNodes(pod) } : { skip: true }),
  filter: (_state, { pod }, node) => (podMatchesNode(pod.spec, node) ? undefined : REJECTED),
  preScore: (_state, { pod }) =>
    (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).length === 0,
  score(_state, { pod }, node) {
    let sum = 0;
    for (const { weight, preference } of pod.spec.affinity?.nodeAffinity
      ?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      if (weight !== 0 && matchesNodeSelectorTerm(preference, node)) sum += weight;
    }
    return sum;
  },
  normalize: (scores) => normalizeByMaximum(scores, false),
  mayHelp: (event, { pod }) => event.resource === 'Node' && podMatchesNode(pod.spec, event.node),
};

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
