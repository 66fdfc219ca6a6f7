import type { Toleration } from '../../api/generated/types.ts';
import { toleratedByAny, untoleratedTaint } from '../../api/scheduling/tolerations.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { normalizeByMaximum, type Rejection, type SchedulerPlugin } from '../framework/plugin.ts';

const NAME = 'TaintToleration';
const HARD_EFFECTS = ['NoSchedule', 'NoExecute'] as const;

/** Since v1.35 without keys and values: who may see a pod need not know how nodes are set apart. */
const REJECTED: Rejection = { plugin: NAME, reasons: ['node(s) had untolerated taint(s)'], resolvable: false };

type Tolerations = readonly DeepReadonly<Toleration>[];

/** Keeps pods off nodes with taints that they do not tolerate; prefers nodes with fewer PreferNoSchedule taints. */
export const taintToleration: SchedulerPlugin = {
  name: NAME,
  filter(_state, { pod }, { node }) {
    const taints = node?.spec.taints;
    if (taints === undefined || taints.length === 0) return undefined;
    return untoleratedTaint(taints, pod.spec.tolerations, HARD_EFFECTS) === undefined ? undefined : REJECTED;
  },
  preScore(state, { pod }) {
    const soft = (pod.spec.tolerations ?? []).filter(({ effect }) => !effect || effect === 'PreferNoSchedule');
    state.write(NAME, soft);
    return false;
  },
  score(state, _pod, { node }) {
    const taints = node?.spec.taints;
    if (taints === undefined || taints.length === 0) return 0;
    const tolerations = state.read<Tolerations>(NAME);
    let count = 0;
    for (const taint of taints) if (taint.effect === 'PreferNoSchedule' && !toleratedByAny(tolerations, taint)) count++;
    return count;
  },
  normalize: (scores) => normalizeByMaximum(scores, true),
  mayHelp(event, { pod }) {
    if (event.resource === 'Pod') return true;
    if (event.resource !== 'Node' || event.action === 'Delete') return false;
    return untoleratedTaint(event.node.node?.spec.taints, pod.spec.tolerations, HARD_EFFECTS) === undefined;
  },
};
