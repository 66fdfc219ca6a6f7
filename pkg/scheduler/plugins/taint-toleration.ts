import type { Taint, Toleration } from '../../api/generated/types.ts';
import { toleratedByAny, untoleratedTaint } from '../../api/scheduling/tolerations.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { normalizeByMaximum, type SchedulerPlugin } from '../framework/framework.ts';

const NAME = 'TaintToleration';
const HARD_EFFECTS = ['NoSchedule', 'NoExecute'] as const;

/** Keeps pods off nodes with taints that they do not tolerate; prefers nodes with fewer PreferNoSchedule taints. */
export const taintToleration: SchedulerPlugin = {
  name: NAME,
  filter(_state, { pod }, { node }) {
    const taint = untoleratedTaint(node?.spec.taints, pod.spec.tolerations, HARD_EFFECTS);
    if (taint === undefined) return undefined;
    return {
      plugin: NAME,
      reasons: [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`],
      resolvable: false,
    };
  },
  score(_state, { pod }, { node }) {
    let count = 0;
    for (const taint of node?.spec.taints ?? []) {
      if (taint.effect === 'PreferNoSchedule' && !toleratedByAny(softTolerations(pod.spec.tolerations), taint)) count++;
    }
    return count;
  },
  normalize: (scores) => normalizeByMaximum(scores, true),
  mayHelp: (event, { pod }) =>
    event.resource === 'Node' &&
    untoleratedTaint(event.node.node?.spec.taints, pod.spec.tolerations, HARD_EFFECTS) === undefined,
};

function softTolerations(
  tolerations: readonly DeepReadonly<Toleration>[] | undefined,
): readonly DeepReadonly<Toleration>[] {
  return (tolerations ?? []).filter(
    (toleration) => !toleration.effect || toleration.effect === ('PreferNoSchedule' satisfies Taint['effect']),
  );
}
